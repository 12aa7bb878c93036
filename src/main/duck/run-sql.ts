// One statement, with its errors translated, and ended early when its caller no longer wants it.
import type { DuckDBConnection, DuckDBMaterializedResult } from '@duckdb/node-api'
import { Failure } from '../../contract/failure.ts'
import { translateDuckError } from './failures.ts'

/** An interrupt that comes before DuckDB has begun is lost, so it is repeated until the statement has ended. */
const INTERRUPT_EVERY_MS = 20

export async function runSql(
  connection: DuckDBConnection,
  sql: string,
  signal?: AbortSignal,
): Promise<DuckDBMaterializedResult> {
  return interruptible(connection, signal, () => connection.run(sql))
}

/** What `work` gives, or CANCELLED once the signal is aborted and DuckDB has stopped. */
export async function interruptible<T>(
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  throwIfCancelled(signal)
  let timer: NodeJS.Timeout | undefined
  const interrupt = () => {
    connection.interrupt()
    timer ??= setInterval(interrupt, INTERRUPT_EVERY_MS)
  }
  signal?.addEventListener('abort', interrupt)
  try {
    return await work()
  } catch (error) {
    throw translateDuckError(error)
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', interrupt)
  }
}

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Failure('CANCELLED', 'Stopped before it was done, as asked.')
}
