// Entry of the thread that reads a CSV file into batches, so that parsing does not wait for writing nor writing for it.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { Failure } from '../../../contract/failure.ts'
import type { BadRow } from '../file-source.ts'
import { openCsv } from './csv-source.ts'
import { TAKEN, toCrossing, type FromThread, type ThreadWork } from './thread-messages.ts'

/** Steps that wait to be taken, and how many of them may have a batch, beside the one that is being made: bounds memory. */
const MOST_AHEAD = 4
const MOST_BATCHES_AHEAD = 1
/** More of them are a step of their own, as a file may have nothing else. */
const MOST_BAD_ROWS = 1000
/** Of the file between two steps that only show progress: often enough for that. */
const STEP_BYTES = 1 << 20

async function readAll(port: MessagePort, { path, options }: ThreadWork): Promise<void> {
  const say = (message: FromThread, given: ArrayBuffer[] = []) => port.postMessage(message, given)
  // Whoever wants no more ends the thread.
  const { signal } = new AbortController()
  /** The steps that wait to be taken: whether they have a batch. */
  const ahead: boolean[] = []
  let onTaken = () => {}
  port.on('message', message => {
    if (message !== TAKEN) return
    ahead.shift()
    onTaken()
  })
  const hasRoom = (hasBatch: boolean) =>
    ahead.length < MOST_AHEAD && !(hasBatch && ahead.filter(Boolean).length === MOST_BATCHES_AHEAD)

  const source = await openCsv(path, options, signal)
  say({ kind: 'ready' })
  let badRows: BadRow[] = []
  let toldBytes = 0
  for await (const { batch, badRows: more, bytesRead } of source.read(signal)) {
    for (const row of more) badRows.push(row)
    // Progress is shown to one who has taken what there was, and holds up nobody.
    const isShown = ahead.length === 0 && bytesRead - toldBytes >= STEP_BYTES
    if (!batch && badRows.length < MOST_BAD_ROWS && !isShown) continue
    while (!hasRoom(batch !== undefined)) await new Promise<void>(resolve => (onTaken = resolve))
    ahead.push(batch !== undefined)
    const step = { badRows, bytesRead }
    badRows = []
    toldBytes = bytesRead
    if (batch) {
      const [crossing, given] = toCrossing(batch)
      say({ kind: 'step', step, batch: crossing }, given)
    } else say({ kind: 'step', step })
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
