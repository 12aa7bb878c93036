// The tail: the last minutes of one kind of data in memory, to be asked and followed.
import { emptyBatch, type ColumnBatch } from '../../contract/columns.ts'
import { TAIL_TABLES, type TailTable } from '../../contract/tables.ts'
import { createBell } from '../base/bell.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { createRateMeter } from '../base/rate-meter.ts'
import type { SchemaOf } from '../market/decode-wire.ts'
import { createDedupe } from '../market/dedupe.ts'
import type { StandardBatch } from '../market/standard-batch.ts'
import type { SymbolCount } from '../market/symbol-count.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import { createAppend, type Undecodable } from './append.ts'
import { WAKE_EVERY_MS, type LoadLevel } from './conflate.ts'
import { followTail, type FollowBatch, type FollowQuery } from './follow.ts'
import { findRecent } from './recent.ts'
import { countFresh, type FreshSymbols } from './fresh-symbols.ts'
import { createGather, type Width } from './gather.ts'
import { roomFor } from './ring.ts'
import type { Rows } from './rows.ts'
import { skipTo, type LogTopic } from './places.ts'
import {
  findLost,
  findRowsFrom,
  findWhole,
  pinTail,
  type Lacking,
  type RowsFilter,
  type TailPosition,
} from './rows-from.ts'
import { createStore, evictOlder } from './store.ts'
import { countRows, type RowCounts } from './count-rows.ts'
import { createTierFinder, USUAL_TIERS, type MostTraded, type SymbolTiers } from './tiers.ts'
import { findMostTraded } from './volumes.ts'

export interface TailOptions {
  dataType: TailTable
  minutes: number
  maxPerSymbol: number
  maxMegabytes: number
  clock?: Clock
  /** What the ids in messages stand for; those of the embedded log when left out. */
  schemaOf?: SchemaOf
  /** Repeats within so many minutes of the log's time are dropped; none when 0 or left out. */
  dedupeMinutes?: number
  onUndecodable?: (message: Undecodable) => void
  /** Rows that memory drove out before they were in the tables. */
  onEvictedUncommitted?: (rows: number) => void
  /** How loaded this process is; always normal when left out. */
  level?: () => LoadLevel
  tiers?: SymbolTiers
  /** Of the trades, where this is a tail of quotes; its own when left out. */
  mostTraded?: MostTraded
  /** Rows that followers were not given under load; tiers count from 0, the most important. */
  onShed?: (tier: number, rows: number) => void
}

/** Where the log is read from in a partition. */
export interface TailStart {
  offset: number
  /** The log holds nothing before it. */
  isEarliest: boolean
}

export interface RowsFromAnswer {
  rows: ColumnBatch
  /** Whether the tail has every row from the boundary on, up to the pin. */
  holdsFrom: boolean
  /** Where it has not. */
  lacking: readonly Lacking[]
}

export interface RecentQuery {
  symbol: string
  exchange: string
  windowMinutes: number
  limit: number
}

export interface TailCounts extends RowCounts {
  /** Rows taken in a second, over the last seconds. */
  ratePerSecond: number
}

export interface Tail {
  readonly dataType: TailTable
  /** About how many messages of the usual size there is memory for. */
  readonly roomFor: number
  /** Before its first batch: which life of a topic is read, and from where. Again when the topic was made anew. */
  begin(topic: LogTopic, starts: ReadonlyMap<number, TailStart>): void
  append(batch: StandardBatch): void
  /** Knows these messages again when they are repeated, and takes in nothing: what lies before the start. */
  remember(batch: StandardBatch): void
  /** Messages of a partition that the log no longer holds: it goes on after them. */
  skip(topic: string, partition: number, offset: number): void
  /** How far the log is in the tables: what is not yet stays, as long as there is memory. */
  noteCommitted(vector: OffsetVector): void
  /** From where on a partition's messages are not in the tables; Infinity where nobody is known to write it, and nothing
   * while the tables have not been heard of. */
  uncommittedFrom: (topic: string, partition: number) => number | undefined
  /** The newest rows of an instrument inside the window, ascending in the total order; none for one that is not known. */
  recent(query: RecentQuery, width?: Width): ColumnBatch
  pin(): TailPosition
  /**
   * The newest `limit` rows from these offsets on and before the pin, ascending in the total order; a partition that the
   * boundary does not name is answered whole.
   */
  rowsFrom(boundary: OffsetVector, pin: TailPosition, filter: RowsFilter, limit: number, width?: Width): RowsFromAnswer
  /** From where on it has every message, by partition. */
  wholeFrom(): OffsetVector
  /** What is neither in the tables nor here, as far as it is known how far the tables are. */
  lost(): readonly Lacking[]
  follow(query: FollowQuery, signal: AbortSignal): AsyncIterable<FollowBatch>
  symbols(): SymbolCount[]
  mostTraded: MostTraded
  /** Of the rows from these offsets on only. */
  freshSymbols(boundary: OffsetVector, pin: TailPosition): FreshSymbols
  counts(): TailCounts
  /** Lets go of what is older than the minutes and in the tables; done by itself too. */
  trim(): void
  /** Followers end. */
  close(): void
}

const MICROS_PER_MINUTE = 60e6
const TRIM_EVERY_MS = 5000

export function createTail(options: TailOptions): Tail {
  const { dataType, minutes, maxPerSymbol, maxMegabytes, schemaOf, dedupeMinutes = 0 } = options
  const { clock = systemClock, onUndecodable = () => {}, onEvictedUncommitted = () => {} } = options
  const { level = () => 0 as const, tiers = USUAL_TIERS, onShed = () => {} } = options
  const now = () => clock.nowMicros()
  const store = createStore(dataType, maxMegabytes * 1024 * 1024, schemaOf)
  const meter = createRateMeter(clock.nowMs())
  const gather = createGather(store, schemaOf)
  const dedupe = dedupeMinutes > 0 ? createDedupe({ minutes: dedupeMinutes }) : undefined
  const taking = createAppend(store, { now, schemaOf, dedupe, onUndecodable })
  const bell = createBell()
  const wake = throttle(
    () => bell.ring(),
    () => WAKE_EVERY_MS[level()],
  )
  const trim = () => evictOlder(store, now() - minutes * MICROS_PER_MINUTE)
  const trimmer = setInterval(trim, TRIM_EVERY_MS)
  trimmer.unref()
  const { mostTraded = limit => findMostTraded(store, now(), limit) } = options
  const finder = createTierFinder(tiers, store.instruments, mostTraded, () => clock.nowMs())
  const conflation = { level, tiers: finder, onShed }
  const followTools = { store, bell, gather: (rows: Rows) => gather(rows, 'all'), conflation }

  return {
    dataType,
    roomFor: roomFor(store.ring),
    begin(topic, starts) {
      for (const [partition, { offset, isEarliest }] of starts) store.places.begin(topic, partition, offset, isEarliest)
    },
    append(batch) {
      const { evictedUncommitted } = store
      taking.append(batch)
      if (store.evictedUncommitted > evictedUncommitted)
        onEvictedUncommitted(store.evictedUncommitted - evictedUncommitted)
      meter.record(store.ring.head, clock.nowMs())
      trim()
      wake.call()
    },
    remember: taking.remember,
    skip(topic, partition, offset) {
      const place = store.places.current().find(known => known.topic === topic && known.partition === partition)
      if (!place) return
      store.skipped += Math.max(0, offset - place.nextOffset)
      skipTo(place, offset)
    },
    noteCommitted: vector => store.places.noteCommitted(vector),
    uncommittedFrom: store.places.uncommittedFrom,
    recent({ symbol, exchange, windowMinutes, limit }, width = 'all') {
      trim()
      const instrument = store.instruments.find(symbol, exchange)
      if (!instrument) return emptyBatch(TAIL_TABLES[dataType].columns)
      const sinceMicros = now() - windowMinutes * MICROS_PER_MINUTE
      return gather(findRecent(store, instrument, { sinceMicros, limit, maxPerSymbol }), width)
    },
    pin: () => pinTail(store),
    rowsFrom(boundary, pin, filter, limit, width = 'all') {
      const { rows, ...holds } = findRowsFrom(store, boundary, pin, filter, limit)
      return { rows: gather(rows, width), ...holds }
    },
    wholeFrom: () => findWhole(store),
    lost: () => findLost(store.places.current()),
    follow: (query, signal) => followTail(followTools, query, signal),
    symbols: () =>
      store.instruments.all.map(({ symbol, exchange, assetClass, firstTime, lastTime, appended }) => ({
        symbol,
        exchange,
        assetClass,
        firstMicros: firstTime,
        lastMicros: lastTime,
        count: appended,
      })),
    mostTraded,
    freshSymbols: (boundary, pin) => countFresh(store, boundary, pin),
    counts: () => ({ ...countRows(store), ratePerSecond: meter.perSecond(clock.nowMs()) }),
    trim,
    close() {
      store.isClosed = true
      clearInterval(trimmer)
      wake.cancel()
      bell.ring()
    },
  }
}

/** At once when the last call was long enough ago, else as soon as it is; calls in between are one. */
function throttle(run: () => void, everyMs: () => number): { call(): void; cancel(): void } {
  let timer: NodeJS.Timeout | undefined
  let lastMs = -Infinity
  const runNow = () => {
    timer = undefined
    lastMs = performance.now()
    run()
  }
  return {
    call() {
      if (timer) return
      const waitMs = lastMs + everyMs() - performance.now()
      if (waitMs <= 0) runNow()
      else timer = setTimeout(runNow, waitMs)
    },
    cancel: () => clearTimeout(timer),
  }
}
