// What work says when its caller no longer wants it, and how it waits for that.
import { once } from 'node:events'
import { Failure } from '../../contract/failure.ts'

export function cancelled(cause?: unknown): Failure {
  return new Failure('CANCELLED', 'Stopped before it was done, as asked.', { cause })
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled()
}

export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
