// The contract answered from synthetic rows, so that the page can be judged alone: under load, and when its server fails.
import type { Handlers } from '../../src/contract/capability.ts'
import { emptyBatch, timestampText } from '../../src/contract/columns.ts'
import type { DemoStatus } from '../../src/contract/demo.ts'
import { Failure } from '../../src/contract/failure.ts'
import type { QueryMeta } from '../../src/contract/fields.ts'
import type { K2 } from '../../src/contract/index.ts'
import type { TailStats } from '../../src/contract/system.ts'
import { trades as tradesTable } from '../../src/contract/tables.ts'
import type { SyntheticMarket } from './synthetic-market.ts'
import { plainHandlers } from './plain-handlers.ts'
import { plainWriter } from './plain-stream.ts'

export interface PageLoad {
  market: SyntheticMarket
  /** Another one means that cursors from before are no longer known. */
  epoch: number
  isRunning: boolean
  tradesPerSecond: number
  /** Shown as the simulated market; else the rows come from elsewhere. */
  isDemo: boolean
  /** Resolves when rows have been added. */
  nextTick(): Promise<void>
  /** How long an answer waits; for a slow server. */
  answerAfterMs: number
  partialBecause: string | null
}

export function pageHandlers(load: PageLoad, startedAtMs: number): Handlers<K2> {
  const { market } = load
  const slow = async <T>(answer: () => T): Promise<T> => {
    if (load.answerAfterMs > 0) await new Promise(resolve => setTimeout(resolve, load.answerAfterMs))
    return answer()
  }
  const status = (): DemoStatus => ({
    running: load.isRunning && load.isDemo,
    seed: 1,
    rate: load.tradesPerSecond,
    speed: 1,
    messages: market.trades.time.length,
    actual_rate: load.isRunning ? load.tradesPerSecond : 0,
    why: null,
    market_time: market.trades.time.length > 0 ? timestampText(market.trades.time.at(-1)!) : null,
  })
  const query = (): QueryMeta => ({
    ms: 0.4,
    engine: 'tail',
    snapshot_id: null,
    sources: { tail: { rows: market.listings.length, ms: 0.4 } },
    watermark: null,
    freshness_ms: null,
    partial: load.partialBecause !== null,
    why: load.partialBecause,
  })
  const recent = () => slow(() => ({ data: emptyBatch(tradesTable.columns), query: query() }))

  return {
    ...plainHandlers(), // what the page does not ask for
    'system.health': () => slow(() => ({ status: 'healthy' as const, dependencies: [] })),
    'system.live': () => slow(() => ({ status: 'alive' as const, uptime_seconds: (Date.now() - startedAtMs) / 1000 })),
    'system.about': () =>
      slow(() => ({
        name: 'K2 Workstation' as const,
        version: '0.0.0',
        environment: 'test',
        started_at: timestampText(startedAtMs * 1000),
        log: 'embedded' as const,
      })),
    'config.get': () => slow(() => []),
    'stats.get': () =>
      slow(() => ({
        tail: { trades: tailStats(load), quotes: tailStats(load) },
        tables: null,
        writer: plainWriter,
        processes: [],
      })),
    'demo.status': () => slow(status),
    'demo.start': ({ rate }) =>
      slow(() => {
        Object.assign(load, { isRunning: true, isDemo: true, tradesPerSecond: rate })
        return status()
      }),
    'demo.stop': () =>
      slow(() => {
        load.isRunning = false
        return status()
      }),
    'trades.recent': recent,
    'quotes.recent': recent,
    'symbols.list': () => slow(() => ({ data: symbolRows(load), query: query() })),
    async *'tail.follow'({ data_type, symbols, after, backlog }, { signal }) {
      const log = market[data_type]
      const [epoch, place] = after?.split(':').map(Number) ?? [load.epoch, undefined]
      if (epoch !== load.epoch) throw new Failure('OFFSET_OUT_OF_RANGE', 'That cursor is of an earlier log.')
      let at = place ?? backlogStart(load, data_type, backlog, symbols)
      while (!signal.aborted) {
        const end = log.time.length
        if (end > at) {
          const rows = market.batch(data_type, at, end, symbols)
          at = end
          if (rows.rowCount > 0) {
            const newest_at = timestampText(log.arrivedAtMs[end - 1] * 1000)
            yield { rows, cursor: `${load.epoch}:${end}`, missed: 0, newest_at }
            continue
          }
        }
        await load.nextTick()
      }
    },
  }
}

function backlogStart(
  load: PageLoad,
  table: 'trades' | 'quotes',
  backlog: number,
  symbols?: readonly string[],
): number {
  const log = load.market[table]
  let at = log.time.length
  for (let found = 0; at > 0 && found < backlog; at--) {
    if (!symbols || symbols.includes(load.market.listings[log.listing[at - 1]].symbol)) found++
  }
  return at
}

function symbolRows({ market, isRunning }: PageLoad) {
  const { time, listing } = market.trades
  if (time.length === 0 && !isRunning) return []
  const seen = timestampText(time[0] ?? 0)
  const counts = new Map<number, number>()
  for (const at of listing) counts.set(at, (counts.get(at) ?? 0) + 1)
  return market.listings.map(({ symbol, exchange, assetClass, companyName }, at) => ({
    symbol,
    exchange,
    asset_class: assetClass,
    first_seen: seen,
    last_seen: seen,
    trades: counts.get(at) ?? 0,
    quotes: counts.get(at) ?? 0,
    company_name: companyName,
  }))
}

function tailStats({ market, tradesPerSecond, isRunning }: PageLoad): TailStats {
  const { time } = market.trades
  const [oldest, newest] = [time[0], time.at(-1)]
  return {
    is_running: true,
    symbols_count: market.listings.length,
    total_messages: time.length,
    held_messages: time.length,
    buffer_minutes: oldest === undefined ? 0 : (newest! - oldest) / 60e6,
    bytes: time.length * 100,
    oldest: oldest === undefined ? null : timestampText(oldest),
    newest: newest === undefined ? null : timestampText(newest),
    rate_per_second: isRunning ? tradesPerSecond : 0,
    undecodable: 0,
    duplicates: 0,
    skipped: 0,
    evicted_uncommitted: 0,
    trouble: null,
    partitions: [],
  }
}
