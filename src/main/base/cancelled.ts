// What work says when its caller no longer wants it.
import { Failure } from '../../contract/failure.ts'

export function cancelled(cause?: unknown): Failure {
  return new Failure('CANCELLED', 'Stopped before it was done, as asked.', { cause })
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled()
}
