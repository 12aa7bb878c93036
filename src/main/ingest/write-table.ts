// One table's stream: its topics are read, taken in and flushed, the next rows while the last ones are being committed.
// Started from what the table says; ended by a stop, by what it may not pass, or by what cannot be mended here.
import type { BreakerName } from '../base/breaker.ts'
import { createBell } from '../base/bell.ts'
import { Failure } from '../../contract/failure.ts'
import { isCancelled } from './commit-flush.ts'
import { createHold } from './hold.ts'
import { flushTable } from './flush-table.ts'
import { createGoneTopics } from '../market/gone-topics.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { DataType } from '../market/topics.ts'
import type { Budget } from './budget.ts'
import { openTopics } from './open-topics.ts'
import { endAtWhatIsRead, vectorOf, type TopicStream } from './places.ts'
import { heldIn, readTopics, type Asked } from './read-topics.ts'
import type { TableContext, TableTotals } from './table-context.ts'
import { movedTo } from './vectors.ts'
import type { WriterOptions } from './writer-options.ts'

export interface TableWriter {
  readonly table: DataType
  readonly totals: TableTotals
  streams: () => readonly TopicStream[]
  /** Begins to read these; none of them is being read yet. */
  add: (topics: readonly string[]) => void
  /** The topics of a look: one that is gone is read no more and holds up no other; one that is back is read on,
   * and one that was not there when it was to be opened is opened. */
  learnTopics: (there: ReadonlySet<string>) => void
  /** Those that were deleted while they were read. */
  gone: () => readonly string[]
  /** Those that were not there when they were to be opened. */
  awaited: () => readonly string[]
  isStarting: () => boolean
  /** Why it waits just now. */
  waitingFor: () => unknown
  /** Reads no more, and commits what it has. Ends at once, with what it has left undone, when `now` aborts. */
  stop: (now: AbortSignal) => Promise<void>
  /** Takes no more from the log, but whatever was claimed, and commits it. */
  finish: () => void
  /** The same, and fails with this then. */
  fail: (error: Failure) => void
  /** How far the log is in the table, as this writer has found and made it. */
  said: () => OffsetVector
  /** Rows taken in that are in no commit. */
  unfinished: () => number
  /** Resolves when stopped; rejects with what ended it. */
  done: Promise<void>
}

export function writeTable(table: DataType, budget: Budget, options: WriterOptions): TableWriter {
  const { logger, settings, events = {} } = options
  const dying = new AbortController()
  const reading = new AbortController()
  const leaving = new AbortController()
  const waits = new Map<BreakerName, unknown>()
  const readers = new Set<Promise<void>>()
  let opening = 0
  /** All in one read: one each would be a connection and a loop each, of topics that come one after the other. */
  const opened: string[] = []
  const gone = createGoneTopics()
  /** Asked for, and not there when they were to be opened. */
  const awaited = new Set<string>()
  /** Aborted to read on with more or fewer of them. */
  let restart = new AbortController()
  let isReading = false
  let failure: unknown

  const context: TableContext = {
    table,
    options,
    budget,
    stream: options.tables(table),
    sides: {
      deadLetters: { table: options.tables('dead_letters'), vector: [], batchOf: options.sideRows.deadLetters },
      gaps: { table: options.tables('sequence_gaps'), vector: [], batchOf: options.sideRows.gaps },
    },
    streams: new Map(),
    said: [],
    hold: createHold({
      breakers: options.breakers,
      signal: dying.signal,
      onWaiting,
      logger,
      firstMs: settings.retryFirstMs,
      mostMs: settings.retryMostMs,
    }),
    onWaiting,
    changed: createBell(),
    drained: createBell(),
    reading: reading.signal,
    leaving: leaving.signal,
    dying: dying.signal,
    finish,
    oldestMs: undefined,
    heldMessages: 0,
    rowsInFlight: 0,
    totals: { messages: 0, rows: 0, commits: 0, deadLetters: 0, duplicates: 0, gaps: 0, outOfOrder: 0 },
    step: step => options.onStep?.(step, table),
  }

  function onWaiting(server: BreakerName, error: unknown): void {
    const was = waits.has(server)
    if (error === undefined) waits.delete(server)
    else waits.set(server, error)
    if (was === waits.has(server)) return
    if (was) logger.info('The server is back', { server, table })
    else logger.warn('Waiting for a server; what was taken in is held', { server, table, error })
  }

  function finish(): void {
    reading.abort()
    context.changed.ring()
  }

  function die(): void {
    leaving.abort()
    dying.abort()
  }

  /** What is held is still committed, unless a bug has made it untrustworthy. */
  function fail(error: unknown): void {
    failure ??= error
    if (!(error instanceof Failure)) die()
    finish()
  }

  function add(topics: readonly string[]): void {
    const reader = addTopics(topics)
    readers.add(reader)
    void reader.then(() => readers.delete(reader))
  }

  async function addTopics(topics: readonly string[]): Promise<void> {
    try {
      opening++
      const missing = await openTopics(context, topics).finally(() => opening--)
      for (const topic of missing) awaited.add(topic)
      opened.push(...topics.filter(topic => !awaited.has(topic)))
      restart.abort()
      if (isReading) return
      isReading = true
      await readTopics(context, allOpened)
    } catch (error) {
      if (!dying.signal.aborted && !(leaving.signal.aborted && isCancelled(error))) fail(error)
    }
  }

  function allOpened(): ReturnType<Asked> {
    restart = new AbortController()
    const topics = opened.filter(topic => !gone.has(topic))
    return { topics, until: AbortSignal.any([reading.signal, restart.signal]) }
  }

  function learnTopics(there: ReadonlySet<string>): void {
    const come = [...awaited].filter(topic => there.has(topic))
    for (const topic of come) awaited.delete(topic)
    if (come.length > 0) add(come)
    const { lost, back } = gone.learn(opened, there)
    for (const topic of lost) {
      logger.warn('The topic is gone; what was read of it is kept, and the others go on', { table, topic })
      endAtWhatIsRead(context.streams.get(topic)!)
    }
    for (const topic of back) logger.info('The topic is there again', { table, topic })
    if (lost.length + back.length === 0) return
    restart.abort()
    context.changed.ring()
  }

  async function hasEnded(): Promise<boolean> {
    if (!reading.signal.aborted) return false
    await Promise.all(readers)
    dying.signal.throwIfAborted()
    return true
  }

  async function run(): Promise<void> {
    try {
      await flushTable(context, hasEnded)
    } catch (error) {
      if (!dying.signal.aborted) failure ??= error
    }
    reading.abort()
    die()
    await Promise.all(readers)
    if (failure === undefined) return
    events.onFailed?.({ table, error: failure })
    throw failure as Error
  }

  const done = run()
  done.catch(() => {}) // heard by whoever waits for it

  return {
    table,
    totals: context.totals,
    streams: () => [...context.streams.values()],
    add,
    learnTopics,
    gone: gone.names,
    awaited: () => [...awaited],
    isStarting: () =>
      opening > 0 ||
      [...context.streams.values()].some(({ places }) =>
        [...places.values()].some(({ next, start }) => next !== undefined && next < start),
      ),
    waitingFor: () => [...waits.values()][0],
    finish,
    fail,
    async stop(now) {
      if (now.aborted) die()
      now.addEventListener('abort', die, { once: true })
      leaving.abort()
      finish()
      await done.catch(() => {})
      now.removeEventListener('abort', die)
    },
    said: () => movedTo(context.said, committedIn(context)),
    unfinished: () => context.rowsInFlight + heldIn(context.streams.values()).rows,
    done,
  }
}

function committedIn({ streams }: TableContext): OffsetVector {
  return vectorOf(streams.values(), ({ committed }) => committed)
}
