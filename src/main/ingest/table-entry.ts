// One table of the writer through all its lives: written to while nobody else is, left to another writer that holds it,
// taken up again when that one is gone.
import { Failure } from '../../contract/failure.ts'
import type { TopicInfo } from '../log/message-log.ts'
import type { DataType } from '../market/topics.ts'
import type { Budget } from './budget.ts'
import { isFenced } from './commit-flush.ts'
import { unlessAborted } from './hold.ts'
import { createEndedTopics, keepUp, type TopicPlaces } from './keep-up.ts'
import { createTopicLeases, releaseAll, tellHolders } from './lease-topics.ts'
import { areOffsetsSet, ENDED_BY_OFFSETS, type Stuck } from './offsets-set.ts'
import { lookAgainMs, mayBeMended } from './refused.ts'
import type { TableTotals } from './table-context.ts'
import { writeTable, type TableWriter } from './write-table.ts'
import type { WriterOptions } from './writer-options.ts'

export interface TableEntry {
  readonly table: DataType
  totals: () => TableTotals
  /** Undefined while nothing is written. */
  writer: () => TableWriter | undefined
  /** Of those that are written, and of those that were and that nobody else writes now. */
  streams: () => readonly TopicPlaces[]
  /** What ended it for good, or until somebody sets it right elsewhere. */
  failure: () => unknown
  /** Topics that were deleted while they were written. */
  gone: () => readonly string[]
  /** Why it is left to another one just now; or of which topics that is so, while the others are written. */
  leftTo: () => string | undefined
  /** These are the topics there are: begins with those that are new, if nobody else writes them. */
  follow: (topics: readonly TopicInfo[]) => Promise<void>
  finish: () => void
  stop: (now: AbortSignal) => Promise<void>
  ended: () => Promise<void>
  unfinished: () => string[]
}

export function createTableEntry(
  table: DataType,
  budget: Budget,
  options: WriterOptions,
  onEnded: () => void,
): TableEntry {
  const { log, logger, settings, acquireLease } = options
  const known = new Set<string>()
  const endedTopics = createEndedTopics(log)
  const leases = createTopicLeases(table, options, why => {
    leaveTo(why.message)
    void writer?.stop(AbortSignal.abort())
  })
  let earlier = noTotals()
  let writer: TableWriter | undefined
  let failure: unknown
  let stuck: Stuck | undefined
  let refusals = 0
  let tryAgainAtMs = 0
  let leftTo: string | undefined
  let isEnding = false
  let left: string[] = []
  let release = Promise.resolve()

  function begin(): TableWriter {
    leftTo = undefined
    left = []
    const begun = writeTable(table, budget, options)
    const ending = begun.done.then(
      () => ended(begun),
      (error: unknown) => ended(begun, error),
    )
    void ending.then(onEnded)
    return begun
  }

  function ended(begun: TableWriter, error?: unknown): void {
    earlier = addTotals(earlier, begun.totals)
    writer = undefined
    if (error instanceof Failure && ENDED_BY_OFFSETS.has(error.code)) stuck = { topics: [...known], said: begun.said() }
    known.clear()
    endedTopics.add(begun.streams(), begun.said())
    const rows = begun.unfinished()
    if (rows > 0)
      left = [`${table}: ${rows} rows were not committed; the log has them, and the next start reads them again`]
    release = leases.letGo()
    if (error !== undefined) endedBy(error, begun)
    // Where another one writes, nobody here knows how far it is.
    if (leftTo !== undefined || isFenced(error)) endedTopics.forget()
  }

  function endedBy(error: unknown, begun: TableWriter): void {
    // Who has the lease may have been fenced by a person who set the offsets: the next look tells whether another one has it.
    if (isFenced(error) && (settings.whenFenced === 'follow' || acquireLease)) leaveTo((error as Failure).message)
    else fail(error)
    // What was written since the last refusal shows that it had been mended.
    if (begun.totals.commits > 0) refusals = 0
    if (mayBeMended(error)) tryAgainAtMs = performance.now() + lookAgainMs(settings, ++refusals)
  }

  function fail(error: unknown): void {
    if (failure === undefined) logger.error('The table is not written any more', { table, error })
    failure ??= error
  }

  function leaveTo(why: string): void {
    if (leftTo === undefined) logger.warn('The table is left to another writer', { table, why })
    leftTo = why
  }

  function streams(): readonly TopicPlaces[] {
    const written = writer?.streams() ?? []
    return [...written, ...endedTopics.all().filter(({ topic }) => !written.some(own => own.topic === topic))]
  }

  /** Begins with those of them that are free. */
  async function takeUp(fresh: readonly string[]): Promise<void> {
    // Where there are no leases, nobody tells when the other one is gone.
    if (!acquireLease && leftTo !== undefined) return
    const wasShared = leases.others().size > 0
    const taken = await leases.take(fresh)
    if (leases.others().size > 0) shareWith(leases.others(), wasShared)
    if (isEnding || failure !== undefined) return releaseAll(taken.values())
    if (taken.size === 0) return
    leases.keep(taken)
    writer ??= begin()
    for (const name of taken.keys()) known.add(name)
    writer.add([...taken.keys()])
  }

  function shareWith(others: ReadonlyMap<string, string>, wasShared: boolean): void {
    const why = tellHolders(table, others)
    leftTo = undefined
    endedTopics.forget(others.keys())
    // What comes later and is held is told of, and what is written goes on.
    if (settings.whenFenced === 'fail' && !writer) {
      const advice = 'Nothing was written here. Stop it first, or leave the writing to it.'
      failure ??= new Failure('FENCED', `${why}. ${advice}`)
    } else if (!wasShared) logger.warn('Topics are left to another writer', { table, why })
  }

  function whyLeft(): string | undefined {
    if (!writer && leftTo !== undefined) return leftTo
    const others = leases.others()
    if (others.size === 0) return undefined
    const rest = writer ? ', and writes the other topics of the table itself' : ''
    return `${tellHolders(table, others)}; this K2 reads and follows these commits${rest}.`
  }

  /** Somebody has said where to go on, or may have set right what a server refused. */
  async function isMended(topics: readonly TopicInfo[]): Promise<boolean> {
    if (mayBeMended(failure) && performance.now() >= tryAgainAtMs) {
      failure = undefined
      return true
    }
    if (!stuck) return false
    const now = await options
      .tables(table)
      .offsets()
      .catch(() => undefined) // as it was before, as far as is known
    if (!now || !areOffsetsSet(stuck, now, topics)) return false
    logger.info('Its offsets were set; the table is written again', { table })
    stuck = undefined
    failure = undefined
    return true
  }

  return {
    table,
    totals: () => (writer ? addTotals(earlier, writer.totals) : earlier),
    writer: () => writer,
    streams,
    failure: () => failure,
    gone: () => writer?.gone() ?? [],
    leftTo: whyLeft,
    async follow(topics) {
      if (isEnding) return
      if (writer) endedTopics.forget(writer.streams().map(({ topic }) => topic))
      await endedTopics.keepUp(topics)
      if (isEnding || (failure !== undefined && !(await isMended(topics))) || isEnding) return
      if (writer) await keepUp(log, writer, topics)
      await takeUp(topics.map(({ name }) => name).filter(name => !known.has(name)))
    },
    finish() {
      isEnding = true
      writer?.finish()
    },
    async stop(now) {
      isEnding = true
      await writer?.stop(now)
      await unlessAborted(release, now).catch(() => {})
    },
    async ended() {
      await writer?.done.catch(() => {})
      await release
    },
    unfinished: () => left,
  }
}

function noTotals(): TableTotals {
  return { messages: 0, rows: 0, commits: 0, deadLetters: 0, duplicates: 0, gaps: 0, outOfOrder: 0 }
}

function addTotals(a: TableTotals, b: TableTotals): TableTotals {
  const sum = noTotals()
  for (const key of Object.keys(sum) as (keyof TableTotals)[]) sum[key] = a[key] + b[key]
  return sum
}
