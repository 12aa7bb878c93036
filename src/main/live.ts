// The live half, composed: the log, the demo market that fills it, the tails that read it. Runs in a process of its own.
import { z } from 'zod'
import { call } from '../contract/capability.ts'
import { contract } from '../contract/index.ts'
import type { TailStats } from '../contract/system.ts'
import type { TailTable } from '../contract/tables.ts'
import type { Config } from './config/settings.ts'
import { createLog, logRequests } from './base/log.ts'
import { levelNumber } from './base/load-level.ts'
import { watchLoad } from './base/watch-load.ts'
import type { Engines } from './host/engine-dispatch.ts'
import { createEmbeddedLog } from './log/embedded.ts'
import { countRequests } from './metrics/count-requests.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { demoHandlers } from './sources/demo/handlers.ts'
import { tailHandlers } from './tail/handlers.ts'

/** Its share of the contract, and what main asks of it to answer `stats.get` and `/health`. */
export const liveContract = {
  'trades.recent': contract['trades.recent'],
  'quotes.recent': contract['quotes.recent'],
  'symbols.list': contract['symbols.list'],
  'tail.follow': contract['tail.follow'],
  'demo.start': contract['demo.start'],
  'demo.stop': contract['demo.stop'],
  'demo.status': contract['demo.status'],
  'tail.stats': call({
    summary: 'What the tails hold',
    input: z.strictObject({}),
    output: z.custom<Record<TailTable, TailStats>>(value => typeof value === 'object'),
  }),
}

/** The whole app on defaults stays within 2 GB; this process holds nearly all of it. */
const BUDGET_MB = 1_500

export interface LiveOptions {
  config: Config
  /** Where the log file goes; none when left out. */
  logFolder?: string
}

export async function startLive({ config, logFolder }: LiveOptions): Promise<Engines<typeof liveContract>> {
  const log = createLog({ ...config.log, environment: config.environment, service: 'k2-live', folder: logFolder })
  const metrics = createMetrics({ environment: config.environment, service: 'k2-live' })
  const messages = createEmbeddedLog({ maxBytes: config.tail.maxMb * 1e6 })
  const demo = demoHandlers(messages)
  const tail = tailHandlers({ log: messages, settings: config.tail, logger: log.child({ component: 'tail' }) })
  const logRequest = logRequests(log)
  const countRequest = countRequests(metrics)
  const load = watchLoad({
    budgetMb: BUDGET_MB,
    lag: async () => lagOf(await tail.stats()),
    onChange({ level, previous, lag, memoryShare }) {
      metrics.set('k2_degradation_level', levelNumber(level))
      const transition = { from_level: levelNumber(previous), to_level: levelNumber(level) }
      metrics.add('k2_degradation_transitions_total', 1, transition)
      log.warn('load level changed', { level, previous, lag, memory_share: Number(memoryShare.toFixed(3)) })
    },
  })

  return {
    handlers: { ...tail.handlers, ...demo.handlers, 'tail.stats': () => tail.stats() },
    async metrics() {
      fillTailMetrics(metrics, await tail.stats())
      return metrics.json()
    },
    observe(end) {
      logRequest(end)
      countRequest(end)
      if (end.name.endsWith('.recent')) metrics.observe('k2_tail_query_duration_seconds', end.elapsedMs / 1000)
    },
    async close() {
      load.close()
      await demo.close()
      await tail.close()
      await messages.close()
      log.close()
      return []
    },
  }
}

function lagOf({ trades, quotes }: Record<TailTable, TailStats>): number {
  return [...trades.partitions, ...quotes.partitions].reduce((sum, { lag }) => sum + lag, 0)
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
