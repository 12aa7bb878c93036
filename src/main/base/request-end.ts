// How a request ended, for those who log and count; the same shape that the dispatcher's `observe` is given.
import type { Context } from '../../contract/capability.ts'
import type { Failure } from '../../contract/failure.ts'

export interface RequestEnd {
  name: string
  context: Pick<Context, 'correlationId' | 'door'>
  elapsedMs: number
  failure?: Failure
  /** What a call gave. */
  answer?: unknown
  /** What was thrown, when it was not a Failure. */
  bug?: unknown
}
