// The live half, composed: the log, the demo market that fills it, the tails that read it. Runs in a process of its own.
import { join } from 'node:path'
import { z } from 'zod'
import { call } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import { contract } from '../../contract/index.ts'
import type { TailStats } from '../../contract/system.ts'
import type { TailTable } from '../../contract/tables.ts'
import type { Config } from '../config/settings.ts'
import { timeLimit } from '../base/in-time.ts'
import { createLog, logRequests } from '../base/log.ts'
import { levelNumber } from '../base/load-level.ts'
import { watchLoad } from '../base/watch-load.ts'
import type { Engines } from '../host/engine-dispatch.ts'
import { followCommits } from './follow-commits.ts'
import { lakeOptions } from './lake-options.ts'
import { openLakeHeads } from '../lake/heads.ts'
import type { HeldFrom } from '../log/embedded-memory.ts'
import { createEmbeddedLog } from '../log/embedded.ts'
import { logContract } from '../log/relay-contract.ts'
import { relayLogHandlers } from '../log/relay-handlers.ts'
import { countRequests } from '../metrics/count-requests.ts'
import { exchangeOf } from '../market/exchanges.ts'
import { createMetrics, type Metrics } from '../metrics/metrics.ts'
import { isOnKafka, openLog, type LogEvent } from './open-log.ts'
import { countLogEvent, countProducing } from './producer-metrics.ts'
import { binanceEngine } from '../sources/binance/handlers.ts'
import { demoHandlers } from '../sources/demo/handlers.ts'
import { tailHandlers } from '../tail/handlers.ts'
import { tailContract } from '../tail/relay-contract.ts'
import { relayTailHandlers } from '../tail/relay-handlers.ts'
import { tailLag } from './tail-lag.ts'
import { writerNeeds } from './writer-needs.ts'
import { topicChoice } from './writer-settings.ts'

/** Its share of the contract, what main asks of it to answer `stats.get` and `/health`, and its log for the writer. */
export const liveContract = {
  'trades.recent': contract['trades.recent'],
  'quotes.recent': contract['quotes.recent'],
  'symbols.list': contract['symbols.list'],
  'tail.follow': contract['tail.follow'],
  'ingest.stream': contract['ingest.stream'],
  'demo.start': contract['demo.start'],
  'demo.stop': contract['demo.stop'],
  'demo.status': contract['demo.status'],
  'tail.stats': call({
    summary: 'What the tails hold',
    input: z.strictObject({}),
    output: z.custom<Record<TailTable, TailStats>>(value => typeof value === 'object'),
  }),
  'load.simulate': call({
    summary: 'Weigh so many more messages as unread, to show what load does; 0 ends it',
    input: z.strictObject({ lag: z.int().min(0) }),
    output: z.strictObject({}),
  }),
  ...logContract,
  ...tailContract,
  ...writerNeeds,
}

/** The whole app on defaults stays within 2 GB; this process holds nearly all of it. */
const BUDGET_MB = 1_500
/** A catalog that is slower is asked again later; the tail then begins at its minutes. */
const START_OFFSETS_MS = 3_000

export interface LiveOptions {
  config: Config
  /** Where the log file goes; none when left out. */
  logFolder?: string
  /** The embedded log outlives this process; not where it is opened for a command that ends. */
  keepsLog?: boolean
}

export async function startLive({
  config,
  logFolder,
  keepsLog = false,
}: LiveOptions): Promise<Engines<typeof liveContract>> {
  const log = createLog({ ...config.log, environment: config.environment, service: 'k2-live', folder: logFolder })
  const metrics = createMetrics({ environment: config.environment, service: 'k2-live' })
  const isWriting = config.ingest.writer !== 'off'
  let uncommittedFrom: HeldFrom = () => undefined
  const embedded = () =>
    createEmbeddedLog({
      maxBytes: config.tail.maxMb * 1e6,
      heldFrom: isWriting ? (topic, partition) => uncommittedFrom(topic, partition) : undefined,
      folder: keepsLog ? join(config.profile, 'log') : undefined,
      onWarning: why => log.warn(why),
    })
  const onLogEvent = (event: LogEvent) => countLogEvent(metrics, event)
  const opened = countProducing(await openLog(config, log.child({ component: 'log' }), embedded, onLogEvent), metrics)
  const demo = demoHandlers(opened.log, opened.schemaIdOf)
  const heads = await openLakeHeads(lakeOptions(config))
  const { topics, pattern } = topicChoice(config)
  const tail = tailHandlers({
    log: opened.log,
    standardize: opened.standardize,
    schemaOf: opened.schemaOf,
    settings: config.tail,
    dedupeMinutes: config.ingest.dedupeMinutes,
    topics: { names: topics, pattern },
    tiers: config.ingest.symbolTiers,
    startOffsets: table => heads.offsets(table, timeLimit(START_OFFSETS_MS)),
    level: () => levelNumber(load.level()),
    logger: log.child({ component: 'tail' }),
    onEvictedUncommitted: rows => metrics.add('k2_tail_evicted_uncommitted_total', rows),
    onShed: ({ tier, rows, reason }) =>
      metrics.add('k2_messages_shed_total', rows, { symbol_tier: String(tier), reason }),
  })
  uncommittedFrom = tail.uncommittedFrom
  const following = followCommits({ heads, onOffsets: (table, vector) => tail.noteCommitted(table, vector), log })
  const binance = binanceEngine({
    log: () => Promise.resolve(opened.log),
    schemaIdOf: opened.schemaIdOf,
    symbols: [...config.binance.symbols],
    websocketUrl: config.binance.websocketUrl,
    folder: join(config.profile, 'binance'),
    metrics,
    logger: log.child({ component: 'binance' }),
  })
  const logRequest = logRequests(log)
  const countRequest = countRequests(metrics)
  let simulatedLag = 0
  const load = watchLoad({
    budgetMb: BUDGET_MB,
    async lag() {
      const lag = await tailLag(tail)
      return lag === undefined ? undefined : simulatedLag + lag
    },
    onChange({ level, previous, lag, memoryShare }) {
      metrics.set('k2_degradation_level', levelNumber(level))
      const transition = { from_level: levelNumber(previous), to_level: levelNumber(level) }
      metrics.add('k2_degradation_transitions_total', 1, transition)
      if (transition.to_level > transition.from_level) metrics.add('k2_backpressure_events_total', 1, { level })
      log.warn('load level changed', { level, previous, lag, memory_share: Number(memoryShare.toFixed(3)) })
    },
  })

  return {
    handlers: {
      ...tail.handlers,
      ...demo.handlers,
      ...(!mayBeSimulated(config) && { 'demo.start': refuseDemo }),
      ...binance.handlers,
      ...relayLogHandlers(opened.log),
      ...relayTailHandlers(tail),
      'gaps.refill'({ exchange, symbol, data_type: dataType, from, to }) {
        const isOurs = exchange === exchangeOf('BINANCE').name && dataType === 'trades'
        return { requested: isOurs ? binance.refill(symbol, { from, to }) : 0 }
      },
      'tail.committed'({ table, offsets }) {
        tail.noteCommitted(table, offsets)
        return {}
      },
      'tail.stats': () => tail.stats(),
      'load.simulate'({ lag }) {
        simulatedLag = lag
        return {}
      },
    },
    async metrics() {
      fillTailMetrics(metrics, await tail.stats())
      return metrics.json()
    },
    observe(end) {
      logRequest(end)
      countRequest(end)
      if (end.name.endsWith('.recent') || end.name === 'tail.fresh')
        metrics.observe('k2_tail_query_duration_seconds', end.elapsedMs / 1000)
    },
    async close() {
      load.close()
      // What fills the log before the log.
      await Promise.all([demo.close(), binance.close()])
      await following.close()
      await tail.close()
      await opened.close()
      await heads.close()
      log.close()
      return []
    },
  }
}

/** What somebody else's Kafka holds is taken for real. */
function mayBeSimulated(config: Config): boolean {
  return !isOnKafka(config) || config.environment === 'dev'
}

function refuseDemo(): never {
  const what = 'The simulated market is not written to a Kafka that is not for development; nothing was sent.'
  throw new Failure('FORBIDDEN', `${what} Set K2_ENVIRONMENT to dev if this one is, or leave K2_KAFKA_BROKERS empty.`)
}

function fillTailMetrics(metrics: Metrics, { trades, quotes }: Record<TailTable, TailStats>): void {
  const sum = (of: (stats: TailStats) => number) => of(trades) + of(quotes)
  const oldest = [trades.oldest, quotes.oldest].filter(time => time !== null).map(time => Date.parse(time))
  metrics.set(
    'k2_tail_messages',
    sum(stats => stats.held_messages),
  )
  metrics.set(
    'k2_tail_bytes',
    sum(stats => stats.bytes),
  )
  metrics.set('k2_tail_symbols', Math.max(trades.symbols_count, quotes.symbols_count))
  metrics.set('k2_tail_oldest_seconds', oldest.length > 0 ? (Date.now() - Math.min(...oldest)) / 1000 : 0)
}
