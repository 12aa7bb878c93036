// Keeps a tail full: reads every topic of its kind of data from the log, also those that appear later, until it is stopped.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../contract/failure.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { MessageLog } from '../log/message-log.ts'
import { parseTopic } from '../market/topics.ts'
import type { Tail } from './tail.ts'
import type { Turns } from './turns.ts'

export interface RunOptions {
  log: MessageLog
  tail: Tail
  /** How far back it begins. */
  minutes: number
  clock: Clock
  logger: Pick<Log, 'info' | 'warn'>
  turns: Turns
}

export interface Lag {
  topic: string
  partition: number
  /** Where reading goes on. */
  nextOffset: number
  /** Messages in the log from there on. */
  lag: number
}

export interface TailRun {
  /** False once stopped, and while a topic cannot be read. */
  isRunning(): boolean
  lags(): Promise<Lag[]>
  stop(): Promise<void>
}

const LOOK_EVERY_MS = 500
const RETRY_AFTER_MS = 250

/** By partition, where reading goes on. */
type Offsets = Map<number, number>

export function runTail({ log, tail, minutes, clock, logger, turns }: RunOptions): TailRun {
  const stopping = new AbortController()
  const { signal } = stopping
  const topics = new Map<string, Offsets>()
  const failing = new Set<string>()
  const readers: Promise<void>[] = []

  async function lookForTopics(): Promise<void> {
    for (const { name } of await log.topics()) {
      if (topics.has(name) || parseTopic(name)?.dataType !== tail.dataType) continue
      logger.info(`Tailing ${name}`, { topic: name })
      topics.set(name, new Map())
      readers.push(persist(name, () => readTopic(name), RETRY_AFTER_MS))
    }
  }

  async function readTopic(topic: string): Promise<void> {
    const offsets = topics.get(topic)!
    if (offsets.size === 0) {
      const start = await log.offsetsAt(topic, clock.nowMicros() - minutes * 60e6)
      for (const [partition, offset] of start) offsets.set(partition, offset)
    }
    for await (const batch of log.read({
      topics: [topic],
      from: (_, partition) => offsets.get(partition) ?? 'earliest',
      signal,
    })) {
      tail.append(batch)
      offsets.set(batch.partition, batch.nextOffset)
      failing.delete(topic)
      await turns()
    }
  }

  /** Again and again until stopped: what a log cannot do now it can do later. */
  async function persist(what: string, run: () => Promise<void>, pauseMs: number): Promise<void> {
    while (!signal.aborted) {
      try {
        await run().catch(skipRemoved)
        failing.delete(what)
      } catch (error) {
        if (!failing.has(what)) logger.warn(`Tailing ${what} failed and is tried again`, { error })
        failing.add(what)
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {})
    }
  }

  /** Retention was faster than the tail: it goes on with what there is, and says what it never saw. */
  async function skipRemoved(error: unknown): Promise<void> {
    if (!(error instanceof Failure) || error.code !== 'OFFSET_OUT_OF_RANGE') throw error
    for (const [topic, offsets] of topics)
      for (const { partition, earliest, latest } of await log.ranges(topic)) {
        const next = offsets.get(partition) ?? earliest
        if (next >= earliest && next <= latest) continue
        offsets.set(partition, earliest)
        const fields = { topic, partition, from_offset: next, to_offset: earliest }
        logger.warn('The log no longer holds what the tail had yet to read; it goes on after it', fields)
      }
  }

  const looking = persist('topics', lookForTopics, LOOK_EVERY_MS)

  return {
    isRunning: () => !signal.aborted && failing.size === 0,
    async lags() {
      const all = [...topics].map(async ([topic, offsets]) => {
        const ranges = await log.ranges(topic)
        return ranges.map(({ partition, latest }) => {
          const nextOffset = offsets.get(partition) ?? latest
          return { topic, partition, nextOffset, lag: Math.max(0, latest - nextOffset) }
        })
      })
      return (await Promise.all(all)).flat()
    },
    async stop() {
      stopping.abort()
      await Promise.all([looking, ...readers])
    },
  }
}
