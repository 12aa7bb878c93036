// Which snapshots to let go of: pure, from their times, the retention and what must stay.
import { headOf, MAIN, type Snapshot, type TableMetadata } from '../iceberg/metadata.ts'
import { trailOf } from '../offsets.ts'

/** Of the snapshots younger than `forMs`, one every `everyMs` is kept (0: each one); `most` at most in all. */
export interface Retention {
  keep: readonly { everyMs: number; forMs: number }[]
  most: number
}

/**
 * Never the head, nor what a tag or branch names, nor what a reader holds (`pinned`), nor the one that says how far
 * the log is and those on the way to it.
 */
export function selectExpired(
  metadata: TableMetadata,
  { retention, nowMs, pinned = new Set() }: { retention: Retention; nowMs: number; pinned?: ReadonlySet<string> },
): Snapshot[] {
  const { snapshots, refs } = metadata
  const untouchable = new Set(pinned)
  const gone = new Set(expiredRefs(metadata, nowMs))
  for (const [name, ref] of Object.entries(refs)) if (!gone.has(name)) untouchable.add(ref['snapshot-id'])
  const { holder, passed } = trailOf(metadata)
  for (const snapshot of [headOf(metadata), holder, ...(holder ? passed : [])]) {
    if (snapshot) untouchable.add(snapshot['snapshot-id'])
  }
  const newestFirst = snapshots.toSorted((a, b) => b['sequence-number'] - a['sequence-number'])
  const slots = new Set<string>()
  let kept = untouchable.size
  return newestFirst.filter(snapshot => {
    const slot = slotOf(snapshot, retention, nowMs)
    const isStaying = untouchable.has(snapshot['snapshot-id'])
    // The newest of a slot is the one that shows what was known at its end.
    const isWanted = slot !== undefined && !slots.has(slot) && kept < retention.most
    if (slot !== undefined) slots.add(slot)
    if (isWanted && !isStaying) kept++
    return !isStaying && !isWanted
  })
}

/** Tags and branches past the age they were given; our own tags have none, other engines may set one. */
export function expiredRefs({ refs, snapshots }: TableMetadata, nowMs: number): string[] {
  const timeOf = new Map(snapshots.map(snapshot => [snapshot['snapshot-id'], snapshot['timestamp-ms']]))
  return Object.entries(refs)
    .filter(([name, { 'snapshot-id': id, 'max-ref-age-ms': maxAgeMs }]) => {
      const timestampMs = timeOf.get(id)
      return name !== MAIN && maxAgeMs !== undefined && timestampMs !== undefined && nowMs - timestampMs > maxAgeMs
    })
    .map(([name]) => name)
}

/** The stretch of time of which one snapshot is kept; nothing when it is older than all steps. */
function slotOf(snapshot: Snapshot, { keep }: Retention, nowMs: number): string | undefined {
  const timestampMs = snapshot['timestamp-ms']
  const step = keep.find(({ forMs }) => nowMs - timestampMs <= forMs)
  if (!step) return undefined
  const { everyMs } = step
  return everyMs === 0 ? snapshot['snapshot-id'] : `${everyMs}: ${Math.floor(timestampMs / everyMs)}`
}
