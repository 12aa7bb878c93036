// A lake in a folder of its own, with rows of ours in it, for tests of what is done to a whole table.
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { rowsOf, type Column, type ColumnBatch, type Row } from '../../src/contract/columns.ts'
import { TABLES, trades, type TableId } from '../../src/contract/tables.ts'
import type { Clock } from '../../src/main/base/clock.ts'
import { commitChange, type Committed } from '../../src/main/lake/commit/commit-change.ts'
import type { Change } from '../../src/main/lake/commit/change.ts'
import { openLake, type Lake } from '../../src/main/lake/lake.ts'
import { headOf } from '../../src/main/lake/iceberg/metadata.ts'
import type { Filter } from '../../src/main/lake/read/filter.ts'
import { planScan } from '../../src/main/lake/read/plan-scan.ts'
import { readScan, type ReadOptions } from '../../src/main/lake/read/scan.ts'
import { stageBatches } from '../../src/main/lake/write/stage-batches.ts'
import { makeTempFolder } from './temp-folder.ts'

export async function tempLake({
  folder = makeTempFolder(),
  clock,
  hasTables = true,
}: { folder?: string; clock?: Clock; hasTables?: boolean } = {}): Promise<Lake> {
  const lake = await openLake({
    warehouse: join(folder, 'warehouse'),
    catalog: { kind: 'sqlite', file: join(folder, 'warehouse', 'catalog.db') },
    s3: { cacheFolder: join(folder, 'cache') },
    tempFolder: join(folder, 'spill'),
    threads: 2,
    memoryMb: 256,
    clock,
  })
  onTestFinished(() => lake.close())
  if (hasTables) await lake.init()
  return lake
}

export interface Appended extends Committed {
  files: number
}

/** Stages and commits; `specId` 0 is the spec of a stream's small commits, one file a day. */
export async function append(
  lake: Lake,
  batch: ColumnBatch,
  { table: id = 'trades', specId = 1, ...change }: { table?: TableId; specId?: number } & Partial<Change> = {},
): Promise<Appended> {
  const table = lake.table(id)
  const { metadata } = await table.load()
  const connection = await lake.duck.connect()
  const added = await stageBatches({ connection, io: lake.io, metadata, specId, spec: TABLES[id], batches: [batch] })
  const committed = await commitChange(table, { operation: 'append', added, ...change })
  return { ...committed, files: added.length }
}

/** All rows at a snapshot, in the order of their message ids where nothing else is asked. */
export async function readRows(
  lake: Lake,
  {
    table: id = 'trades',
    snapshotId,
    filter = [] as Filter,
    orderBy = [{ column: 'message_id', direction: 'asc' }] as ReadOptions['orderBy'],
  }: { table?: TableId; snapshotId?: string; filter?: Filter; orderBy?: ReadOptions['orderBy'] } = {},
): Promise<Row[]> {
  const { metadata } = await lake.table(id).load()
  const at = snapshotId ?? headOf(metadata)?.['snapshot-id']
  if (at === undefined) return []
  const { io, cache } = lake
  const plan = await planScan({ metadata, snapshotId: at, filter, io, cache })
  const connection = await lake.duck.connect()
  return rowsOf(await readScan({ plan, io, connection, orderBy }))
}

export const DAY_MICROS = 86_400_000_000
/** 2014-03-10T00:00Z. */
export const START_MICROS = 1_394_409_600_000_000

/** Trades `from` … `from + count` of an endless tape: a few symbols, `perDay` of them a day. */
export function tradesBatch(from: number, count: number, { symbols = 7, perDay = 1_000 } = {}): ColumnBatch {
  const index = Array.from({ length: count }, (_, i) => from + i)
  const coded = (words: readonly string[], codeOf: (n: number) => number): Partial<Column> => ({
    words,
    values: Uint32Array.from(index, codeOf),
  })
  const unique = (name: string) =>
    coded(
      index.map(n => `${name}-${String(n).padStart(9, '0')}`),
      n => n - from,
    )
  const numbers = (of: (n: number) => number) => ({ values: Float64Array.from(index, of) })
  const columns: Record<string, Partial<Column>> = {
    message_id: unique('m'),
    trade_id: unique('t'),
    symbol: coded(
      Array.from({ length: symbols }, (_, i) => `SYM${i}`),
      n => n % symbols,
    ),
    exchange: coded(['ASX'], () => 0),
    asset_class: coded(['equities'], () => 0),
    exchange_timestamp: numbers(n => START_MICROS + Math.floor((n / perDay) * DAY_MICROS)),
    price: { scale: 8, ...numbers(n => 10_00000000 + (n % 977) * 500_000) },
    quantity: { scale: 8, ...numbers(n => (1 + (n % 13)) * 100_000_000) },
    currency: coded(['AUD'], () => 0),
    side: coded(['BUY', 'SELL'], n => n % 2),
    source_sequence: numbers(n => n),
    ingestion_timestamp: numbers(n => START_MICROS + n),
    _topic: coded(['market.equities.trades.asx'], () => 0),
    _partition: { values: Int32Array.from(index, n => n % 3) },
    _offset: numbers(n => Math.floor(n / 3)),
  }
  const absent = new Uint8Array(count).fill(1)
  const empty: Partial<Column> = { words: [null], values: new Uint8Array(count), nulls: absent }
  const entries = trades.columns.map(({ name, type }): [string, Column] => {
    const column =
      columns[name] ?? (type === 'list' || type === 'map' ? empty : { values: new Float64Array(count), nulls: absent })
    return [name, { type, ...column } as Column]
  })
  return { rowCount: count, columns: Object.fromEntries(entries) }
}
