// The rows of a SELECT as sorted Parquet files of one partition: what compaction writes in place of many small files.
import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteName } from '../../duck/quote.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { runSql } from '../../duck/run-sql.ts'
import type { DataFile } from '../iceberg/data-file.ts'
import type { Value } from '../iceberg/schema.ts'
import type { SortColumn } from './sort-rows.ts'
import { stageAll } from './staged-files.ts'
import { writeFile } from './write-file.ts'
import { writeTarget, type TargetOptions } from './write-target.ts'

export interface StageQueryOptions extends TargetOptions {
  connection: DuckDBConnection
  /** The values of the partition, in the order of the spec's fields. */
  partition: readonly (Value | null)[]
  /** Gives the columns of the table's current schema, by name. */
  select: string
  /** More rows are cut into several files of about as many each, which do not overlap in the sort order. */
  rowsPerFile?: number
}

const COMPRESSION_LEVEL = 3
/** Measured: 26 bytes a trade, so about 200 MB. */
export const ROWS_PER_FILE = 8_000_000

/** Memory is DuckDB's own: beyond its limit the sort spills to its temp folder. Without rows there is no file. */
export async function stageQuery(options: StageQueryOptions): Promise<DataFile[]> {
  const { connection, io, partition, select, rowsPerFile = ROWS_PER_FILE, signal } = options
  const { target, sort } = writeTarget(options, COMPRESSION_LEVEL)
  const columns = target.schema.fields.map(({ name }) => quoteName(name)).join(', ')
  const sorted = `SELECT ${columns} FROM (${select})${orderBy(sort)}`
  const rowCount = await countRows(connection, select, signal)
  if (rowCount === 0) return []
  return stageAll(io, 1, async ({ add, idle }) => {
    if (rowCount <= rowsPerFile) return add(() => writeFile(connection, target, partition, sorted))
    const table = `staged_${++tables}`
    await runSql(connection, `CREATE TEMP TABLE ${table} AS ${sorted}`, signal)
    try {
      const size = Math.ceil(rowCount / Math.ceil(rowCount / rowsPerFile))
      for (let from = 0; from < rowCount; from += size) {
        const part = `SELECT * FROM ${table} WHERE rowid >= ${from} AND rowid < ${from + size}`
        await add(() => writeFile(connection, target, partition, part))
      }
    } finally {
      await idle()
      await runSql(connection, `DROP TABLE ${table}`)
    }
  })
}

let tables = 0

async function countRows(connection: DuckDBConnection, select: string, signal?: AbortSignal): Promise<number> {
  const { columns } = await readBatch(connection, `SELECT count(*) AS rows FROM (${select})`, signal)
  return Number(columns.rows.values[0])
}

function orderBy(sort: readonly SortColumn[]): string {
  if (sort.length === 0) return ''
  const keys = sort.map(
    ({ name, ascending, nullsFirst }) =>
      `${quoteName(name)} ${ascending ? 'ASC' : 'DESC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
  )
  return ` ORDER BY ${keys.join(', ')}`
}
