// One symbol's window of time out of a lake's trades, planned and read into columns. Run by itself, it does so as the
// first thing a process does, and prints the milliseconds.
import type { DuckDBConnection } from '@duckdb/node-api'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import { headOf } from '../../src/main/lake/iceberg/metadata.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { planScan, type ScanPlan } from '../../src/main/lake/read/plan-scan.ts'
import { readScan } from '../../src/main/lake/read/scan.ts'
import { localLakeOptions, withLake } from './bench-lake.ts'
import { DAY_MICROS, TAPE_START_MICROS } from './tape.ts'
import { elapsedMsOf } from './timing.ts'

/** Microseconds of the tape's day. */
export interface TimeWindow {
  symbol: string
  from: number
  to: number
}

export const WINDOW_COLUMNS = ['exchange_timestamp', 'price', 'quantity']

export async function planWindow({ table, io, cache }: Lake, { symbol, from, to }: TimeWindow): Promise<ScanPlan> {
  const { metadata } = await table('trades').known()
  const snapshotId = headOf(metadata)!['snapshot-id']
  const filter = [
    { column: 'symbol', op: '=', value: symbol },
    { column: 'exchange_timestamp', op: '>=', value: BigInt(TAPE_START_MICROS + from) },
    { column: 'exchange_timestamp', op: '<', value: BigInt(TAPE_START_MICROS + to) },
  ] as const
  return planScan({ metadata, snapshotId, filter, io, cache })
}

export async function readWindow(
  lake: Lake,
  connection: DuckDBConnection,
  window: TimeWindow,
  columns?: readonly string[],
): Promise<ColumnBatch> {
  return readScan({ plan: await planWindow(lake, window), io: lake.io, connection, columns })
}

const [, script, folder, symbol] = process.argv
if (script === import.meta.filename) {
  await withLake(localLakeOptions(folder), async lake => {
    const connection = await lake.duck.connect()
    const window = { symbol, from: 0, to: DAY_MICROS }
    console.log(await elapsedMsOf(() => readWindow(lake, connection, window, WINDOW_COLUMNS)))
  })
}
