// How far the log is in the table: the next offset of every partition, kept in the snapshot's summary and therefore
// committed with the rows themselves. This is what makes writing exactly once.
import { Failure } from '../../contract/failure.ts'
import { headOf, snapshotOf, type Snapshot, type Summary, type TableMetadata } from './iceberg/metadata.ts'

/** The next offsets of one topic's partitions, in one life of one log. */
export interface TopicOffsets {
  cluster: string
  epoch: string
  topic: string
  next: Readonly<Record<string, number>>
}
export type OffsetVector = readonly TopicOffsets[]

export const OFFSETS_KEY = 'k2.offsets'
export const VALID_THROUGH_KEY = 'k2.valid-through'
export const COMMIT_ID_KEY = 'k2.commit-id'
/** What every commit takes over from the one before, unless it says otherwise. */
const INHERITED_KEYS = [OFFSETS_KEY, VALID_THROUGH_KEY] as const

export function offsetsOf(snapshot: Snapshot): OffsetVector | undefined {
  const text = snapshot.summary[OFFSETS_KEY]
  if (text === undefined) return undefined
  const vector = parseOffsets(text)
  if (vector) return vector
  throw new Failure(
    'CORRUPT',
    `Snapshot ${snapshot['snapshot-id']} has a ${OFFSETS_KEY} that K2 cannot read, so it is not known how far the log is in the table. ` +
      'Set the offsets with `k2 ingest offsets set`.',
    { details: { offsets: text.slice(0, 1000) } },
  )
}

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

export function offsetsText(vector: OffsetVector): string {
  return JSON.stringify(vector)
}

/**
 * The keys that say how far the log is: those of the newest snapshot that has them, from `from` back along its parents.
 * Another engine's commit does not carry them on; its rows are beside the log.
 */
export function inheritedKeys(metadata: TableMetadata, from = headOf(metadata)): Partial<Summary> {
  const holder = offsetsHolder(metadata, from)
  return holder ? pick(holder.summary, INHERITED_KEYS) : {}
}

/** The snapshot that says how far the log was at `from`; expiry must not take it away while it is the only one. */
export function offsetsHolder(metadata: TableMetadata, from = headOf(metadata)): Snapshot | undefined {
  for (let at = from; at; at = parentOf(metadata, at)) if (OFFSETS_KEY in at.summary) return at
  return undefined
}

function parentOf(metadata: TableMetadata, snapshot: Snapshot): Snapshot | undefined {
  const parent = snapshot['parent-snapshot-id']
  return parent === undefined ? undefined : snapshotOf(metadata, parent)
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
