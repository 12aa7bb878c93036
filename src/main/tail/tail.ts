// The tail: the last minutes of one kind of data in memory, to be asked and followed.
import { emptyBatch, type ColumnBatch } from '../../contract/columns.ts'
import { TAIL_TABLES, type AssetClass, type TailTable } from '../../contract/tables.ts'
import { createBell } from '../base/bell.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { createRateMeter } from '../base/rate-meter.ts'
import type { SchemaOf } from '../market/decode-wire.ts'
import type { LogBatch } from '../market/log-batch.ts'
import { createAppend, type Undecodable } from './append.ts'
import { followTail, type FollowBatch, type FollowQuery } from './follow.ts'
import { findRecent } from './recent.ts'
import { createGather, type Width } from './gather.ts'
import { createStore, evictOlder } from './store.ts'
import { countRows, type RowCounts } from './count-rows.ts'

export interface TailOptions {
  dataType: TailTable
  minutes: number
  maxPerSymbol: number
  maxMegabytes: number
  clock?: Clock
  /** What the ids in messages stand for; those of the embedded log when left out. */
  schemaOf?: SchemaOf
  onUndecodable?: (message: Undecodable) => void
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

export interface SymbolSeen {
  symbol: string
  exchange: string
  assetClass: AssetClass
  /** Exchange times, microseconds since 1970. */
  firstMicros: number
  lastMicros: number
  count: number
}

export interface Tail {
  readonly dataType: TailTable
  append(batch: LogBatch): void
  /** The newest rows of an instrument inside the window, ascending in the total order; none for one that is not known. */
  recent(query: RecentQuery, width?: Width): ColumnBatch
  follow(query: FollowQuery, signal: AbortSignal): AsyncIterable<FollowBatch>
  symbols(): SymbolSeen[]
  counts(): TailCounts
  /** Lets go of what is older than the minutes; done by itself too. */
  trim(): void
  /** Followers end. */
  close(): void
}

const MICROS_PER_MINUTE = 60e6
const TRIM_EVERY_MS = 5000
/** Readers are woken no more often: measured, batches of 25 to 50 ms are the cheapest for the page and still look live. */
const WAKE_EVERY_MS = 20

export function createTail(options: TailOptions): Tail {
  const { dataType, minutes, maxPerSymbol, maxMegabytes, schemaOf } = options
  const { clock = systemClock, onUndecodable = () => {} } = options
  const now = () => clock.nowMicros()
  const store = createStore(dataType, maxMegabytes * 1024 * 1024)
  const meter = createRateMeter(clock.nowMs())
  const gather = createGather(store, schemaOf)
  const appendBatch = createAppend(store, { now, schemaOf, onUndecodable })
  const bell = createBell()
  const wake = throttle(() => bell.ring(), WAKE_EVERY_MS)
  const trim = () => evictOlder(store, now() - minutes * MICROS_PER_MINUTE)
  const trimmer = setInterval(trim, TRIM_EVERY_MS)
  trimmer.unref()

  return {
    dataType,
    append(batch) {
      appendBatch(batch)
      meter.record(store.ring.head, clock.nowMs())
      trim()
      wake.call()
    },
    recent({ symbol, exchange, windowMinutes, limit }, width = 'all') {
      trim()
      const instrument = store.instruments.find(symbol, exchange)
      if (!instrument) return emptyBatch(TAIL_TABLES[dataType].columns)
      const sinceMicros = now() - windowMinutes * MICROS_PER_MINUTE
      return gather(findRecent(store, instrument, { sinceMicros, limit, maxPerSymbol }), width)
    },
    follow: (query, signal) => followTail({ store, bell, gather: rows => gather(rows, 'all') }, query, signal),
    symbols: () =>
      store.instruments.all.map(({ symbol, exchange, assetClass, firstTime, lastTime, appended }) => ({
        symbol,
        exchange,
        assetClass,
        firstMicros: firstTime,
        lastMicros: lastTime,
        count: appended,
      })),
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
function throttle(run: () => void, everyMs: number): { call(): void; cancel(): void } {
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
      const waitMs = lastMs + everyMs - performance.now()
      if (waitMs <= 0) runNow()
      else timer = setTimeout(runNow, waitMs)
    },
    cancel: () => clearTimeout(timer),
  }
}
