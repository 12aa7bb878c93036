// The slice of the contract that takes an exchange's stream in.
import type { Handlers } from '../../../contract/capability.ts'
import type { writer } from '../../../contract/writer.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import { followReports } from '../follow-reports.ts'
import { NO_LOG, NO_METRICS, type BinanceLog, type BinanceMetrics } from './observe.ts'
import { runBinanceStream, type StreamOptions, type StreamTotals } from './stream.ts'

export interface BinanceOptions extends Pick<
  StreamOptions,
  'websocketUrl' | 'restUrl' | 'ca' | 'folder' | 'maxSpillBytes' | 'timing' | 'schemaIdOf'
> {
  /** Opened when the stream is wanted. */
  log: () => Promise<StreamOptions['log']>
  /** Followed when the caller names none. */
  symbols: readonly string[]
  clock?: Clock
  metrics?: BinanceMetrics
  logger?: BinanceLog
}

export function binanceHandlers({
  log,
  symbols: usual,
  clock = systemClock,
  metrics = NO_METRICS,
  logger = NO_LOG,
  ...options
}: BinanceOptions): Pick<Handlers<typeof writer>, 'ingest.stream'> {
  return {
    async *'ingest.stream'({ symbols = usual, max_messages: maxMessages }, { signal }) {
      const startMs = performance.now()
      const answer = (totals: StreamTotals) => ({
        ...totals,
        duration_seconds: Math.round(performance.now() - startMs) / 1000,
      })
      const wanted = {
        ...options,
        log: await log(),
        symbols: [...new Set(symbols.map(symbol => symbol.toUpperCase()))],
        maxMessages,
        clock,
        metrics,
        logger,
      }
      // A caller that aborts is given the totals too, where it still listens.
      yield* followReports<ReturnType<typeof answer>>(async (reports, stop) => {
        const totals = await runBinanceStream(wanted, passing => reports.put(answer(passing), false), stop)
        reports.put(answer(totals), true)
      }, signal)
    },
  }
}
