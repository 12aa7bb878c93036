// A stream of batches as Server-Sent Events. The socket is the credit: while it is full nothing is taken from the stream.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../contract/failure.ts'
import { joinBytes, toJson } from '../to-json.ts'

/** So long a stream may take to fail as a plain JSON failure; then its headers go out, batch or no batch. */
const EARLY_FAILURE_MS = 1000

export interface EventsOptions {
  /** Sends the status and headers; called once, when the stream has not failed at once. */
  open: () => ServerResponse
  /** Aborts when the reader is gone, or with a Failure as the reason when the server closes. */
  signal: AbortSignal
  toFailure: (error: unknown) => Failure
  heartbeatMs: number
}

/** Rejects if the stream fails before anything was sent; whatever happens later is told to the reader. */
export async function sendEvents(
  batches: AsyncIterable<unknown>,
  { open, signal, toFailure, heartbeatMs }: EventsOptions,
): Promise<void> {
  const iterator = batches[Symbol.asyncIterator]()
  const first = iterator.next()
  await settledWithin(first, EARLY_FAILURE_MS)
  const response = open()
  response.on('error', () => {}) // the reader is gone; `signal` says so
  const beat = () => response.writableNeedDrain || response.write(':\n\n')
  beat()
  const heartbeat = setInterval(beat, heartbeatMs)
  try {
    for (let next = await first; !next.done && !signal.aborted; next = await iterator.next()) {
      if (!response.write(eventOf(next.value))) await once(response, 'drain', { signal })
    }
    signal.throwIfAborted()
  } catch (error) {
    const failure = signal.reason instanceof Failure ? signal.reason : toFailure(error)
    if (!response.destroyed) response.write(joinBytes(['event: failure\ndata: ', toJson(failure.toWire()), '\n\n']))
  } finally {
    clearInterval(heartbeat)
    await iterator.return?.()
    response.end()
  }
}

/** Rejects if `work` does within the time. */
async function settledWithin(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const timer = new AbortController()
  try {
    await Promise.race([work, sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => {})])
  } finally {
    timer.abort()
  }
}

function eventOf(batch: unknown): Buffer {
  const { cursor } = batch as { cursor?: unknown }
  return joinBytes([typeof cursor === 'string' ? `id: ${cursor}\n` : '', 'data: ', toJson(batch), '\n\n'])
}
