// A Parquet or Arrow file as a source of rows: planned by its columns' names and types before anything is read.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { ASSET_CLASSES, TABLES } from '../../../contract/tables.ts'
import { Failure } from '../../../contract/failure.ts'
import { exchangeOf } from '../../market/exchanges.ts'
import { cannotRead } from '../read-bytes.ts'
import { createWallClock, type WallClock } from '../../base/values/zone.ts'
import type { BadRow, FileOptions, FileSource, Step } from '../file-source.ts'
import type { LoadTable } from '../load-target.ts'
import { createBadRows } from './bad-rows.ts'
import { cellText } from './cell-text.ts'
import { convertColumn } from './convert.ts'
import { vendorData } from './convert-texts.ts'
import { fillInstrument, fillRows } from './fill-columns.ts'
import { keepRows } from './keep-rows.ts'
import { planColumns, type ColumnMapping, type ColumnPlan } from './plan-columns.ts'
import { openArrow } from './read-arrow.ts'
import { openParquet, type ReadParquet } from './read-parquet.ts'
import { columnarFormOf, MAGIC_BYTES } from './recognise.ts'
import type { ColumnarFile } from './source-columns.ts'

export interface ColumnarOptions extends FileOptions {
  mapping?: ColumnMapping
  readParquet: ReadParquet
}

type Told = ColumnarOptions & { table: LoadTable }

const HASH_CHUNK_BYTES = 1 << 20
const LONGEST_TEXT = 1000

/** Nothing when the file is neither Parquet nor Arrow. What its columns cannot give is a Failure here already. */
export async function openColumnarFile(
  path: string,
  options: ColumnarOptions,
  signal: AbortSignal,
): Promise<FileSource | undefined> {
  const { size: bytesTotal, head, version } = await lookAt(path)
  const form = columnarFormOf(head)
  if (form === undefined) return undefined
  const file =
    form === 'arrow'
      ? await openArrow(path, bytesTotal)
      : await openParquet(path, bytesTotal, options.readParquet, signal)
  const { mapping = {}, exchange } = options
  const table = options.table ?? guessTable(file.fields.map(({ name }) => name).concat(Object.keys(mapping)))
  if (table === undefined)
    throw new Failure('INVALID_INPUT', `Say what ${path} holds: --type trades, quotes or reference_data.`)
  const plan = planColumns(table, file.fields, mapping, exchange !== undefined)
  const told: Told = { ...options, table }
  checkAssetClass(plan, told)
  return {
    table,
    bytesTotal,
    contentHash: hashing => hashOf(path, hashing),
    async *read(reading) {
      yield* stepsOf(file, plan, told, reading)
      if ((await lookAt(path)).version !== version) throw changed(path)
    },
  }
}

async function* stepsOf(
  file: ColumnarFile,
  plan: ColumnPlan,
  options: Told,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  const wallClock = createWallClock(options.timezone ?? 'UTC')
  const names = [...new Set([...plan.columns.map(({ field }) => field.name), ...plan.extras.map(({ name }) => name)])]
  let rowsBefore = 0
  for await (const { batch, bytesRead } of file.read(names, signal)) {
    signal.throwIfAborted()
    yield { ...convertBatch(batch, plan, options, wallClock, rowsBefore), bytesRead }
    rowsBefore += batch.rowCount
  }
}

function convertBatch(
  source: ColumnBatch,
  { columns: planned, extras }: ColumnPlan,
  options: Told,
  wallClock: WallClock,
  rowsBefore: number,
): { batch?: ColumnBatch; badRows: BadRow[] } {
  const { rowCount } = source
  const bad = createBadRows(rowCount)
  const columns: Record<string, Column> = {}
  for (const column of planned)
    columns[column.spec.name] = convertColumn(column, source.columns[column.field.name], rowCount, bad, wallClock)
  fillInstrument(columns, rowCount, options, bad)
  if (extras.length > 0)
    columns.vendor_data = vendorData(
      columns.vendor_data,
      extras.map(({ name }) => [name, source.columns[name]]),
      rowCount,
    )
  const good = Uint32Array.from({ length: rowCount }, (_, row) => row).filter(row => !bad.reasons.has(row))
  const ordinals = Float64Array.from(good, row => rowsBefore + row + 1)
  const whole = { rowCount, columns }
  const batch = fillRows(options.table, good.length === rowCount ? whole : keepRows(whole, good), ordinals, options)
  const badRows = [...bad.reasons]
    .sort(([a], [b]) => a - b)
    .map(([row, reason]) => ({ line: rowsBefore + row + 1, text: textOf(source, row), reason }))
  return { ...(good.length > 0 && { batch }), badRows }
}

function textOf(source: ColumnBatch, row: number): string {
  const cells = Object.entries(source.columns).map(([name, column]) => [
    name,
    column.nulls?.[row] ? null : cellText(column, row),
  ])
  return JSON.stringify(Object.fromEntries(cells)).slice(0, LONGEST_TEXT)
}

/** By columns that only one kind of data has. */
function guessTable(names: readonly string[]): LoadTable | undefined {
  if (names.includes('company_id') && names.includes('company_name')) return 'reference_data'
  if (names.includes('bid_price') || names.includes('ask_price')) return 'quotes'
  return names.includes('price') && names.includes('quantity') ? 'trades' : undefined
}

/** Said at once where every row would be bad for it. */
function checkAssetClass({ columns }: ColumnPlan, { table, exchange, assetClass }: Told): void {
  const has = (column: string) => columns.some(({ spec }) => spec.name === column)
  if (!TABLES[table].columns.some(({ name }) => name === 'asset_class') || assetClass !== undefined) return
  if (has('asset_class') || has('exchange') || exchangeOf(exchange!).assetClass) return
  throw new Failure(
    'INVALID_INPUT',
    `K2 does not know what is traded on ${exchange!.toUpperCase()}: say it with --asset-class ${ASSET_CLASSES.join('|')}.`,
  )
}

async function lookAt(path: string): Promise<{ size: number; head: Buffer; version: string }> {
  try {
    const { size, mtimeMs, ino } = await stat(path)
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0)
      return { size, head: buffer.subarray(0, bytesRead), version: `${size} ${mtimeMs} ${ino}` }
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw cannotRead(path, cause)
  }
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const bytes of createReadStream(path, { highWaterMark: HASH_CHUNK_BYTES, signal }))
      hash.update(bytes as Buffer)
  } catch (cause) {
    signal.throwIfAborted()
    throw cannotRead(path, cause)
  }
  return hash.digest('hex')
}

function changed(path: string): Failure {
  return new Failure(
    'CONFLICT',
    `${path} changed while it was read; nothing of it was kept. Load it again when it is finished.`,
  )
}
