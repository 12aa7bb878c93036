// Lets the simulated market run against the clock and into the log, in slices so short that the process stays responsive.
import { setImmediate, setTimeout } from 'node:timers/promises'
import { timestampText } from '../../../contract/columns.ts'
import type { DemoStatus } from '../../../contract/demo.ts'
import type { TailTable } from '../../../contract/tables.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import type { MessageLog } from '../../log/message-log.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../market/avro-schemas.ts'
import { instruments, setDensity } from './arrivals.ts'
import { createMessageColumns } from './columns.ts'
import { createMarket, fillMessages, marketMicros, nextMessageMicros, skipTo } from './market.ts'
import { createRateMeter } from '../../base/rate-meter.ts'
import { ensureTopics } from '../ensure-topics.ts'
import { createSender } from './send.ts'
import { createTopicBatches, demoTopics } from './topic-batches.ts'

export interface Pace {
  /** Messages per second of the clock. */
  rate: number
  /** Market seconds per second of the clock. */
  speed: number
}

/** Which schema a topic's messages are written with; the embedded one's where there is no registry. */
export type SchemaIdOf = (topic: string, table: TailTable) => Promise<number> | number

export interface DemoFeedOptions extends Pace {
  seed: number
  schemaIdOf?: SchemaIdOf
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
const SHORTEST_PAUSE_MS = { embedded: 4, kafka: 20 }
const LONGEST_PAUSE_MS = 100
/** Messages between two looks at the clock: about half a millisecond. */
const BATCH_MESSAGES = 256
/** Further behind, the market skips to where it should be: what a machine cannot produce is missing, never queued. */
const MOST_OFF_MS = 500

/** Creates the topics that are missing, then runs until it is stopped. */
export async function startDemoFeed(
  log: MessageLog,
  { seed, rate, speed, schemaIdOf = embeddedSchemaId }: DemoFeedOptions,
  clock: Clock = systemClock,
): Promise<DemoFeed> {
  const topics = demoTopics(instruments)
  await ensureTopics(log, topics.keys())
  const schemaIds = new Map<string, number>()
  for (const [topic, table] of topics) schemaIds.set(topic, await schemaIdOf(topic, table))

  const columns = createMessageColumns(BATCH_MESSAGES)
  const stopping = new AbortController()
  const meter = createRateMeter(clock.nowMs())
  const startMicros = clock.nowMicros()
  const market = createMarket({ seed, startMicros, density: rate / speed })
  let pace: Pace = { rate, speed }
  let anchor = { clockMicros: startMicros, marketMicros: startMicros }
  let messages = 0
  let running = true
  let failure: Error | undefined
  const sender = createSender(
    log,
    () => createTopicBatches(instruments, topic => schemaIds.get(topic)!),
    sent => {
      messages += sent
      meter.record(messages, clock.nowMs())
    },
    stopping.signal,
  )

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
    const batches = await sender.next()
    const due = dueMicros()
    const endMs = performance.now() + SLICE_MS
    let isFull = true
    while (isFull && performance.now() < endMs) {
      const count = fillMessages(market, columns, due)
      batches.encode(columns)
      isFull = count === columns.capacity
    }
    sender.send(batches)
    return isFull
  }

  /** Until the next message is due; wakes now and then, as the pace may have changed. */
  async function pause(): Promise<void> {
    const dueMs = (nextMessageMicros(market) - targetMicros()) / pace.speed / 1000
    const pauseMs = Math.min(Math.max(dueMs, SHORTEST_PAUSE_MS[log.kind]), LONGEST_PAUSE_MS)
    await setTimeout(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
  }

  async function run(): Promise<void> {
    try {
      while (!stopping.signal.aborted) {
        if (await runSlice()) await setImmediate()
        else await pause()
      }
      await sender.settled()
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
      why: running ? (sender.trouble()?.message ?? null) : null,
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

function embeddedSchemaId(_: string, table: TailTable): number {
  return EMBEDDED_SCHEMA_IDS[table]
}
