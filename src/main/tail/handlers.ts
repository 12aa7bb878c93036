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
import type { SchemaOf } from '../market/decode-wire.ts'
import type { Standardize } from '../market/standard-batch.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import { parseTopic } from '../market/topics.ts'
import { createTopicChoice, type TopicChoice } from './choose-topics.ts'
import type { LoadLevel } from './conflate.ts'
import { listSymbols } from './list-symbols.ts'
import { createUndecodableReport } from './report-undecodable.ts'
import { runTail, type TailRun } from './run-tail.ts'
import { createTail, type RecentQuery, type Tail } from './tail.ts'
import { tailStats } from './tail-stats.ts'
import type { MostTraded, SymbolTiers } from './tiers.ts'
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
  /** Every topic of trades and quotes when left out. */
  topics?: TopicChoice
  /** What the ids in messages stand for, and how those in other forms become rows; the embedded log's when left out. */
  schemaOf?: SchemaOf
  standardize?: Standardize
  /** Window of repeats, the same as the writer's; none when left out. */
  dedupeMinutes?: number
  /** How far the log is in a table, asked once at the start; nothing where nobody writes. */
  startOffsets?: (table: TailTable) => Promise<OffsetVector | undefined>
  /** How loaded this process is, and which symbols matter most then. */
  level?: () => LoadLevel
  tiers?: SymbolTiers
  onEvictedUncommitted?: (rows: number) => void
  /** `tier` counts from 1, the most important. */
  onShed?: (shed: { tier: number; rows: number; reason: 'conflated' }) => void
}

export interface TailEngine {
  handlers: Pick<Handlers<K2>, 'trades.recent' | 'quotes.recent' | 'symbols.list' | 'tail.follow'>
  readonly tails: Readonly<Record<TailTable, Tail>>
  isRunning: (table: TailTable) => boolean
  caughtUp: (table: TailTable, withinMs: number) => Promise<boolean>
  /** After each commit that is heard of: how far the log is in the table now. */
  noteCommitted(table: TailTable, vector: OffsetVector): void
  /** See `Tail`; of a topic that no tail reads nothing is known to be written. */
  uncommittedFrom: Tail['uncommittedFrom']
  stats(): Promise<Record<TailTable, TailStats>>
  close(): Promise<void>
}

/** There are about three quotes to a trade. */
const MEMORY_SHARE: Record<TailTable, number> = { trades: 0.25, quotes: 0.75 }
/** Both tails share a slice: with the batch that ends it, the loop is held up for no more than 8 ms. */
const SLICE_MS = 5

export function tailHandlers(options: TailEngineOptions): TailEngine {
  const { log, settings, logger, clock = systemClock, standardize, schemaOf, dedupeMinutes, startOffsets } = options
  const { topics, level, tiers, onEvictedUncommitted, onShed } = options
  const { minutes, maxPerSymbol, maxMb } = settings
  const turns = createTurns(SLICE_MS)
  const onUndecodable = createUndecodableReport(logger, clock)
  const isWanted = topics && createTopicChoice(topics)

  const open = (dataType: TailTable, mostTraded?: MostTraded): { tail: Tail; run: TailRun } => {
    const tail = createTail({
      ...{
        dataType,
        minutes,
        maxPerSymbol,
        maxMegabytes: maxMb * MEMORY_SHARE[dataType],
        clock,
        schemaOf,
        dedupeMinutes,
      },
      ...{ onUndecodable, onEvictedUncommitted, level, tiers, mostTraded },
      onShed: onShed && ((tier, rows) => onShed({ tier: tier + 1, rows, reason: 'conflated' })),
    })
    const own = { startOffsets: startOffsets && (() => startOffsets(dataType)) }
    return {
      tail,
      run: runTail({ log, tail, minutes, dedupeMinutes, clock, logger, turns, isWanted, standardize, ...own }),
    }
  }
  const trades = open('trades')
  const quotes = open('quotes', trades.tail.mostTraded)
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
      why: whyPartial(of, minutes),
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
    tails,
    isRunning: table => ({ trades, quotes })[table].run.isRunning(),
    caughtUp: (table, withinMs) => ({ trades, quotes })[table].run.caughtUp(withinMs),
    noteCommitted: (table, vector) => tails[table].noteCommitted(vector),
    uncommittedFrom(topic, partition) {
      const table = parseTopic(topic)?.dataType
      return table === 'trades' || table === 'quotes' ? tails[table].uncommittedFrom(topic, partition) : Infinity
    },
    async stats() {
      const [ofTrades, ofQuotes] = await Promise.all([trades, quotes].map(({ tail, run }) => tailStats(tail, run)))
      return { trades: ofTrades, quotes: ofQuotes }
    },
    async close() {
      for (const { tail, run } of [trades, quotes]) {
        await run.stop()
        tail.close()
      }
    },
  }
}

/** The tail alone never has it all; what is missing in the tables too is said first. */
function whyPartial(of: Tail[], minutes: number): string {
  const lost = of.flatMap(tail => tail.lost()).reduce((sum, { from, to }) => sum + to - from, 0)
  const only = `Only the last ${minutes} minutes held in memory: the tables cannot be read at present.`
  if (lost === 0) return only
  return `${lost} messages are not in the tables yet and no longer in memory; raise K2_TAIL_MAX_MB, or wait for the writer.`
}
