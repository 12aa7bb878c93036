// Entry of the thread that reads a CSV file into batches, so that parsing does not wait for writing nor writing for it.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { Failure } from '../../../contract/failure.ts'
import type { Step } from '../file-source.ts'
import { openCsv } from './csv-source.ts'
import { TAKEN, toCrossing, type FromThread, type ThreadWork } from './thread-messages.ts'

/** Batches that wait to be taken, beside the one that is being made: bounds memory. */
const MOST_AHEAD = 1
/** Of the file between two steps without a batch: often enough for progress to be shown. */
const STEP_BYTES = 1 << 20

async function readAll(port: MessagePort, { path, options }: ThreadWork): Promise<void> {
  const say = (message: FromThread, given: ArrayBuffer[] = []) => port.postMessage(message, given)
  // Whoever wants no more ends the thread.
  const { signal } = new AbortController()
  let ahead = 0
  let onTaken = () => {}
  port.on('message', message => {
    if (message !== TAKEN) return
    ahead--
    onTaken()
  })

  const source = await openCsv(path, options, signal)
  say({ kind: 'ready' })
  let badRows: Step['badRows'] = []
  let toldBytes = 0
  for await (const { batch, badRows: more, bytesRead } of source.read(signal)) {
    if (more.length > 0) badRows = [...badRows, ...more]
    if (!batch && bytesRead - toldBytes < STEP_BYTES) continue
    const step = { badRows, bytesRead }
    badRows = []
    toldBytes = bytesRead
    if (!batch) say({ kind: 'step', step })
    else {
      while (ahead === MOST_AHEAD) await new Promise<void>(resolve => (onTaken = resolve))
      ahead++
      const [crossing, given] = toCrossing(batch)
      say({ kind: 'step', step, batch: crossing }, given)
    }
  }
  say({ kind: 'step', step: { badRows, bytesRead: source.bytesTotal } })
  say({ kind: 'done' })
}

const port = parentPort!
readAll(port, workerData as ThreadWork)
  .catch((error: unknown) => {
    // Anything else is a bug, and ends the thread as it is.
    if (!(error instanceof Failure)) throw error
    port.postMessage({ kind: 'failed', failure: error.toWire() } satisfies FromThread)
  })
  .finally(() => port.close())
