// The writer: what the log has goes into the tables, each table with a stream of its own. It looks for topics, shares one
// budget of messages among the tables, and says how far all of it is.
import type { ConsumeProgress, WriterStatus } from '../../contract/writer.ts'
import { createBell } from '../base/bell.ts'
import { createRateMeter } from '../base/rate-meter.ts'
import { isTransient, sleepUnlessAborted } from '../base/retry.ts'
import { lookAgainMs } from './refused.ts'
import type { TableId } from '../../contract/tables.ts'
import type { DataType } from '../market/topics.ts'
import { askTopics } from './ask-topics.ts'
import { createBudget } from './budget.ts'
import { checkTopicChoice, chooseTopics } from './choose-topics.ts'
import { unlessAborted } from './hold.ts'
import { createTableEntry, type TableEntry } from './table-entry.ts'
import { describeWriter, lagsOf, type PartitionLag } from './writer-status.ts'
import type { WriterOptions } from './writer-options.ts'

export interface Stopped {
  /** What was not committed, in words; the log still has it. */
  unfinished: string[]
  progress: ConsumeProgress
}

export interface Writer {
  status: () => WriterStatus
  /** Partition by partition, for the metrics. */
  lags: () => PartitionLag[]
  /** Whether it writes a table, or is the one that would: nobody else does, and nothing keeps it from it. Of a table beside
   * rows, whether it writes any of those. */
  isTheWriter: (table: TableId) => boolean
  /** At once, every second, and when it has ended; fails with what ended it. */
  progress: (signal: AbortSignal) => AsyncGenerator<ConsumeProgress>
  /** Reads no more and commits what it has. Asked a second time, or after five seconds, it leaves what is left. */
  stop: () => Promise<Stopped>
}

const TABLES: readonly DataType[] = ['trades', 'quotes', 'reference_data']
const TELL_EVERY_MS = 1_000
/** Whoever stops us kills us a little later. */
const MOST_STOP_MS = 4_500

export function startWriter(options: WriterOptions): Writer {
  const { log, logger, settings, events = {} } = options
  checkTopicChoice(settings)
  const ending = new AbortController()
  const over = new AbortController()
  const giveUp = new AbortController()
  const told = createBell()
  const startedMs = performance.now()
  const rate = createRateMeter(startedMs)
  let missing: readonly string[] | undefined
  let trouble: unknown
  let stopping: Promise<Stopped> | undefined

  const budget = createBudget(settings.maxMessages, () => {
    ending.abort()
    for (const entry of entries) entry.finish()
  })
  const onCommit: typeof events.onCommit = committed => {
    events.onCommit?.(committed)
    rate.record(totalRows(), performance.now())
  }
  const tableOptions = { ...options, events: { ...events, onCommit } }
  const entries = TABLES.map(table => createTableEntry(table, budget, tableOptions, () => told.ring()))
  const topicsThere = askTopics(log, options.breakers.kafka)
  const totalRows = () => entries.reduce((sum, { totals }) => sum + totals().rows, 0)

  async function look(): Promise<void> {
    const there = await topicsThere()
    const chosen = chooseTopics(settings, there)
    await Promise.all(entries.map(entry => entry.follow(chosen.byTable.get(entry.table) ?? [])))
    missing = chosen.missing
  }

  async function lookOn(): Promise<void> {
    for (let refusals = 0; !ending.signal.aborted;) {
      try {
        // Nothing of it is needed any more when the end begins, and a log that is away takes its time.
        await unlessAborted(look(), ending.signal)
        if (trouble !== undefined) logger.info('It can be looked up again what there is to be written')
        trouble = undefined
        refusals = 0
      } catch (error) {
        if (ending.signal.aborted) break
        if (!trouble) logger.warn('It cannot be looked up what there is to be written; it is tried again', { error })
        trouble = error
        if (!isTransient(error)) refusals++
        told.ring()
      }
      await sleepUnlessAborted(lookAgainMs(settings, refusals), ending.signal).catch(() => {})
    }
    await Promise.all(entries.map(entry => entry.ended()))
    over.abort()
  }

  /** What will not pass by itself: whoever asked for the writing is told at once, and one that runs by itself tries on. */
  function lastingFailure(): unknown {
    if (trouble !== undefined && !isTransient(trouble)) return trouble
    return entries.map(entry => entry.failure()).find(error => error !== undefined)
  }

  function progressNow(): ConsumeProgress {
    const { state, messages, rows, commits, dead_letters, duplicates, gaps, out_of_order, ...rest } = status()
    const { lag, duration_seconds, rows_per_second, why } = rest
    const totals = { messages, rows, commits, dead_letters, duplicates, gaps, out_of_order, lag }
    return { state, ...totals, duration_seconds, rows_per_second, why }
  }

  function status(): WriterStatus {
    const nowMs = performance.now()
    return describeWriter({
      entries,
      missing,
      trouble,
      isOver: over.signal.aborted,
      durationSeconds: (nowMs - startedMs) / 1000,
      rowsPerSecond: rate.perSecond(nowMs),
      breakers: Object.values(options.breakers),
    })
  }

  async function stopNow(): Promise<Stopped> {
    const timer = setTimeout(() => giveUp.abort(), MOST_STOP_MS)
    ending.abort()
    await Promise.all(entries.map(entry => entry.stop(giveUp.signal)))
    clearTimeout(timer)
    await looking
    return { unfinished: entries.flatMap(entry => entry.unfinished()), progress: progressNow() }
  }

  function stop(): Promise<Stopped> {
    if (stopping) giveUp.abort()
    return (stopping ??= stopNow())
  }

  const looking = lookOn()

  return {
    status,
    lags: () => lagsOf(entries, options.clock.nowMicros()),
    isTheWriter: table => {
      const own = entries.filter(entry => entry.table === table)
      if (own.length > 0) return own.some(isItsWriter)
      return entries.some(({ writer }) => writer() !== undefined) || entries.every(isItsWriter)
    },
    stop,
    async *progress(signal) {
      let failure: unknown
      while (!signal.aborted && !over.signal.aborted) {
        yield progressNow()
        failure = lastingFailure()
        if (failure !== undefined) await stop()
        else await waitAtMost(AbortSignal.any([signal, over.signal]))
      }
      if (signal.aborted) return
      yield progressNow()
      failure ??= lastingFailure()
      if (failure !== undefined) throw failure as Error
    },
  }

  function isItsWriter({ writer, leftTo, failure }: TableEntry): boolean {
    return writer() !== undefined || (leftTo() === undefined && failure() === undefined)
  }

  async function waitAtMost(signal: AbortSignal): Promise<void> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), TELL_EVERY_MS)
    await told.wait(AbortSignal.any([signal, late.signal]))
    clearTimeout(timer)
  }
}
