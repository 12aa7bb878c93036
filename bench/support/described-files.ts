// Data files as commits and plans see them, thousands of them without a byte behind any: described like real ones.
import { randomUUID } from 'node:crypto'
import type { DataFile } from '../../src/main/lake/iceberg/data-file.ts'
import { encodeValue } from '../../src/main/lake/iceberg/single-value.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import type { OffsetVector } from '../../src/main/market/topic-offsets.ts'
import { stageBatches } from '../../src/main/lake/write/stage-batches.ts'
import { TABLES } from '../../src/contract/tables.ts'
import { createTape } from './tape.ts'

const LOG_PARTITIONS = 60
const DAY_MICROS = 86_400_000_000n

/** One real file of each bucket, as a flush of a few thousand trades makes them; the files themselves are gone. */
export async function describedFlush(lake: Lake): Promise<DataFile[]> {
  const table = lake.table('trades')
  const { metadata } = await table.load()
  const connection = await lake.duck.connect()
  const batches = [createTape({ rows: 5000 }).next(5000)]
  const files = await stageBatches({ connection, io: lake.io, metadata, specId: 1, spec: TABLES.trades, batches })
  connection.closeSync()
  await Promise.all(files.map(({ path }) => lake.io.remove(path)))
  return files
}

/** The same under other names. */
export function renamed(files: readonly DataFile[]): DataFile[] {
  return files.map(file => ({ ...file, path: file.path.replace(/[^/]+$/, `00000-0-${randomUUID()}.parquet`) }))
}

/** The same some days later: partition, path and the bounds of time are that day's. */
export function onDay(files: readonly DataFile[], timeId: number, days: number): DataFile[] {
  return renamed(files).map(file => {
    const day = Number(file.partition[0]) + days
    const from = BigInt(day) * DAY_MICROS
    return {
      ...file,
      path: file.path.replace(
        /exchange_date=[^/]+/,
        `exchange_date=${new Date(day * 86_400_000).toISOString().slice(0, 10)}`,
      ),
      partition: [day, ...file.partition.slice(1)],
      lowerBounds: new Map(file.lowerBounds).set(timeId, encodeValue('timestamptz', from + 1000n)),
      upperBounds: new Map(file.upperBounds).set(timeId, encodeValue('timestamptz', from + DAY_MICROS - 1000n)),
    }
  })
}

/** Two topics of thirty partitions each, as far as they are after so many commits. */
export function offsetsAfter(commits: number): OffsetVector {
  const next = Object.fromEntries(
    Array.from({ length: LOG_PARTITIONS / 2 }, (_, partition) => [
      partition,
      1_234_567 + partition * 31 + commits * 333,
    ]),
  )
  return ['trades', 'quotes'].map(type => ({
    cluster: 'MkU3OEVBNTcwNTJENDM2Qk',
    epoch: '0',
    topic: `market.equities.${type}.asx`,
    next,
  }))
}
