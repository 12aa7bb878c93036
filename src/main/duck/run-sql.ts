// One statement, with its errors translated, and ended early when its caller no longer wants it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { DuckDBConnection, DuckDBMaterializedResult } from '@duckdb/node-api'
import { throwIfCancelled } from '../base/cancelled.ts'
import { translateDuckError } from './failures.ts'

/** An interrupt that comes before DuckDB has begun is lost, so it is repeated until the statement has ended. */
const INTERRUPT_EVERY_MS = 20

/** DuckDB heeds an interrupt within milliseconds, but between its own steps only. */
const STOP_WITHIN_MS = 2_000

const running = new WeakMap<DuckDBConnection, Set<Promise<unknown>>>()

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
  const ending = work()
  const statements = running.get(connection) ?? new Set()
  running.set(connection, statements.add(ending))
  try {
    return await ending
  } catch (error) {
    throw translateDuckError(error)
  } finally {
    statements.delete(ending)
    clearInterval(timer)
    signal?.removeEventListener('abort', interrupt)
  }
}

/** Ends what runs on a connection: one that is closed under its statement waits for it for good. */
export async function stopStatements(connection: DuckDBConnection): Promise<void> {
  const statements = running.get(connection)
  const giveUpAt = performance.now() + STOP_WITHIN_MS
  while (statements && statements.size > 0 && performance.now() < giveUpAt) {
    connection.interrupt()
    await Promise.race([Promise.allSettled(statements), sleep(INTERRUPT_EVERY_MS)])
  }
}
