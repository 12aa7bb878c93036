// Keeps a tail full: reads every topic that is wanted from the log, also those that appear later, until it is stopped.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../contract/failure.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { MessageLog } from '../log/message-log.ts'
import type { Standardize } from '../market/standard-batch.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import { parseTopic } from '../market/topics.ts'
import type { LogTopic } from './places.ts'
import { goOnAfterRemoved, newReading, readTopics, type Reading, type ReadTools } from './read-topics.ts'
import type { Tail } from './tail.ts'
import type { Turns } from './turns.ts'

export interface RunOptions {
  log: MessageLog
  tail: Tail
  /** How far back it begins. */
  minutes: number
  /** As the tail has them. */
  dedupeMinutes?: number
  clock: Clock
  logger: Pick<Log, 'info' | 'warn'>
  turns: Turns
  /** Of the topics of its kind of data, those it reads; all when left out. */
  isWanted?: (topic: string) => boolean
  /** Messages are rows in wire format already when left out. */
  standardize?: Standardize
  /** How far the log is in the tables, so that the tail begins there; nothing where nobody writes. */
  startOffsets?: () => Promise<OffsetVector | undefined>
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
  /** Why it is not; nothing while it is. */
  trouble(): string | undefined
  lags(): Promise<Lag[]>
  stop(): Promise<void>
}

/** Topics that are read in one go. */
interface Group {
  name: string
  readings: Reading[]
  /** Aborted to read anew. */
  restart: AbortController
}

const LOOK_EVERY_MS = { embedded: 500, kafka: 2000 } as const
const RETRY_AFTER_MS = 250
/** The tables may be asked in a process that only starts; the live view must not wait for long. */
const START_WITHIN_MS = 10_000
/** A read that has not failed for so long goes well. */
const CALM_AFTER_MS = 1000
/** Whoever asks for metrics or health waits a second in all. */
const RANGES_WITHIN_MS = 500

export function runTail(options: RunOptions): TailRun {
  const { log, tail, logger, isWanted = () => true, startOffsets } = options
  const { standardize = batch => batch, dedupeMinutes = 0 } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const topics = new Map<string, { reading: Reading; group: Group }>()
  const troubles = new Map<string, string>()
  const readers: Promise<void>[] = []
  let asked: Promise<OffsetVector | undefined> | undefined
  const committed = () => (asked ??= askInTime())

  async function askInTime(): Promise<OffsetVector | undefined> {
    try {
      return await within(START_WITHIN_MS, startOffsets?.() ?? Promise.resolve(undefined))
    } catch (error) {
      const what = `How far the tables are cannot be told; the tail begins ${options.minutes} minutes back`
      logger.warn(what, { error: error as Error })
      return undefined
    }
  }

  async function lookForTopics(): Promise<void> {
    const infos = (await log.topics()).filter(
      ({ name }) => parseTopic(name)?.dataType === tail.dataType && isWanted(name),
    )
    const cluster = infos.length > 0 ? await log.cluster() : ''
    const fresh: LogTopic[] = []
    for (const { name, epoch } of infos) {
      const known = topics.get(name)
      if (!known) fresh.push({ cluster, epoch, topic: name })
      else if (known.reading.topic.epoch !== epoch || known.reading.topic.cluster !== cluster)
        readAnew(known, { cluster, epoch, topic: name })
    }
    if (fresh.length > 0) readGroup(fresh)
  }

  function readGroup(all: LogTopic[]): void {
    const readings = all.map(newReading)
    const group: Group = { name: all.map(({ topic }) => topic).join(', '), readings, restart: new AbortController() }
    for (const reading of readings) topics.set(reading.topic.topic, { reading, group })
    logger.info(`Tailing ${group.name}`)
    readers.push(persist(group.name, () => readOnce(group), RETRY_AFTER_MS))
  }

  async function readOnce(group: Group): Promise<void> {
    const tools: ReadTools = {
      ...{ log, tail, minutes: options.minutes, clock: options.clock, logger, turns: options.turns },
      ...{ dedupeMinutes, standardize, committed },
      onTrouble: trouble => noteTrouble(group.name, trouble),
    }
    group.restart = new AbortController()
    const before = troubles.get(group.name)
    // On a quiet topic nothing else says that it is read again.
    const calm = setTimeout(() => {
      if (before !== undefined && troubles.get(group.name) === before) noteTrouble(group.name, undefined)
    }, CALM_AFTER_MS)
    try {
      await readTopics(tools, group.readings, AbortSignal.any([signal, group.restart.signal]))
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'OFFSET_OUT_OF_RANGE') throw error
      await goOnAfterRemoved(tools, group.readings)
    } finally {
      clearTimeout(calm)
    }
  }

  /** A topic that was deleted and made again has nothing in common with the one before but its name. */
  function readAnew(known: { reading: Reading; group: Group }, topic: LogTopic): void {
    logger.warn(`${topic.topic} was made anew in the log; the tail begins anew in it`, { topic: topic.topic })
    const { group } = known
    const place = group.readings.indexOf(known.reading)
    known.reading = group.readings[place] = newReading(topic)
    group.restart.abort()
  }

  function noteTrouble(what: string, error: Error | undefined): void {
    if (!error) return void troubles.delete(what)
    if (!troubles.has(what)) logger.warn(`Tailing ${what} failed and is tried again`, { error })
    troubles.set(what, error.message)
  }

  /** Again and again until stopped: what a log cannot do now it can do later. */
  async function persist(what: string, run: () => Promise<void>, pauseMs: number): Promise<void> {
    while (!signal.aborted) {
      try {
        await run()
        noteTrouble(what, undefined)
      } catch (error) {
        noteTrouble(what, error as Error)
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {})
    }
  }

  /** Of a topic that was not begun yet nobody can tell where reading goes on. */
  async function lagsOf({ topic: { topic }, next, latest }: Reading): Promise<Lag[]> {
    if (next.size === 0) return []
    try {
      for (const range of await within(RANGES_WITHIN_MS, log.ranges(topic))) latest.set(range.partition, range.latest)
    } catch {
      // What was last heard has to do.
    }
    return [...latest].map(([partition, end]) => {
      const nextOffset = next.get(partition) ?? end
      return { topic, partition, nextOffset, lag: Math.max(0, end - nextOffset) }
    })
  }

  const looking = persist('topics', lookForTopics, LOOK_EVERY_MS[log.kind])

  return {
    isRunning: () => !signal.aborted && troubles.size === 0,
    trouble: () => (signal.aborted ? 'It was stopped.' : [...troubles.values()][0]),
    lags: async () => (await Promise.all([...topics.values()].map(({ reading }) => lagsOf(reading)))).flat(),
    async stop() {
      stopping.abort()
      await Promise.all([looking, ...readers])
    },
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = new AbortController()
  const limit = sleep(ms, undefined, { signal: late.signal }).then(() => {
    throw new Failure('TIMEOUT', `No answer within ${ms / 1000} s.`)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    late.abort()
    limit.catch(() => {})
  }
}
