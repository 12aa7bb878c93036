// Whether a table's history is one: parents, sequence numbers, times, and the log's offsets, which never go back.
import { Failure } from '../../../contract/failure.ts'
import { headOf, snapshotOf, type Snapshot, type TableMetadata } from '../iceberg/metadata.ts'
import { OFFSETS_KEY, OFFSETS_SET_KEY, offsetsOf, trailOf } from '../offsets.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'
import { ROLLED_BACK_TO_KEY } from '../travel/roll-back.ts'
import type { Problem } from './problem.ts'

/** Clocks of two machines may differ by this much. */
const CLOCK_SKEW_MS = 60_000

export function checkHistory(metadata: TableMetadata): Problem[] {
  return [...checkRefs(metadata), ...checkChain(metadata), ...checkSequence(metadata)]
}

function checkRefs(metadata: TableMetadata): Problem[] {
  return Object.entries(metadata.refs)
    .filter(([, { 'snapshot-id': id }]) => !snapshotOf(metadata, id))
    .map(([name, { 'snapshot-id': id }]) =>
      of(id, `The reference ${name} points to this snapshot, which is not there.`),
    )
}

/** From the head back to the oldest kept snapshot. */
function checkChain(metadata: TableMetadata): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  let child = headOf(metadata)
  for (;;) {
    const parentId = child?.['parent-snapshot-id']
    const parent: Snapshot | undefined = parentId === undefined ? undefined : snapshotOf(metadata, parentId)
    if (!child || !parent) return problems // expired, or the first one
    if (seen.has(parent['snapshot-id'])) return [...problems, of(parentId!, 'Is an ancestor of itself.')]
    seen.add(parent['snapshot-id'])
    problems.push(...checkStep(metadata, parent, child))
    child = parent
  }
}

function checkStep(metadata: TableMetadata, parent: Snapshot, child: Snapshot): Problem[] {
  const id = child['snapshot-id']
  const problems: Problem[] = []
  if (child['sequence-number'] <= parent['sequence-number']) {
    problems.push(of(id, `Has sequence number ${child['sequence-number']}, its parent ${parent['sequence-number']}.`))
  }
  if (child['timestamp-ms'] < parent['timestamp-ms'] - CLOCK_SKEW_MS) {
    problems.push(of(id, `Is more than a minute older than its parent ${parent['snapshot-id']}.`))
  }
  // A rollback may take the log back on purpose.
  if (!(ROLLED_BACK_TO_KEY in child.summary)) problems.push(...checkOffsets(metadata, parent, child))
  return problems
}

function checkOffsets(metadata: TableMetadata, parent: Snapshot, child: Snapshot): Problem[] {
  const { [OFFSETS_KEY]: said, [OFFSETS_SET_KEY]: set } = child.summary as Partial<Record<string, string>>
  if (said === undefined) return []
  const after = readable(child)
  if (!after) return [of(child['snapshot-id'], `Has a ${OFFSETS_KEY} that cannot be read.`)]
  const back = wentBack(offsetsBefore(metadata, parent), after, set)
  return back ? [of(child['snapshot-id'], `The log's offsets go back: ${back}.`)] : []
}

function readable(snapshot: Snapshot): OffsetVector | undefined {
  try {
    return offsetsOf(snapshot) ?? []
  } catch (error) {
    if (error instanceof Failure && error.code === 'CORRUPT') return undefined
    throw error
  }
}

/** Those of other engines do not say it. */
function offsetsBefore(metadata: TableMetadata, snapshot: Snapshot): OffsetVector {
  const { holder } = trailOf(metadata, snapshot)
  return (holder && readable(holder)) ?? []
}

/** `set`: the partition of which a person has said where it goes on. */
function wentBack(before: OffsetVector, after: OffsetVector, set?: string): string | undefined {
  for (const { cluster, epoch, topic, next } of before) {
    const ofTopic = after.filter(other => other.topic === topic)
    const now = ofTopic.find(other => other.cluster === cluster && other.epoch === epoch)
    if (!now && ofTopic.length > 0) continue // the log began anew
    for (const [partition, offset] of Object.entries(next)) {
      const then = (now?.next as Partial<Record<string, number>> | undefined)?.[partition] ?? 0
      if (then < offset && set !== `${topic}/${partition}`) return `${topic}/${partition} from ${offset} to ${then}`
    }
  }
  return undefined
}

function checkSequence({ snapshots, 'last-sequence-number': last }: TableMetadata): Problem[] {
  return snapshots
    .filter(snapshot => snapshot['sequence-number'] > last)
    .map(snapshot =>
      of(snapshot['snapshot-id'], `Is numbered ${snapshot['sequence-number']}, beyond the table's last ${last}.`),
    )
}

function of(snapshotId: string, problem: string): Problem {
  return { file: null, snapshot_id: snapshotId, problem }
}
