// Keeps a tail full: reads every topic that is wanted from the log, also those that appear later, until it is stopped.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../contract/failure.ts'
import { aborted } from '../base/cancelled.ts'
import { inTime } from '../base/in-time.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { MessageLog } from '../log/message-log.ts'
import type { Standardize } from '../market/standard-batch.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import { createGoneTopics } from '../market/gone-topics.ts'
import { parseTopic } from '../market/topics.ts'
import type { LogTopic } from './places.ts'
import { beginReading, goOnAfterRemoved, newReading, readTopics, type Reading, type ReadTools } from './read-topics.ts'
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
  /** Why it is not, or which topics were deleted and are no longer read while the others are; nothing when all are read. */
  trouble(): string | undefined
  lags(): Promise<Lag[]>
  /** Whether it has read what the log held when it began: waits so long for that, at most, and not while it cannot read. */
  caughtUp(withinMs: number): Promise<boolean>
  stop(): Promise<void>
}

const LOOK_EVERY_MS = { embedded: 500, kafka: 2000 } as const
const RETRY_AFTER_MS = 250
/** In a line of the log. */
const MOST_NAMES = 3
/** The tables may be asked in a process that only starts; the live view must not wait for long. */
const START_WITHIN_MS = 10_000
/** A read that has not failed for so long goes well. */
const CALM_AFTER_MS = 1000
/** Whoever asks for metrics or health waits a second in all. */
const RANGES_WITHIN_MS = 500
const CAUGHT_UP_EVERY_MS = 10

export function runTail(options: RunOptions): TailRun {
  const { log, tail, logger, isWanted = () => true, startOffsets } = options
  const { standardize = batch => batch, dedupeMinutes = 0 } = options
  const stopping = new AbortController()
  const { signal } = stopping
  /** By topic, all in one read: one each would be a connection and a loop each, of hundreds. */
  const readings = new Map<string, Reading>()
  /** Of these, topics that were deleted: read no more until they are there again, as they would hold up the others. */
  const gone = createGoneTopics()
  /** Aborted to read on with other topics. */
  let restart = new AbortController()
  const troubles = new Map<string, string>()
  /** Where the log ended when a topic was begun, until it has been read up to there; nothing before the first look. */
  let toCatchUp: { reading: Reading; ends: ReadonlyMap<number, number> }[] | undefined
  let asked: Promise<OffsetVector | undefined> | undefined
  const committed = () => (asked ??= askInTime())
  const tools: ReadTools = {
    ...{ log, tail, minutes: options.minutes, clock: options.clock, logger, turns: options.turns },
    ...{ dedupeMinutes, standardize, committed },
    onTrouble: trouble => noteTrouble('reading', trouble),
  }

  async function askInTime(): Promise<OffsetVector | undefined> {
    try {
      return await inTime(START_WITHIN_MS, async () => startOffsets?.())
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
    noteGone(new Set(infos.map(({ name }) => name)))
    const fresh: LogTopic[] = []
    for (const { name, epoch } of infos) {
      const known = readings.get(name)?.topic
      if (known?.epoch === epoch && known.cluster === cluster) continue
      fresh.push({ cluster, epoch, topic: name })
      if (known) leave(name)
    }
    if (fresh.length > 0) await join(fresh)
    toCatchUp ??= []
  }

  function noteGone(there: ReadonlySet<string>): void {
    const { lost, back } = gone.learn(readings.keys(), there)
    for (const topic of lost) {
      const { next, latest } = readings.get(topic)!
      for (const [partition, offset] of next) latest.set(partition, offset)
      logger.warn(`${topic} is gone from the log; what the tail holds of it stays, and the others go on`, { topic })
    }
    if (lost.length + back.length > 0) restart.abort()
  }

  /** The others are read on meanwhile, also when nobody can tell yet where to begin in these. */
  async function join(topics: LogTopic[]): Promise<void> {
    const joining = topics.map(newReading)
    await beginReading(tools, joining)
    logger.info(`Tailing ${namesOf(joining)}`, { topics: topics.map(({ topic }) => topic) })
    for (const reading of joining) readings.set(reading.topic.topic, reading)
    toCatchUp = [...(toCatchUp ?? []), ...joining.map(reading => ({ reading, ends: new Map(reading.latest) }))]
    restart.abort()
  }

  /** A topic that was deleted and made again has nothing in common with the one before but its name. */
  function leave(topic: string): void {
    logger.warn(`${topic} was made anew in the log; the tail begins anew in it`, { topic })
    readings.delete(topic)
    restart.abort()
  }

  async function readAll(): Promise<void> {
    do {
      restart = new AbortController()
      const until = AbortSignal.any([signal, restart.signal])
      const there = [...readings.values()].filter(({ topic: { topic } }) => !gone.has(topic))
      if (there.length > 0) await readOnce(there, until)
      else {
        noteTrouble('reading', undefined)
        await aborted(until)
      }
    } while (restart.signal.aborted && !signal.aborted)
  }

  async function readOnce(all: Reading[], until: AbortSignal): Promise<void> {
    const before = troubles.get('reading')
    // On a quiet topic nothing else says that it is read again.
    const calm = setTimeout(() => {
      if (before !== undefined && troubles.get('reading') === before) noteTrouble('reading', undefined)
    }, CALM_AFTER_MS)
    try {
      await readTopics(tools, all, until)
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'OFFSET_OUT_OF_RANGE') throw error
      await goOnAfterRemoved(tools, all, error.details ?? {})
    } finally {
      clearTimeout(calm)
    }
  }

  function noteTrouble(what: 'topics' | 'reading', error: Error | undefined): void {
    if (!error) return void troubles.delete(what)
    const name = what === 'topics' ? what : namesOf([...readings.values()])
    if (!troubles.has(what)) logger.warn(`Tailing ${name} failed and is tried again`, { error })
    troubles.set(what, error.message)
  }

  /** Again and again until stopped: what a log cannot do now it can do later. */
  async function persist(what: 'topics' | 'reading', run: () => Promise<void>, pauseMs: number): Promise<void> {
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

  function isCaughtUp(): boolean {
    toCatchUp = toCatchUp?.filter(({ reading: { topic, next }, ends }) => {
      const isRead = readings.get(topic.topic)?.topic === topic && !gone.has(topic.topic)
      return isRead && [...ends].some(([partition, end]) => (next.get(partition) ?? 0) < end)
    })
    return toCatchUp?.length === 0
  }

  function goneInWords(): string | undefined {
    const names = gone.names()
    return names.length > 0 ? `Deleted while it was read, what is held of it stays: ${names.join(', ')}.` : undefined
  }

  async function lagsOf({ topic: { topic }, next, latest }: Reading): Promise<Lag[]> {
    try {
      for (const range of await inTime(RANGES_WITHIN_MS, () => log.ranges(topic)))
        latest.set(range.partition, range.latest)
    } catch {
      // What was last heard has to do.
    }
    return [...latest].map(([partition, end]) => {
      const nextOffset = next.get(partition) ?? end
      return { topic, partition, nextOffset, lag: Math.max(0, end - nextOffset) }
    })
  }

  const running = [
    persist('topics', lookForTopics, LOOK_EVERY_MS[log.kind]),
    persist('reading', readAll, RETRY_AFTER_MS),
  ]

  return {
    isRunning: () => !signal.aborted && troubles.size === 0,
    trouble: () => (signal.aborted ? 'It was stopped.' : ([...troubles.values()][0] ?? goneInWords())),
    lags: async () => (await Promise.all([...readings.values()].map(lagsOf))).flat(),
    async caughtUp(withinMs) {
      const untilMs = performance.now() + withinMs
      while (!isCaughtUp() && performance.now() < untilMs && troubles.size === 0 && !signal.aborted)
        await sleep(CAUGHT_UP_EVERY_MS)
      return isCaughtUp()
    },
    async stop() {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

function namesOf(readings: readonly Reading[]): string {
  const names = readings.map(({ topic: { topic } }) => topic)
  const more = names.length - MOST_NAMES
  return more > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more` : names.join(', ')
}
