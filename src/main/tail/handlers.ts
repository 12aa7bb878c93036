// The tail's slice of the contract: a tail of trades and one of quotes, kept full from one log.
import type { Handlers } from '../../contract/capability.ts'
import { timestampText } from '../../contract/columns.ts'
import type { QueryMeta } from '../../contract/fields.ts'
import type { K2 } from '../../contract/index.ts'
import type { TailStats } from '../../contract/system.ts'
import type { TailTable } from '../../contract/tables.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { MessageLog } from '../log/message-log.ts'
import { listSymbols } from './list-symbols.ts'
import { createUndecodableReport } from './report-undecodable.ts'
import { runTail, type TailRun } from './run-tail.ts'
import { createTail, type RecentQuery, type Tail } from './tail.ts'
import { tailStats } from './tail-stats.ts'
import { createTurns } from './turns.ts'

export interface TailSettings {
  minutes: number
  maxPerSymbol: number
  /** For trades and quotes together. */
  maxMb: number
}

export interface TailEngineOptions {
  log: MessageLog
  settings: TailSettings
  logger: Pick<Log, 'info' | 'warn'>
  clock?: Clock
}

export interface TailEngine {
  handlers: Pick<Handlers<K2>, 'trades.recent' | 'quotes.recent' | 'symbols.list' | 'tail.follow'>
  stats(): Promise<Record<TailTable, TailStats>>
  close(): Promise<void>
}

/** There are about three quotes to a trade. */
const MEMORY_SHARE: Record<TailTable, number> = { trades: 0.25, quotes: 0.75 }
/** Both tails share a slice: with the batch that ends it, the loop is held up for no more than 8 ms. */
const SLICE_MS = 5

export function tailHandlers({ log, settings, logger, clock = systemClock }: TailEngineOptions): TailEngine {
  const { minutes, maxPerSymbol, maxMb } = settings
  const turns = createTurns(SLICE_MS)
  const onUndecodable = createUndecodableReport(logger, clock)
  const why = `Only the last ${minutes} minutes held in memory: the live stream is not written to the tables yet.`

  const open = (dataType: TailTable): { tail: Tail; run: TailRun } => {
    const maxMegabytes = maxMb * MEMORY_SHARE[dataType]
    const tail = createTail({ dataType, minutes, maxPerSymbol, maxMegabytes, clock, onUndecodable })
    return { tail, run: runTail({ log, tail, minutes, clock, logger, turns }) }
  }
  const trades = open('trades')
  const quotes = open('quotes')
  const tails = { trades: trades.tail, quotes: quotes.tail }

  function recent(tail: Tail, query: RecentQuery) {
    const startedMs = performance.now()
    const data = tail.recent(query)
    return { data, query: provenance([tail], data.rowCount, startedMs) }
  }

  function provenance(of: Tail[], rows: number, startedMs: number): QueryMeta {
    const ms = Number((performance.now() - startedMs).toFixed(3))
    const newestMicros = Math.max(...of.map(tail => tail.counts().newestMicros ?? -Infinity))
    const isEmpty = newestMicros === -Infinity
    return {
      ms,
      engine: 'tail',
      snapshot_id: null,
      sources: { tail: { rows, ms } },
      watermark: isEmpty ? null : timestampText(newestMicros),
      freshness_ms: isEmpty ? null : Math.max(0, (clock.nowMicros() - newestMicros) / 1000),
      partial: true,
      why,
    }
  }

  return {
    handlers: {
      'trades.recent': ({ symbol, exchange, window_minutes: windowMinutes, limit }) =>
        recent(tails.trades, { symbol, exchange, windowMinutes, limit }),
      'quotes.recent': ({ symbol, exchange, window_minutes: windowMinutes, limit }) =>
        recent(tails.quotes, { symbol, exchange, windowMinutes, limit }),
      'symbols.list': ({ exchange }) => {
        const startedMs = performance.now()
        const data = listSymbols(tails, exchange)
        return { data, query: provenance([tails.trades, tails.quotes], data.length, startedMs) }
      },
      'tail.follow': ({ data_type: dataType, ...query }, { signal }) => tails[dataType].follow(query, signal),
    },
    async stats() {
      return { trades: await tailStats(trades.tail, trades.run), quotes: await tailStats(quotes.tail, quotes.run) }
    },
    async close() {
      for (const { tail, run } of [trades, quotes]) {
        await run.stop()
        tail.close()
      }
    },
  }
}
