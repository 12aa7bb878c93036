// A log in memory, a real lake in a folder that is as far in it as a test says, and a real tail that is as far as a test says:
// what a hybrid answer is made of, moved by hand.
import { onTestFinished } from 'vitest'
import { rowsOf, type ColumnBatch } from '../../src/contract/columns.ts'
import type { Client } from '../../src/contract/capability.ts'
import type { TailTable } from '../../src/contract/tables.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { lakeReads } from '../../src/main/lake/reads.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import type { OffsetVector } from '../../src/main/market/topic-offsets.ts'
import { createHybrid, type ReadHybrid } from '../../src/main/query/hybrid/read-hybrid.ts'
import { openPool } from '../../src/main/query/pool.ts'
import type { QueryTools } from '../../src/main/query/tools.ts'
import { tailContract } from '../../src/main/tail/relay-contract.ts'
import { relayTailHandlers } from '../../src/main/tail/relay-handlers.ts'
import { createTail, type Tail, type TailOptions } from '../../src/main/tail/tail.ts'
import { connectDirect } from '../../src/main/wire/direct.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { append, tempLake, type Appended } from './lake.ts'
import { logBatch, type SampleRow } from './market-messages.ts'
import { manualClock, MINUTE, type ManualClock } from './tail.ts'
import { makeTempFolder } from './temp-folder.ts'

export interface HybridPlaceOptions {
  table?: TailTable
  partitions?: number
  tail?: Partial<TailOptions>
}

export interface HybridPlace {
  clock: ManualClock
  lake: Lake
  tools: QueryTools
  /** By partition, what was written to the log; the place in the list is the offset. */
  log: SampleRow[][]
  tail: () => Tail
  /** By partition, how far the tail has read. */
  read: number[]
  /** By partition, how far the log is in the table. */
  committed: number[]
  /** Replaced by a test, it is what answers for the live view. */
  live: { ask: () => Promise<Client<typeof tailContract>> }
  vector: (next: readonly number[], epoch?: string) => OffsetVector
  write: (partition: number, rows: readonly SampleRow[]) => void
  /** The tail reads on up to these offsets, to the end of the log where none are said. */
  readTo: (next?: readonly number[]) => void
  commitTo: (next: readonly number[]) => Promise<Appended>
  compact: () => Promise<void>
  /** A tail in the place of the one before, that begins at these offsets. */
  restartTail: (from: readonly number[]) => void
  /** Rows of a partition as columns. */
  rowsOf: (partition: number, from: number, to: number) => ColumnBatch
  ask: (changes?: Partial<Parameters<ReadHybrid>[0]>) => ReturnType<ReadHybrid>
  readHybrid: ReadHybrid
}

export const LIFE = { cluster: 'c', epoch: 'e' }

export async function openHybridPlace(options: HybridPlaceOptions = {}): Promise<HybridPlace> {
  const { table = 'trades', partitions = 2, tail: tailOptions } = options
  const topic = `market.equities.${table}.asx`
  const clock = manualClock()
  const lake = await tempLake({ clock })
  const pool = await openPool({ size: 2, timeoutMs: 30_000, memoryMb: 256, tempFolder: makeTempFolder() })
  onTestFinished(() => pool.close())
  const log = Array.from({ length: partitions }, (): SampleRow[] => [])
  const read = log.map(() => 0)
  const committed = log.map(() => 0)
  const lifeOf = (epoch: string) => ({ ...LIFE, epoch, topic })
  const vector = (next: readonly number[], epoch = LIFE.epoch): OffsetVector => [
    { ...lifeOf(epoch), next: Object.fromEntries(next.entries()) },
  ]
  const newTail = () =>
    createTail({ dataType: table, minutes: 2, maxPerSymbol: 10_000, maxMegabytes: 16, clock, ...tailOptions })
  let tail: Tail | undefined
  onTestFinished(() => tail?.close())

  const place: HybridPlace = {
    ...{ clock, lake, log, read, committed, vector },
    tail: () => tail!,
    tools: { reads: lakeReads(lake), pool, live: () => place.live.ask(), clock },
    live: {
      ask() {
        const tails = { trades: tail!, quotes: tail! }
        const dispatch = createDispatch(
          tailContract,
          relayTailHandlers({ tails, isRunning: () => true, caughtUp: () => Promise.resolve(true) }),
        )
        return Promise.resolve(connectDirect(tailContract, dispatch))
      },
    },
    write: (partition, rows) => void log[partition].push(...rows),
    readTo(next = log.map(rows => rows.length)) {
      next.forEach((end, partition) => {
        const offset = read[partition]
        if (end <= offset) return
        tail!.append(logBatch(table, log[partition].slice(offset, end), { topic, partition, offset }))
        read[partition] = end
      })
    },
    async commitTo(next) {
      const parts = next.map((end, partition) => place.rowsOf(partition, committed[partition], end))
      const offsets = { from: vector(committed), to: vector(next) }
      const from = committed.every(offset => offset === 0) ? [] : offsets.from
      const change = { table, specId: 0, offsets: { ...offsets, from }, validThroughMicros: clock.micros }
      const done = await append(lake, joined(parts), change)
      next.forEach((end, partition) => (committed[partition] = end))
      tail!.noteCommitted(vector(committed))
      return done
    },
    async compact() {
      await compactTable(lake, lake.table(table), { minFiles: 2 })
    },
    restartTail(from) {
      tail?.close()
      tail = newTail()
      const starts = from.map((offset, partition) => [partition, { offset, isEarliest: offset === 0 }] as const)
      tail.begin(lifeOf(LIFE.epoch), new Map(starts))
      from.forEach((offset, partition) => (read[partition] = offset))
      tail.noteCommitted(vector(committed))
    },
    rowsOf: (partition, from, to) =>
      columnsOf(table, { topic, partition, offset: from }, log[partition].slice(from, to)),
    ask: changes =>
      place.readHybrid({
        table,
        symbols: ['BHP'],
        exchange: 'asx',
        sinceMicros: clock.micros - 15 * MINUTE,
        limit: 1000,
        ...changes,
      }),
    readHybrid: undefined as never,
  }
  place.readHybrid = createHybrid(place.tools)
  place.restartTail(log.map(() => 0))
  return place
}

/** Decoded by the product, whole. */
export function columnsOf(
  table: TailTable,
  at: { topic: string; partition: number; offset: number },
  rows: readonly SampleRow[],
): ColumnBatch {
  const decoder = createTail({ dataType: table, minutes: 1e6, maxPerSymbol: 1e6, maxMegabytes: 64 })
  try {
    decoder.append(logBatch(table, rows, at))
    return decoder.rowsFrom([], decoder.pin(), {}, Math.max(1, rows.length)).rows
  } finally {
    decoder.close()
  }
}

/** One after the other; words may repeat. */
export function joined(batches: readonly ColumnBatch[]): ColumnBatch {
  const filled = batches.filter(({ rowCount }) => rowCount > 0)
  if (filled.length < 2) return filled[0] ?? batches[0]
  const rowCount = filled.reduce((sum, batch) => sum + batch.rowCount, 0)
  const columns = Object.keys(filled[0].columns).map(name => {
    const parts = filled.map(batch => batch.columns[name])
    const words = parts[0].words && parts.flatMap(part => [...part.words!])
    let first = 0
    const values = parts.flatMap(part => {
      const own = Array.from(part.values as ArrayLike<number>, value => (words ? value + first : value))
      first += part.words?.length ?? 0
      return own
    })
    const nulls = parts.some(part => part.nulls)
      ? Uint8Array.from(filled.flatMap((batch, i) => Array.from(parts[i].nulls ?? new Uint8Array(batch.rowCount))))
      : undefined
    return [
      name,
      { ...parts[0], values: Float64Array.from(values), ...(words && { words }), ...(nulls && { nulls }) },
    ] as const
  })
  return { rowCount, columns: Object.fromEntries(columns) }
}

export const idsIn = (batch: ColumnBatch) => rowsOf(batch).map(row => (row.trade_id ?? row.quote_id) as string)

/** The newest of the log's rows before these offsets, in the total order, by the model alone. */
export function expectedIds(
  log: readonly (readonly SampleRow[])[],
  isIn: (partition: number, offset: number) => boolean,
  { symbol = 'BHP', sinceMicros, limit }: { symbol?: string; sinceMicros: number; limit: number },
): string[] {
  return log
    .flatMap((rows, partition) => rows.map((row, offset) => ({ ...row, partition, offset })))
    .filter(row => isIn(row.partition, row.offset) && row.symbol === symbol && row.micros >= sinceMicros)
    .sort(
      (a, b) =>
        a.micros - b.micros ||
        (a.sequence ?? Infinity) - (b.sequence ?? Infinity) ||
        a.partition - b.partition ||
        a.offset - b.offset,
    )
    .slice(-limit)
    .map(({ id }) => String(id))
}

/** The same lake as another engine writes to it: without any key of ours. */
export function asForeign(lake: Lake): Lake {
  const table: Lake['table'] = id => {
    const own = lake.table(id)
    const commit: typeof own.catalog.commit = (name, base, requirements, updates) =>
      own.catalog.commit(
        name,
        base,
        requirements,
        updates.map(update =>
          update.action === 'add-snapshot'
            ? { ...update, snapshot: { ...update.snapshot, summary: { operation: update.snapshot.summary.operation } } }
            : update,
        ),
      )
    return { ...own, catalog: { ...own.catalog, commit } }
  }
  return { ...lake, table }
}

/** As rows of a file are: without a place in the log. */
export function withoutPlace({ rowCount, columns }: ColumnBatch): ColumnBatch {
  const nulls = new Uint8Array(rowCount).fill(1)
  const { _topic, _partition, _offset, ...rest } = columns
  const emptied = Object.entries({ _topic, _partition, _offset }).map(
    ([name, column]) => [name, { ...column, nulls }] as const,
  )
  return { rowCount, columns: { ...rest, ...Object.fromEntries(emptied) } }
}
