// Whether data files and position deletes are what was written, and hold what their manifests say: how many rows, how many
// nulls, and nothing outside the bounds.
import type { DuckDBConnection } from '@duckdb/node-api'
import { cellOf } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { DataFile } from '../iceberg/data-file.ts'
import { currentSchema, headOf, type TableMetadata } from '../iceberg/metadata.ts'
import type { Field, PrimitiveType, Schema } from '../iceberg/schema.ts'
import { decodeValue } from '../iceberg/single-value.ts'
import type { Lake } from '../lake.ts'
import { checksumOf } from '../io/checksum.ts'
import { storedFiles, type FileIO } from '../io/file-io.ts'
import { openScan } from '../read/scan.ts'
import { sqlLiteral, sqlName } from '../read/sql-literal.ts'
import type { Problem } from './problem.ts'

export async function checkRows(
  lake: Lake,
  { metadata }: LoadedTable,
  files: readonly DataFile[],
  signal?: AbortSignal,
): Promise<Problem[]> {
  const connection = await lake.duck.connect()
  const problems: Problem[] = []
  try {
    for (const file of files) {
      if (file.content === 'equality-deletes' || file.format !== 'PARQUET') continue
      const found = await checkFile(lake, connection, { file, metadata, signal })
      problems.push(...found.map(problem => ({ file: file.path, snapshot_id: null, problem })))
    }
  } finally {
    connection.closeSync()
  }
  return problems
}

/** What every file of position deletes has, under reserved field ids. */
const POSITIONS: Schema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 2147483546, name: 'file_path', required: true, type: 'string' },
    { id: 2147483545, name: 'pos', required: true, type: 'long' },
  ],
}

interface FileCheck {
  file: DataFile
  metadata: TableMetadata
  signal?: AbortSignal
}

async function checkFile({ io }: Lake, connection: DuckDBConnection, check: FileCheck): Promise<string[]> {
  const { file, signal } = check
  try {
    const stored = await storedFiles(io).open(file.path, signal)
    try {
      // What is in it says nothing then, and DuckDB may fail on it in any way.
      if (file.crc32 !== undefined && (await checksumOf(stored.path, signal)) !== file.crc32) return [NOT_AS_WRITTEN]
      const lent = { path: stored.path, release: () => {} }
      return await checkValues({ ...io, open: () => Promise.resolve(lent) }, connection, check)
    } finally {
      stored.release()
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'CANCELLED') throw error
    return [error.message]
  }
}

const NOT_AS_WRITTEN = 'Its bytes are not those that were written: the checksum differs. Restore it from a copy.'

async function checkValues(io: FileIO, connection: DuckDBConnection, check: FileCheck): Promise<string[]> {
  const { file, signal, metadata } = check
  const isData = file.content === 'data'
  const schema = isData ? currentSchema(metadata) : POSITIONS
  const scanFile = { file, sequenceNumber: 0, deletes: [] }
  const counts = { total: 1, pruned: 0, read: 1 }
  const plan = {
    snapshotId: headOf(metadata)!['snapshot-id'],
    schema,
    // Files that another engine took in as they were have no field ids, and may lack what they are partitioned by.
    specs: isData ? metadata['partition-specs'] : [],
    nameMapping: isData ? metadata.properties['schema.name-mapping.default'] : undefined,
    files: [scanFile],
    counts,
    filter: [],
  }
  const columns = schema.fields // also those nothing is known of: each must be readable
  const scan = await openScan({ plan, io, connection, signal })
  try {
    const measures = ['count(*) AS n', ...columns.flatMap((field, i) => measuresOf(field, i, file))]
    const sql = `SELECT ${measures.join(', ')} FROM (${scan.sql()})`
    const batch = await readBatch(connection, sql, signal)
    const value = (name: string) => Number(cellOf(batch.columns[name], 0))
    return judge(file, columns, value)
  } catch (error) {
    throw await scan.blame(error)
  } finally {
    scan.release()
  }
}

function measuresOf({ id, name, type }: Field, i: number, file: DataFile): string[] {
  const column = sqlName(name)
  const nulls = `count(*) - count(${column}) AS nulls${i}`
  if (typeof type !== 'string') return [nulls]
  const bounds = (
    [
      ['<', file.lowerBounds?.get(id)],
      ['>', file.upperBounds?.get(id)],
    ] as const
  ).flatMap(([op, bytes]) => (bytes ? [`${column} ${op} ${literalOf(type, bytes)}`] : []))
  return bounds.length === 0 ? [nulls] : [nulls, `count(*) FILTER (WHERE ${bounds.join(' OR ')}) AS outside${i}`]
}

/** Bounds that are no value of the column's type bound no row: each row is outside. */
function literalOf(type: PrimitiveType, bytes: Uint8Array): string {
  try {
    return sqlLiteral(type, decodeValue(type, bytes))
  } catch (error) {
    if (error instanceof RangeError) return 'NULL OR TRUE'
    throw error
  }
}

function judge(file: DataFile, columns: readonly Field[], value: (name: string) => number): string[] {
  const problems: string[] = []
  if (value('n') !== file.recordCount) problems.push(`Holds ${value('n')} rows, its manifest says ${file.recordCount}.`)
  columns.forEach(({ id, name, type }, i) => {
    const nulls = file.nullCounts?.get(id)
    if (nulls !== undefined && typeof type === 'string' && value(`nulls${i}`) !== nulls) {
      problems.push(`Holds ${value(`nulls${i}`)} rows without ${name}, its manifest says ${nulls}.`)
    }
    const bounded = typeof type === 'string' && (file.lowerBounds?.has(id) || file.upperBounds?.has(id))
    const outside = bounded ? value(`outside${i}`) : 0
    if (outside > 0) problems.push(`${outside} rows have a ${name} outside the bounds in its manifest.`)
  })
  return problems
}
