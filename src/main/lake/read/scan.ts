// Reading what a plan found: its files are opened through the lake's files, read by DuckDB, and released.
import type { DuckDBConnection } from '@duckdb/node-api'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { openDuck } from '../../duck/open-duck.ts'
import { readBatch, streamBatches } from '../../duck/read-batch.ts'
import type { DataFile } from '../iceberg/data-file.ts'
import type { FileIO, LocalFile } from '../io/file-io.ts'
import { requireColumn } from './bind-filter.ts'
import { fileLayouts, storedName } from './file-layout.ts'
import type { ScanFile } from './file-index.ts'
import type { ScanPlan } from './plan-scan.ts'
import { scanOrder, scanSql } from './scan-sql.ts'
import { sqlName } from './sql-literal.ts'

export interface ScanOptions {
  plan: ScanPlan
  io: FileIO
  connection: DuckDBConnection
  signal?: AbortSignal
}

export interface ReadOptions extends ScanOptions {
  /** All of the plan's schema when left out. */
  columns?: readonly string[]
  orderBy?: readonly { column: string; direction: 'asc' | 'desc' }[]
  limit?: number
  batchRows?: number
}

/** A plan whose files are held ready on this machine until `release`. */
export interface OpenScan {
  /** A SELECT of the passing rows, for use in a larger one too. */
  sql: (columns?: readonly string[], numbered?: string) => string
  /** The plan's files in the order of that SELECT, which may number them. */
  order: readonly ScanFile[]
  /** The files on this machine that the SELECT reads, and no others. */
  paths: readonly string[]
  /** Says which file it was when an error of a query over `sql` came from one. */
  blame: (error: unknown) => Promise<unknown>
  release: () => void
}

const OPENS_AT_ONCE = 16

export async function openScan({ plan, io, connection, signal }: ScanOptions): Promise<OpenScan> {
  const files = new Map<string, DataFile>()
  for (const { file, deletes } of plan.files) for (const each of [file, ...deletes]) files.set(each.path, each)
  const opened = await openAll([...files.keys()], io, signal)
  const filePaths = new Map([...opened].map(([location, { path }]) => [location, path]))
  const release = () => opened.forEach(file => file.release())
  const blame = (error: unknown) => blameFile(error, plan, filePaths, signal)
  try {
    const layouts = await fileLayouts(
      connection,
      plan.files.map(({ file }) => file),
      { schema: plan.schema, specs: plan.specs ?? [], nameMapping: plan.nameMapping, filePaths, signal },
    )
    const sql: OpenScan['sql'] = (columns, numbered) =>
      scanSql(plan, { columns, filePaths, layouts, nameIn: storedName, numbered })
    return { sql, order: scanOrder(plan, layouts), paths: [...filePaths.values()], blame, release }
  } catch (error) {
    const blamed = await blame(error) // looks at the files once more
    release()
    throw blamed
  }
}

/** The rows in batches, as they come; memory does not grow with the answer unless it is sorted. */
export async function* scanBatches(options: ReadOptions): AsyncGenerator<ColumnBatch, void> {
  const { connection, batchRows, signal } = options
  const scan = await openScan(options)
  try {
    yield* streamBatches(connection, statement(scan, options), { batchRows, signal })
  } catch (error) {
    throw await scan.blame(error)
  } finally {
    scan.release()
  }
}

/** All rows at once, which DuckDB reads with all its threads. */
export async function readScan(options: ReadOptions): Promise<ColumnBatch> {
  const scan = await openScan(options)
  try {
    return await readBatch(options.connection, statement(scan, options), options.signal)
  } catch (error) {
    throw await scan.blame(error)
  } finally {
    scan.release()
  }
}

function statement(scan: OpenScan, { plan, columns, orderBy = [], limit }: ReadOptions): string {
  const wanted = columns ?? plan.schema.fields.map(({ name }) => name)
  // What is sorted by need not be among what is answered.
  const read = [...new Set([...wanted, ...orderBy.map(({ column }) => requireColumn(plan.schema, column).name)])]
  const keys = orderBy.map(({ column, direction }) => `${sqlName(column)} ${direction.toUpperCase()} NULLS LAST`)
  return [
    `SELECT ${wanted.map(sqlName).join(', ')} FROM (${scan.sql(read)})`,
    ...(keys.length > 0 ? [`ORDER BY ${keys.join(', ')}`] : []),
    ...(limit === undefined ? [] : [`LIMIT ${Math.max(0, Math.floor(limit))}`]),
  ].join(' ')
}

async function openAll(
  locations: readonly string[],
  io: FileIO,
  signal: AbortSignal | undefined,
): Promise<Map<string, LocalFile>> {
  const opened = new Map<string, LocalFile>()
  let next = 0
  let failed = false
  const work = async () => {
    while (next < locations.length && !failed) {
      const location = locations[next++]
      try {
        opened.set(location, await io.open(location, signal))
      } catch (error) {
        failed = true
        throw error instanceof Failure && error.code === 'NOT_FOUND' ? vanished(location, error) : error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(OPENS_AT_ONCE, locations.length) }, work))
  const rejected = results.find(result => result.status === 'rejected')
  if (!rejected) return opened
  opened.forEach(file => file.release())
  throw rejected.reason
}

function vanished(location: string, cause: unknown): Failure {
  return new Failure(
    'CORRUPT',
    `The table's file ${location} is not there any more; nothing was answered. Perhaps its snapshot expired while it ` +
      'was read: ask again. If it stays away, restore it from a copy, and see k2 lake verify.',
    { details: { file: location }, cause, retryable: true },
  )
}

/** DuckDB does not always name the file, and never its location in the table. */
async function blameFile(
  error: unknown,
  plan: ScanPlan,
  filePaths: ReadonlyMap<string, string>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (!mayComeFromFile(error)) return error
  const said = `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`
  const location =
    [...filePaths].find(([, path]) => said.includes(path))?.[0] ?? (await findUnreadable(plan, filePaths, signal))
  if (location === undefined) return error
  if (error instanceof Failure && error.code === 'NOT_FOUND') return vanished(location, error)
  return new Failure(
    'CORRUPT',
    `The table's file ${location} is damaged; nothing was answered. Restore it from a copy, and see k2 lake verify.`,
    { details: { file: location }, cause: error },
  )
}

/** The statement is ours, so whatever DuckDB says of it may come from a file: statistics of an impossible size, say. */
function mayComeFromFile(error: unknown): error is Error {
  if (error instanceof Failure) return error.code === 'NOT_FOUND' || error.code === 'CORRUPT'
  return error instanceof Error && /^[A-Z][A-Za-z ]* Error: /.test(error.message)
}

/**
 * Reads file by file until one fails: slow, but only after a failure that named none. In a database of its own, as
 * some damage leaves the one that met it unusable.
 */
async function findUnreadable(
  plan: ScanPlan,
  filePaths: ReadonlyMap<string, string>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const duck = await openDuck({ threads: 1 })
  try {
    const connection = await duck.connect()
    for (const scanFile of plan.files) {
      try {
        await readBatch(connection, scanSql({ ...plan, files: [scanFile] }, { filePaths }), signal)
      } catch {
        return signal?.aborted ? undefined : scanFile.file.path
      }
    }
    return undefined
  } finally {
    await duck.close()
  }
}
