// The answering half of the port and WebSocket transports: any Port in front of a dispatch.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Dispatch, Door } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import { INITIAL_CREDIT, type Port, type ToClient, type ToServer } from '../../contract/messages.ts'
import { contextOf, requestAbort, type RequestAbort } from '../base/request-abort.ts'
import { toServer } from './check-message.ts'
import { gone, toFailure } from './dispatch.ts'

export interface ServePortOptions {
  /** The caller does not speak the protocol; nothing acts on what it said. Its port is closed unless this does it. */
  onViolation?: (problem: string) => void
  /** An answer that was given but cannot cross: the dispatch knows nothing of it. */
  onBug?: (error: unknown, correlationId: string) => void
}

interface Open {
  abort: RequestAbort
  credit: number
  wake: () => void
}

/** Requests one caller may have open; more is a caller that forgets to cancel. */
const MAX_OPEN = 1000

/** Serves until the port closes; then every open request is aborted and its stream's `finally` runs. */
export function servePort(port: Port, dispatch: Dispatch, door: Door, options: ServePortOptions = {}): void {
  const { onViolation = () => port.close(), onBug = () => {} } = options
  const open = new Map<number, Open>()
  let closed = false

  port.onMessage(raw => {
    const checked = toServer.safeParse(raw)
    if (!checked.success) return onViolation(z.prettifyError(checked.error))
    const message = checked.data
    const request = open.get(message.id)
    if (message.t === 'open') {
      // Another request under an id in use could be neither cancelled nor ended with its caller.
      if (request) return onViolation(`Request ${message.id} is open already.`)
      void run(message)
    } else if (!request) return
    else if (message.t === 'cancel') cancel(request)
    else {
      request.credit += message.n
      request.wake()
    }
  })
  port.onClose(() => {
    closed = true
    for (const request of open.values()) cancel(request)
  })

  async function run({ id, name, input, correlationId }: Extract<ToServer, { t: 'open' }>): Promise<void> {
    const abort = requestAbort()
    const request: Open = { abort, credit: INITIAL_CREDIT, wake: () => {} }
    const context = contextOf(abort, { correlationId: correlationId ?? randomUUID(), door })
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
      if (!(error instanceof Failure)) onBug(error, context.correlationId)
      sendFailure(id, toFailure(error, context))
    } finally {
      open.delete(id)
    }
  }

  function send(message: ToClient): void {
    if (!closed) port.post(message)
  }

  /** Details that cannot cross are left out rather than the failure. */
  function sendFailure(id: number, failure: Failure): void {
    const error = failure.toWire()
    try {
      send({ t: 'fail', id, error })
    } catch {
      send({ t: 'fail', id, error: { ...error, details: undefined } })
    }
  }
}

/** Also a stream that waits for credit ends then. */
function cancel(request: Open): void {
  request.abort.abort()
  request.wake()
}

/** One batch per credit. Nothing is taken from the stream while the reader owes credit, so a slow reader slows the producer. */
async function pump(stream: AsyncIterable<unknown>, request: Open, next: (value: unknown) => void): Promise<void> {
  const iterator = stream[Symbol.asyncIterator]()
  const { abort } = request
  try {
    while (!abort.aborted) {
      while (request.credit <= 0 && !abort.aborted) await new Promise<void>(resolve => (request.wake = resolve))
      if (abort.aborted) break
      const result = await iterator.next()
      if (result.done) return
      request.credit--
      next(result.value)
    }
    throw gone()
  } finally {
    await iterator.return?.()
  }
}

export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
