// The answering half of the port and WebSocket transports: any Port in front of a dispatch.
import { randomUUID } from 'node:crypto'
import type { Context, Dispatch, Door } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import { INITIAL_CREDIT, type Port, type ToClient, type ToServer } from '../../contract/messages.ts'
import { toFailure } from './dispatch.ts'

interface Open {
  abort: AbortController
  credit: number
  wake: () => void
}

/** Requests one caller may have open; more is a caller that forgets to cancel. */
const MAX_OPEN = 1000

/** Serves until the port closes; then every open request is aborted and its stream's `finally` runs. */
export function servePort(port: Port, dispatch: Dispatch, door: Door): void {
  const open = new Map<number, Open>()
  let closed = false
  const send = (message: ToClient) => {
    if (!closed) port.post(message)
  }

  port.onMessage(raw => {
    const message = raw as ToServer
    if (message?.t === 'open') void run(message)
    else if (message?.t === 'cancel') open.get(message.id)?.abort.abort()
    else if (message?.t === 'credit') {
      const request = open.get(message.id)
      if (!request) return
      request.credit += message.n
      request.wake()
    }
  })
  port.onClose(() => {
    closed = true
    for (const request of open.values()) request.abort.abort()
  })

  async function run({ id, name, input, correlationId }: Extract<ToServer, { t: 'open' }>): Promise<void> {
    const request: Open = { abort: new AbortController(), credit: INITIAL_CREDIT, wake: () => {} }
    const signal = request.abort.signal
    const context: Context = { signal, correlationId: correlationId ?? randomUUID(), door }
    signal.addEventListener('abort', () => request.wake())
    try {
      if (open.size >= MAX_OPEN) throw new Failure('RATE_LIMITED', `More than ${MAX_OPEN} requests are open.`)
      open.set(id, request)
      const result = dispatch(name, input, context)
      if (isStream(result)) {
        await pump(result, request, value => send({ t: 'next', id, value }))
        send({ t: 'done', id })
      } else {
        send({ t: 'done', id, value: await result })
      }
    } catch (error) {
      send({ t: 'fail', id, error: toFailure(error, context).toWire() })
    } finally {
      open.delete(id)
    }
  }
}

/** One batch per credit. Nothing is taken from the stream while the reader owes credit, so a slow reader slows the producer. */
async function pump(stream: AsyncIterable<unknown>, request: Open, next: (value: unknown) => void): Promise<void> {
  const iterator = stream[Symbol.asyncIterator]()
  const { signal } = request.abort
  try {
    while (!signal.aborted) {
      while (request.credit <= 0 && !signal.aborted) await new Promise<void>(resolve => (request.wake = resolve))
      if (signal.aborted) break
      const { done, value } = await iterator.next()
      if (done) return
      request.credit--
      next(value)
    }
    throw new Failure('CANCELLED', 'The caller went away.')
  } finally {
    await iterator.return?.()
  }
}

export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
