// The slice of the contract that takes an exchange's stream in.
import type { Handlers } from '../../../contract/capability.ts'
import type { writer } from '../../../contract/writer.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import { followReports } from '../follow-reports.ts'
import { NO_LOG, NO_METRICS, type BinanceLog, type BinanceMetrics } from './observe.ts'
import { runBinanceStream, type Refill, type StreamOptions, type StreamTotals } from './stream.ts'

type StreamInput = Parameters<Handlers<typeof writer>['ingest.stream']>[0]

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

type Stream = Pick<Handlers<typeof writer>, 'ingest.stream'>

export interface BinanceEngine {
  handlers: Stream
  /** Of trades that are missing in the tables: how many of them a stream that runs fetches once more. */
  refill: Refill
  /** Ends the streams that run; afterwards all they have taken in is in the log or on the disk. */
  close: () => Promise<void>
}

export function binanceEngine({
  log,
  symbols: usual,
  clock = systemClock,
  metrics = NO_METRICS,
  logger = NO_LOG,
  ...options
}: BinanceOptions): BinanceEngine {
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  const refills = new Set<Refill>()

  async function* stream({ symbols, max_messages: maxMessages }: StreamInput, signal: AbortSignal) {
    const startMs = performance.now()
    const answer = (totals: StreamTotals) => ({
      ...totals,
      duration_seconds: Math.round(performance.now() - startMs) / 1000,
    })
    const wanted = {
      ...options,
      log: await log(),
      symbols: [...new Set((symbols ?? usual).map(symbol => symbol.toUpperCase()))],
      maxMessages,
      clock,
      metrics,
      logger,
    }
    // A caller that aborts is given the totals too, where it still listens.
    yield* followReports<ReturnType<typeof answer>>(
      async (reports, stop) => {
        let refill: Refill | undefined
        const onRefill = (given: Refill) => void refills.add((refill = given))
        const run = runBinanceStream({ ...wanted, onRefill }, passing => reports.put(answer(passing), false), stop)
        running.add(run)
        const ended = run.finally(() => {
          running.delete(run)
          if (refill) refills.delete(refill)
        })
        reports.put(answer(await ended), true)
      },
      AbortSignal.any([signal, closing.signal]),
    )
  }

  return {
    handlers: { 'ingest.stream': (input, { signal }) => stream(input, signal) },
    refill: (symbol, gap) => [...refills].reduce((sum, refill) => sum + refill(symbol, gap), 0),
    async close() {
      closing.abort()
      await Promise.allSettled(running)
    },
  }
}
