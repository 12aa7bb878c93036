// What the writer is doing, in the words of the contract: the state of the table that matters most, and all of them summed up.
import { Failure } from '../../contract/failure.ts'
import type { ConsumeProgress, WriterStatus } from '../../contract/writer.ts'
import type { Breaker } from '../base/breaker.ts'
import { isTransient } from '../base/retry.ts'
import type { DataType } from '../market/topics.ts'
import { lagOf, takenOffset } from './places.ts'
import { toldWith } from './refused.ts'
import type { TableEntry } from './table-entry.ts'

type State = ConsumeProgress['state']

export interface WriterFacts {
  entries: readonly TableEntry[]
  /** Topics that are not there yet; undefined before it was looked. */
  missing: readonly string[] | undefined
  /** Why the topics cannot be looked up. */
  trouble: unknown
  isOver: boolean
  durationSeconds: number
  rowsPerSecond: number
  breakers: readonly Breaker[]
}

/** Of several tables, the first of these is what is said of all. */
const BY_WEIGHT: readonly State[] = ['halted', 'suspended', 'stopped', 'following', 'waiting', 'starting', 'writing']

export function describeWriter(facts: WriterFacts): WriterStatus {
  const { entries, durationSeconds, rowsPerSecond, breakers } = facts
  const total = (of: keyof ReturnType<TableEntry['totals']>) =>
    entries.reduce((sum, entry) => sum + entry.totals()[of], 0)
  const topics = entries.flatMap(placesOf)
  return {
    ...stateOf(facts),
    messages: total('messages'),
    rows: total('rows'),
    commits: total('commits'),
    dead_letters: total('deadLetters'),
    duplicates: total('duplicates'),
    gaps: total('gaps'),
    out_of_order: total('outOfOrder'),
    lag: topics.reduce((sum, { lag }) => sum + lag, 0),
    duration_seconds: Math.round(durationSeconds * 1000) / 1000,
    rows_per_second: Math.round(rowsPerSecond),
    breakers: breakers.map(breaker => ({
      name: breaker.name,
      state: breaker.state(),
      failures: breaker.failures(),
      why: messageOf(breaker.lastError()),
    })),
    topics,
  }
}

function stateOf({ entries, missing, trouble, isOver }: WriterFacts): Pick<ConsumeProgress, 'state' | 'why'> {
  const states = entries.flatMap(stateOfTable)
  if (isOver && !states.some(({ why }) => why !== null)) return { state: 'stopped', why: null }
  if (trouble !== undefined)
    states.push({ state: isTransient(trouble) ? 'waiting' : 'stopped', why: messageOf(toldWith(trouble)) })
  if (!missing) return states[0] ?? { state: 'starting', why: null }
  const gone = entries.flatMap(entry => entry.gone())
  const writers = entries.flatMap(({ writer }) => writer() ?? [])
  // A look may lack one that is there, and show one that cannot be opened.
  const written = new Set(writers.flatMap(({ streams }) => streams().map(({ topic }) => topic)))
  const notThere = new Set([...missing, ...writers.flatMap(({ awaited }) => awaited())])
  const awaited = awaitedTopics(
    gone,
    [...notThere].filter(topic => !written.has(topic)),
  )
  if (states.length === 0) {
    // Between the end of the last stream and the end of it all.
    if (entries.some(({ streams }) => streams().length > 0)) return { state: 'stopped', why: null }
    return { state: 'waiting', why: awaited ?? 'There is no topic yet that is to be written.' }
  }
  const [first] = states.sort((a, b) => BY_WEIGHT.indexOf(a.state) - BY_WEIGHT.indexOf(b.state))
  return { state: first.state, why: first.why ?? awaited }
}

function awaitedTopics(gone: readonly string[], missing: readonly string[]): string | null {
  const told = [
    gone.length > 0 && `Deleted while it was written, what was read of it is kept: ${gone.join(', ')}.`,
    missing.length > 0 && `Topics that do not exist yet are waited for: ${missing.join(', ')}.`,
  ]
  return told.filter(text => text !== false).join(' ') || null
}

/** Nothing of a table that has nothing to do. */
function stateOfTable(entry: TableEntry): { state: State; why: string | null }[] {
  const failure = entry.failure()
  if (failure !== undefined) return [{ state: stateAfter(failure), why: messageOf(toldWith(failure)) }]
  const leftTo = entry.leftTo()
  if (leftTo !== undefined) return [{ state: 'following', why: leftTo }]
  const writer = entry.writer()
  if (!writer) return []
  const waitingFor = writer.waitingFor()
  if (waitingFor !== undefined) return [{ state: 'waiting', why: messageOf(waitingFor) }]
  if (writer.isStarting()) return [{ state: 'starting', why: null }]
  return [{ state: writer.streams().length > 0 ? 'writing' : 'waiting', why: null }]
}

function stateAfter(failure: unknown): State {
  const state = failure instanceof Failure && (failure.details as { state?: State } | undefined)?.state
  return state === 'halted' || state === 'suspended' ? state : 'stopped'
}

function messageOf(error: unknown): string | null {
  if (error === undefined) return null
  return error instanceof Error ? error.message : 'Something went wrong that is not known; the log of K2 says more.'
}

function placesOf(entry: TableEntry): WriterStatus['topics'] {
  return entry.streams().flatMap(({ topic, places }) =>
    [...places].map(([partition, place]) => ({
      topic,
      table: entry.table,
      partition,
      committed_offset: String(place.committed ?? place.earliest),
      read_offset: String(takenOffset(place) ?? place.earliest),
      lag: lagOf(place).uncommitted,
    })),
  )
}

export interface PartitionLag {
  table: DataType
  topic: string
  partition: number
  committedOffset: number
  messages: number
  /** How old the last message is that is in the table, while others wait; 0 when none does. */
  seconds: number
}

export function lagsOf(entries: readonly TableEntry[], nowMicros: number): PartitionLag[] {
  return entries.flatMap(({ table, streams }) =>
    streams().flatMap(({ topic, places }) =>
      [...places].map(([partition, place]) => {
        const messages = lagOf(place).uncommitted
        const sinceMicros = place.committedMicros ?? place.readMicros ?? nowMicros
        const seconds = messages === 0 ? 0 : Math.max(0, (nowMicros - sinceMicros) / 1e6)
        return { table, topic, partition, committedOffset: place.committed ?? place.earliest, messages, seconds }
      }),
    ),
  )
}
