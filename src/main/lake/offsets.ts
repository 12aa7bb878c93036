// How far the log is in the table: the next offset of every partition, kept in the snapshot's summary and therefore
// committed with the rows themselves. This is what makes writing exactly once.
import { Failure } from '../../contract/failure.ts'
import type { OffsetVector, TopicOffsets } from '../market/topic-offsets.ts'
import { headOf, type Snapshot, type Summary, type TableMetadata } from './iceberg/metadata.ts'

export const OFFSETS_KEY = 'k2.offsets'
export const VALID_THROUGH_KEY = 'k2.valid-through'
export const COMMIT_ID_KEY = 'k2.commit-id'
/**
 * A property of a table that a log was ever written to: the sequence number of the first such commit. It stays when the
 * snapshots that say how far have expired.
 */
export const STREAMED_KEY = 'k2.streamed'
/** Of a snapshot in which a person said where a partition goes on: `topic/partition`. */
export const OFFSETS_SET_KEY = 'k2.offsets-set'
/** What every commit takes over from the one before, unless it says otherwise. */
const INHERITED_KEYS = [OFFSETS_KEY, VALID_THROUGH_KEY] as const

export function offsetsOf(snapshot: Snapshot): OffsetVector | undefined {
  const text = snapshot.summary[OFFSETS_KEY]
  if (text === undefined) return undefined
  const vector = parsed.get(snapshot) ?? parseOffsets(text)
  if (vector) {
    parsed.set(snapshot, vector)
    return vector
  }
  throw new Failure(
    'CORRUPT',
    `Snapshot ${snapshot['snapshot-id']} has a ${OFFSETS_KEY} that K2 cannot read, so it is not known how far the log is in the table. ` +
      'Set the offsets with `k2 ingest offsets set`.',
    { details: { offsets: text.slice(0, 1000) } },
  )
}

/** Snapshots are never changed in place, and a list of a thousand asks for all of theirs each time. */
const parsed = new WeakMap<Snapshot, OffsetVector>()

function parseOffsets(text: string): OffsetVector | undefined {
  try {
    const vector = JSON.parse(text) as unknown
    return Array.isArray(vector) && vector.every(isTopicOffsets) ? vector : undefined
  } catch {
    return undefined
  }
}

function isTopicOffsets(value: unknown): value is TopicOffsets {
  const { cluster, epoch, topic, next } = value as Record<string, unknown>
  const named = [cluster, epoch, topic].every(name => typeof name === 'string')
  if (!named || typeof next !== 'object' || next === null) return false
  // Keys and values apart: measured, half the time of pairs, which is most of listing a thousand snapshots.
  return (
    Object.keys(next).every(partition => /^\d+$/.test(partition)) &&
    Object.values(next).every(offset => Number.isSafeInteger(offset) && Number(offset) >= 0)
  )
}

/** Microseconds since 1970: every record up to there is in it; nothing where no log is behind it. */
export function validThroughOf({ summary }: Snapshot): number | undefined {
  const text: string | undefined = summary[VALID_THROUGH_KEY]
  if (text === undefined) return undefined
  // Milliseconds are all that Date knows; the microseconds are the three digits after them.
  const millis = Date.parse(text)
  const rest = /\.\d{3}(\d{3})Z$/.exec(text)?.[1] ?? '0'
  return Number.isNaN(millis) ? undefined : millis * 1000 + Number(rest)
}

export function offsetsText(vector: OffsetVector): string {
  return JSON.stringify(vector)
}

/**
 * The keys that say how far the log is: those of the newest snapshot that has them, from `from` back along its parents.
 * Another engine's commit does not carry them on; its rows are beside the log.
 */
export function inheritedKeys(metadata: TableMetadata, from = headOf(metadata)): Partial<Summary> {
  const { holder } = trailOf(metadata, from)
  return holder ? pick(holder.summary, INHERITED_KEYS) : {}
}

/**
 * How far the log was at `from`, empty in a table that never had one. Not known is CORRUPT and never nothing: else all
 * of the log would be written a second time.
 */
export function offsetsAt(metadata: TableMetadata, from = headOf(metadata)): OffsetVector {
  const { holder, isWhole } = trailOf(metadata, from)
  const vector = holder && offsetsOf(holder)
  if (vector) return vector
  if (isWhole || isBeforeStreams(metadata, from)) return []
  throw new Failure(
    'CORRUPT',
    'It is not known how far the log is in the table: another engine has committed to it, and let go of the snapshot ' +
      'that said so. Nothing was changed. Set the offsets with `k2 ingest offsets set`.',
  )
}

/** Whether no log was ever written to the table when this snapshot was committed. */
function isBeforeStreams({ properties }: TableMetadata, snapshot: Snapshot | undefined): boolean {
  if (!(STREAMED_KEY in properties)) return true
  return snapshot !== undefined && snapshot['sequence-number'] < Number(properties[STREAMED_KEY])
}

/** Nothing where it is not known. */
export function offsetsIfKnown(metadata: TableMetadata): OffsetVector | undefined {
  try {
    return offsetsAt(metadata)
  } catch (error) {
    if (error instanceof Failure && error.code === 'CORRUPT') return undefined
    throw error
  }
}

/**
 * From `from` back to the snapshot that says how far the log was, over those of other engines. Expiry must not take
 * any of these away: where one is missing, what is before it cannot be found.
 */
export function trailOf(
  metadata: TableMetadata,
  from = headOf(metadata),
): { holder?: Snapshot; passed: Snapshot[]; isWhole: boolean } {
  if (from && OFFSETS_KEY in from.summary) return { holder: from, passed: [], isWhole: true }
  const byId = new Map(metadata.snapshots.map(snapshot => [snapshot['snapshot-id'], snapshot]))
  const passed = new Set<Snapshot>()
  let at = from
  while (at && !(OFFSETS_KEY in at.summary) && !passed.has(at)) {
    passed.add(at)
    at = byId.get(at['parent-snapshot-id'] ?? '')
  }
  const last = [...passed].at(-1)
  return { holder: at, passed: [...passed], isWhole: at !== undefined || last?.['parent-snapshot-id'] === undefined }
}

function pick(summary: Summary, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap(key => (key in summary ? [[key, summary[key]]] : [])))
}

/** The part of a vector that speaks of the same topic-partitions as `own`. */
export function restrictTo(own: OffsetVector, vector: OffsetVector): OffsetVector {
  return own.flatMap(({ topic, next }) =>
    vector
      .filter(other => other.topic === topic)
      .map(other => ({
        ...other,
        next: Object.fromEntries(Object.entries(other.next).filter(([partition]) => partition in next)),
      }))
      .filter(other => Object.keys(other.next).length > 0),
  )
}

/** Whether two vectors say the same of the same topic-partitions, in whatever order. */
export function sameOffsets(a: OffsetVector, b: OffsetVector): boolean {
  const flat = (vector: OffsetVector) =>
    vector
      .flatMap(({ cluster, epoch, topic, next }) =>
        Object.entries(next).map(([partition, offset]) => JSON.stringify([cluster, epoch, topic, partition, offset])),
      )
      .sort()
  return JSON.stringify(flat(a)) === JSON.stringify(flat(b))
}

/**
 * Whether a writer that begins a topic's log anew, or goes on in one, knows the one that the table has: else what is
 * left of an earlier one would take the place of a later one, on a partition that this has not written to yet.
 */
export function knowsLives(from: OffsetVector, to: OffsetVector, current: OffsetVector): boolean {
  const isOf = (a: TopicOffsets) => (b: TopicOffsets) =>
    a.topic === b.topic && a.cluster === b.cluster && a.epoch === b.epoch
  return current
    .filter(({ topic }) => to.some(own => own.topic === topic))
    .every(now => to.some(isOf(now)) || from.some(isOf(now)))
}

/** `base` moved on to what `to` says of its own topic-partitions. A topic has one log at a time: the newer one stays. */
export function moveOffsets(base: OffsetVector, to: OffsetVector): OffsetVector {
  const moved = to.map(own => {
    const before = base.find(
      ({ cluster, epoch, topic }) => cluster === own.cluster && epoch === own.epoch && topic === own.topic,
    )
    return { ...own, next: { ...before?.next, ...own.next } }
  })
  const topics = new Set(to.map(({ topic }) => topic))
  return [...base.filter(({ topic }) => !topics.has(topic)), ...moved]
}
