// Which snapshots to let go of: pure, from their times, the retention and what must stay.
import { headOf, MAIN, type Snapshot, type TableMetadata } from '../iceberg/metadata.ts'
import { trailOf } from '../offsets.ts'

/** Of the snapshots up to `forMs` old the newest of every stretch of `everyMs` is kept (0: each one); `most` at most in all. */
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
  const kept = new Set(untouchable)
  for (const id of wanted(newestFirst, retention, nowMs)) {
    if (kept.size >= retention.most) break
    kept.add(id)
  }
  return newestFirst.filter(snapshot => !kept.has(snapshot['snapshot-id']))
}

/**
 * The newest of a stretch of time shows what was known at its end. The longest stretches come first: where there is no room
 * for all, history gets thinner and not shorter.
 */
function* wanted(newestFirst: readonly Snapshot[], { keep }: Retention, nowMs: number): Generator<string> {
  for (const { everyMs, forMs } of keep.toSorted((a, b) => b.everyMs - a.everyMs)) {
    const stretches = new Set<number>()
    for (const { 'snapshot-id': id, 'timestamp-ms': timestampMs } of newestFirst) {
      if (nowMs - timestampMs > forMs) continue
      const stretch = Math.floor(timestampMs / everyMs)
      if (everyMs > 0 && stretches.has(stretch)) continue
      stretches.add(stretch)
      yield id
    }
  }
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
