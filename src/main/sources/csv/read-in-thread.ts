// The steps of a CSV file that another thread reads. However reading ends, the thread is gone afterwards.
import { on } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { failureFromWire } from '../../../contract/failure.ts'
import type { Step } from '../file-source.ts'
import { fromCrossing, TAKEN, type FromThread } from './thread-messages.ts'

/** `readHere` does instead where no thread can be started. */
export async function* readInThread(
  thread: Worker,
  readHere: () => AsyncIterable<Step>,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  let isReady = false
  try {
    // An error of the thread is thrown where its next message is awaited.
    for await (const [message] of on(thread, 'message', { signal, close: ['exit'] }) as AsyncIterable<[FromThread]>) {
      isReady = true
      if (message.kind === 'done') return
      if (message.kind === 'failed') throw failureFromWire(message.failure)
      if (message.kind === 'ready') continue
      const { step, batch } = message
      yield { ...step, ...(batch && { batch: fromCrossing(batch) }) }
      if (batch) thread.postMessage(TAKEN)
    }
    throw new Error('the thread that reads the file ended before it was done')
  } catch (error) {
    signal.throwIfAborted()
    if (isReady) throw error
  } finally {
    await thread.terminate()
  }
  yield* readHere()
}
