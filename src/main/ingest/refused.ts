// What a server refuses for good, such as a wrong password: told at once, and tried again now and then, as somebody may set
// it right at the server's side. Nothing has to be started anew for that.
import { Failure, type FailureCode } from '../../contract/failure.ts'
import { backoffMs, isTransient } from '../base/retry.ts'
import type { WriterSettings } from './writer-options.ts'

/** What somebody may set right elsewhere. Anything else is of what lies in the log or the table, or a bug. */
const MAY_BE_MENDED: ReadonlySet<FailureCode> = new Set([
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'UNAVAILABLE',
  'TIMEOUT',
])
const MOST_MS = 30_000

export function mayBeMended(error: unknown): boolean {
  return error instanceof Failure && MAY_BE_MENDED.has(error.code)
}

/** Until the next look, after so many refusals in a row. */
export function lookAgainMs({ lookEveryMs }: Pick<WriterSettings, 'lookEveryMs'>, refusals: number): number {
  return refusals === 0 ? lookEveryMs : Math.max(lookEveryMs, backoffMs(refusals, 2 * lookEveryMs, MOST_MS))
}

/** For whoever looks: what to do, and that nothing else is to be done afterwards. */
export function toldWith(error: unknown): unknown {
  if (isTransient(error) || !mayBeMended(error)) return error
  const { code, message, details, retryable } = error as Failure
  return new Failure(code, `${message} It is tried again by itself, at least every half minute.`, {
    details,
    retryable,
  })
}
