// How a request is told that its caller is gone. Most are answered before anybody asks for the signal, and making one
// took a tenth of a call to a child process (measured), so it is made when it is asked for.
import { setMaxListeners } from 'node:events'
import type { Context } from '../../contract/capability.ts'

export interface RequestAbort {
  readonly signal: AbortSignal
  readonly aborted: boolean
  abort(reason?: unknown): void
}

export function requestAbort(): RequestAbort {
  let controller: AbortController | undefined
  let ended: { reason: unknown } | undefined
  return {
    get signal() {
      if (controller) return controller.signal
      controller = new AbortController()
      // An engine may hang many pieces of work on one signal; Node takes more than ten for a leak.
      setMaxListeners(0, controller.signal)
      if (ended) controller.abort(ended.reason)
      return controller.signal
    },
    get aborted() {
      return ended !== undefined
    },
    abort(reason) {
      ended ??= { reason }
      controller?.abort(reason)
    },
  }
}

export function contextOf(abort: RequestAbort, rest: Omit<Context, 'signal'>): Context {
  return {
    get signal() {
      return abort.signal
    },
    ...rest,
  }
}
