// The first rows of a statement, at once, or all of them batch by batch.
import type { DuckDBResult } from '@duckdb/node-api'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { cancelled } from '../../base/cancelled.ts'
import { streamBatches } from '../../duck/read-batch.ts'
import { interruptible } from '../../duck/run-sql.ts'
import type { FileCounts, TableAt } from '../../lake/reads.ts'
import type { Lease } from '../pool.ts'
import { openStatement, type OpenStatement, type SqlQuestion, type SqlTools } from './open-statement.ts'
import { withColumns, type LiveRows } from './live-rows.ts'
import { firstRows } from '../export/at-most.ts'
import { checkNames } from '../export/export-rows.ts'
import { tameTimes } from '../export/tame-times.ts'

export interface ResultColumn {
  name: string
  /** As DuckDB names it: DECIMAL(18,8), TIMESTAMP WITH TIME ZONE. */
  type: string
}

export interface SqlRows {
  batch: ColumnBatch
  columns: readonly ResultColumn[]
  hasMore: boolean
  at: TableAt | undefined
  files: FileCounts
  live: readonly LiveRows[]
  pins: OpenStatement['pins']
}

/** DuckDB heeds no interrupt inside one call of a function: after so long its caller is answered all the same. */
const HEED_MS = 500

export async function readStatement(
  tools: SqlTools,
  question: SqlQuestion,
  limit: number,
  lease: Lease,
): Promise<SqlRows> {
  return withColumns(wantsAllColumns => readFirst(tools, question, limit, lease, wantsAllColumns))
}

async function readFirst(
  tools: SqlTools,
  question: SqlQuestion,
  limit: number,
  lease: Lease,
  wantsAllColumns: boolean,
): Promise<SqlRows> {
  const options = { batchRows: limit + 1, wantsAllColumns }
  const { columns, batches, ...share } = await streamStatement(tools, question, lease, options)
  try {
    const { value } = (await batches.next()) as { value: ColumnBatch }
    return { batch: tameTimes(firstRows(value, limit)), columns, hasMore: value.rowCount > limit, ...share }
  } finally {
    await batches.return()
  }
}

export interface SqlStream extends Pick<SqlRows, 'columns' | 'at' | 'files' | 'live' | 'pins'> {
  /** At least one, if need be without rows. They are to be read to the end, or returned. */
  batches: AsyncGenerator<ColumnBatch, void>
}

export async function streamStatement(
  tools: SqlTools,
  question: SqlQuestion,
  { connection: parser, signal }: Lease,
  /** What is handed on before all is read cannot be read once more, so all columns are there from the start. */
  { batchRows, wantsAllColumns = true }: { batchRows?: number; wantsAllColumns?: boolean } = {},
): Promise<SqlStream> {
  const open = await openStatement(question, { tools, parser, signal, wantsAllColumns })
  const { connection, statement, at, files, live, pins } = open
  const running = interruptible(connection, signal, () => statement.stream())
  try {
    const result = await heeded(running, signal)
    const columns = columnsOf(result)
    const begin = () => Promise.resolve(result)
    return {
      columns,
      at,
      files,
      live,
      pins,
      batches: readAll(open, streamBatches(connection, begin, { batchRows, signal }), signal),
    }
  } catch (error) {
    const told = await open.explain(error)
    closeAfter(running, open)
    throw told
  }
}

async function* readAll(
  open: OpenStatement,
  batches: AsyncGenerator<ColumnBatch, void>,
  signal: AbortSignal,
): AsyncGenerator<ColumnBatch, void> {
  try {
    for (;;) {
      const next = await heeded(batches.next(), signal)
      if (next.done) return
      yield next.value
    }
  } catch (error) {
    throw await open.explain(error)
  } finally {
    closeAfter(batches.return(), open)
  }
}

/** A connection that is closed under its statement waits for it with the whole process. */
export function closeAfter(work: Promise<unknown>, { close }: OpenStatement): void {
  void work.then(close, close)
}

/** What `work` gives, or CANCELLED soon after the signal has aborted, whether DuckDB has stopped or not. */
export async function heeded<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let tell = () => {}
  const abandoned = new Promise<never>((_, reject) => {
    tell = () => {
      timer = setTimeout(() => reject(cancelled()), HEED_MS)
    }
    signal.addEventListener('abort', tell)
    if (signal.aborted) tell()
  })
  try {
    return await Promise.race([work, abandoned])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', tell)
  }
}

/** Names as the rows have them: the second of two equal ones is told apart by a number. */
function columnsOf(result: DuckDBResult): ResultColumn[] {
  const types = result.columnTypes()
  const columns = result.deduplicatedColumnNames().map((name, i) => ({ name, type: String(types[i]) }))
  checkNames(columns)
  return columns
}
