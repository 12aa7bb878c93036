// Lets the simulated market run against the clock and into the log, in slices so short that the process stays responsive.
import { setImmediate, setTimeout } from 'node:timers/promises'
import { timestampText } from '../../../contract/columns.ts'
import type { DemoStatus } from '../../../contract/demo.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import type { MessageLog } from '../../log/message-log.ts'
import { instruments, setDensity } from './arrivals.ts'
import { createMessageColumns } from './columns.ts'
import { createMarket, fillMessages, marketMicros, nextMessageMicros, skipTo } from './market.ts'
import { createRateMeter } from '../../base/rate-meter.ts'
import { clearBatch, createTopicBatches, producedOf } from './topic-batches.ts'

export interface Pace {
  /** Messages per second of the clock. */
  rate: number
  /** Market seconds per second of the clock. */
  speed: number
}

export interface DemoFeedOptions extends Pace {
  seed: number
}

export interface DemoFeed {
  status(): DemoStatus
  setPace(pace: Pace): void
  /** Resolves when what was produced is in the log, and nothing follows it. */
  stop(): Promise<void>
  /** Why it ended by itself, if it did. */
  failure(): Error | undefined
}

/** Work between two breaths of the event loop; the log's share comes on top. */
const SLICE_MS = 4
const SHORTEST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 100
/** Messages between two looks at the clock: about half a millisecond. */
const BATCH_MESSAGES = 256
/** Further behind, the market skips to where it should be: what a machine cannot produce is missing, never queued. */
const MOST_OFF_MS = 500

/** Creates its topics, then runs until it is stopped. */
export async function startDemoFeed(
  log: MessageLog,
  { seed, ...firstPace }: DemoFeedOptions,
  clock: Clock = systemClock,
): Promise<DemoFeed> {
  const batches = createTopicBatches(instruments)
  await log.createTopics(batches.all.map(({ topic, partitions }) => ({ name: topic, partitions })))

  const columns = createMessageColumns(BATCH_MESSAGES)
  const stopping = new AbortController()
  const meter = createRateMeter(clock.nowMs())
  const startMicros = clock.nowMicros()
  const market = createMarket({ seed, startMicros, density: firstPace.rate / firstPace.speed })
  let pace = firstPace
  let anchor = { clockMicros: startMicros, marketMicros: startMicros }
  let messages = 0
  let running = true
  let failure: Error | undefined

  /** Where the market should be now. */
  const targetMicros = () => anchor.marketMicros + (clock.nowMicros() - anchor.clockMicros) * pace.speed

  /** From now on the market goes on from where it is. */
  function dropAnchor(): void {
    anchor = { clockMicros: clock.nowMicros(), marketMicros: marketMicros(market) }
  }

  /** Up to when messages are due, after the market has given up what it cannot make good. */
  function dueMicros(): number {
    const mostOffMicros = MOST_OFF_MS * 1000 * pace.speed
    const target = targetMicros()
    if (target - nextMessageMicros(market) > mostOffMicros) skipTo(market, target)
    // The clock was set back: market time must not be, nor stand still until it is caught up with.
    else if (marketMicros(market) - target > mostOffMicros) dropAnchor()
    return targetMicros()
  }

  /** True when there is more to do at once. */
  async function runSlice(): Promise<boolean> {
    const due = dueMicros()
    const endMs = performance.now() + SLICE_MS
    let produced = 0
    let isFull = true
    while (isFull && performance.now() < endMs) {
      const count = fillMessages(market, columns, due)
      batches.encode(columns)
      produced += count
      isFull = count === columns.capacity
    }
    const filled = batches.all.filter(({ values }) => values.count > 0)
    await Promise.all(filled.map(batch => log.append(batch.topic, producedOf(batch))))
    filled.forEach(clearBatch)
    messages += produced
    meter.record(messages, clock.nowMs())
    return isFull
  }

  /** Until the next message is due; wakes now and then, as the pace may have changed. */
  async function pause(): Promise<void> {
    const dueMs = (nextMessageMicros(market) - targetMicros()) / pace.speed / 1000
    const pauseMs = Math.min(Math.max(dueMs, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS)
    await setTimeout(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
  }

  async function run(): Promise<void> {
    try {
      while (!stopping.signal.aborted) {
        if (await runSlice()) await setImmediate()
        else await pause()
      }
    } catch (error) {
      failure = error as Error
    } finally {
      running = false
    }
  }
  const ended = run()

  return {
    status: () => ({
      running,
      seed,
      ...pace,
      messages,
      actual_rate: running ? meter.perSecond(clock.nowMs()) : 0,
      market_time: timestampText(marketMicros(market)),
    }),
    setPace(next) {
      skipTo(market, targetMicros())
      dropAnchor()
      pace = next
      setDensity(market.arrivals, pace.rate / pace.speed)
    },
    async stop() {
      stopping.abort()
      await ended
    },
    failure: () => failure,
  }
}
