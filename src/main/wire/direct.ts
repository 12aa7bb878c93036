// The contract without a wire: a client straight on a dispatch, for commands that host their own engines.
import { randomUUID } from 'node:crypto'
import type { CallOptions, Client, Contract, Dispatch, Door } from '../../contract/capability.ts'
import { bindClient } from '../../contract/client.ts'
import { Failure } from '../../contract/failure.ts'
import { contextOf, requestAbort } from '../base/request-abort.ts'

export function connectDirect<C extends Contract>(contract: C, dispatch: Dispatch, door: Door = 'direct'): Client<C> {
  async function ask(name: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    const { signal, context, release } = open(options)
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(cancelled(name)), { once: true })
    })
    aborted.catch(() => {})
    try {
      signal.throwIfAborted()
      return await Promise.race([dispatch(name, input, context) as Promise<unknown>, aborted])
    } catch (error) {
      throw signal.aborted ? cancelled(name) : error
    } finally {
      release()
    }
  }

  async function* follow(name: string, input: unknown, options: CallOptions = {}): AsyncGenerator<unknown> {
    const { signal, abort, context, release } = open(options)
    try {
      if (signal.aborted) throw cancelled(name)
      yield* dispatch(name, input, context) as AsyncIterable<unknown>
      // A producer that heeds its signal ends without a word.
      if (signal.aborted) throw cancelled(name)
    } catch (error) {
      throw signal.aborted ? cancelled(name) : error
    } finally {
      abort()
      release()
    }
  }

  /** A signal of our own, so that leaving a stream early tells its producer; it follows the caller's. */
  function open({ signal: outer, correlationId = randomUUID() }: CallOptions) {
    const own = requestAbort()
    const abort = () => own.abort()
    if (outer?.aborted) abort()
    outer?.addEventListener('abort', abort)
    const context = contextOf(own, { correlationId, door })
    return { signal: own.signal, abort, context, release: () => outer?.removeEventListener('abort', abort) }
  }
  return bindClient(contract, ask, follow)
}

function cancelled(name: string): Failure {
  return new Failure('CANCELLED', `${name} was cancelled by its caller.`)
}
