// The steps of a CSV file that another thread reads. However reading ends, the thread is gone afterwards.
import { on } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { failureFromWire } from '../../../contract/failure.ts'
import type { Step } from '../file-source.ts'
import { fromCrossing, TAKEN, type FromThread } from './thread-messages.ts'

/** `readHere` does instead where no thread can be started. */
export async function* readInThread(
  startThread: () => Worker,
  readHere: () => AsyncIterable<Step>,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  let thread: Worker | undefined
  let isReady = false
  try {
    thread = startThread()
    // An error of the thread is thrown where its next message is awaited. One that comes while nothing is awaited any
    // more, until the thread is gone, would end the process if nobody listened.
    thread.on('error', () => {})
    for await (const [message] of on(thread, 'message', { signal, close: ['exit'] }) as AsyncIterable<[FromThread]>) {
      isReady = true
      if (message.kind === 'done') return
      if (message.kind === 'failed') throw failureFromWire(message.failure)
      if (message.kind === 'ready') continue
      const { step, batch } = message
      yield { ...step, ...(batch && { batch: fromCrossing(batch) }) }
      thread.postMessage(TAKEN)
    }
    throw new Error('the thread that reads the file ended before it was done')
  } catch (error) {
    signal.throwIfAborted()
    if (isReady) throw error
  } finally {
    await thread?.terminate()
  }
  yield* readHere()
}
