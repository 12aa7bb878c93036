// Which snapshot a hybrid answer stands on. It need not be the newest: one snapshot, whole, and the live view from its
// offsets on give the same rows whichever it is, as long as the live view holds everything from there on. So one is kept
// while it serves, and what was decoded of it is not read again at each commit.
import type { LakeReads, TableAt, TableHead } from '../../lake/reads.ts'
import type { OffsetVector, TopicOffsets } from '../../market/topic-offsets.ts'
import type { FreshRows } from '../../tail/relay-contract.ts'
import type { TailTable } from '../../../contract/tables.ts'

export interface Base {
  at: TableAt
  /** From here on rows are the live view's. Where nobody knows how far the log is in the table, all of them. */
  offsets: OffsetVector
  /** Otherwise rows may be in both, and are told by their place in the log or their message id. */
  isCertain: boolean
}

export interface Choice {
  base: Base
  /** How far the log is in the table by now: an answer that is not as far would hide what is committed. */
  head: { snapshotId: string | undefined; offsets: OffsetVector }
}

export interface Bases {
  /** The one that is kept, if nothing but the stream's own commits came since; the newest snapshot when `anew`. */
  choose: (table: TailTable, anew: boolean, signal?: AbortSignal) => Promise<Choice>
  /** The one that was last chosen, for when the catalog cannot be asked. */
  kept: (table: TailTable) => Base | undefined
}

export function createBases(reads: Pick<LakeReads, 'head'>): Bases {
  const kept = new Map<TailTable, { base: Base; seen: string }>()

  return {
    async choose(table, anew, signal) {
      const head = await reads.head(table, signal)
      const before = kept.get(table)
      const goesOn = before?.base.isCertain && head.isCertain && !anew && head.goesOnFrom(before.seen)
      const base = goesOn ? before.base : baseOf(head)
      if (head.snapshotId !== undefined) kept.set(table, { base, seen: head.snapshotId })
      return { base, head: { snapshotId: head.snapshotId, offsets: head.knownOffsets ?? [] } }
    },
    kept: table => kept.get(table)?.base,
  }
}

/** Without the head itself, which holds on to all that is known of the table. */
function baseOf({ table, snapshotId, committedMicros, validThroughMicros, offsets, ...head }: TableHead): Base {
  const at = { table, snapshotId, committedMicros, validThroughMicros, offsets }
  return { at, offsets: head.knownOffsets ?? [], isCertain: head.isCertain }
}

type Fresh = Pick<FreshRows, 'next' | 'holdsFrom' | 'lacking'>

/**
 * Whether the snapshot and what the live view has from its offsets on leave nothing out of what is committed, and nothing
 * out of the log on the way to where the live view is. The head itself always gives what is committed, so where it does not
 * serve, no snapshot does.
 */
export function serves({ base, head }: Choice, fresh: Fresh): boolean {
  if (fresh.lacking.length > 0) return false
  return head.offsets.every(topic =>
    Object.entries(topic.next).every(([partition, committed]) => {
      const from = offsetIn(base.offsets, topic, partition) ?? 0
      return from >= committed || reach(fresh, topic, partition, from) >= committed
    }),
  )
}

/** How far an answer is in a partition. */
export function reach(fresh: Fresh | undefined, topic: TopicLife, partition: string, from: number): number {
  const holds = fresh && offsetIn(fresh.holdsFrom, topic, partition)
  if (!fresh || holds === undefined || holds > from) return from
  return Math.max(from, offsetIn(fresh.next, topic, partition) ?? 0)
}

export type TopicLife = Pick<TopicOffsets, 'cluster' | 'epoch' | 'topic'>

/** Of another life of the topic's log nothing is said: its offsets are other messages. */
export function offsetIn(vector: OffsetVector, life: TopicLife, partition: string): number | undefined {
  return nextOf(vector, life)[partition]
}

function nextOf(vector: OffsetVector, life: TopicLife): Readonly<Record<string, number | undefined>> {
  return vector.find(own => isSameLife(own, life))?.next ?? {}
}

function isSameLife(a: TopicLife, b: TopicLife): boolean {
  return a.topic === b.topic && a.cluster === b.cluster && a.epoch === b.epoch
}

/** How far an answer is in the log, in all that the snapshot or the live view knows of it. */
export function reachedOffsets(base: Base | undefined, fresh: Fresh | undefined): OffsetVector {
  const inTable = base?.offsets ?? []
  const isKnown = (life: TopicLife) => inTable.some(own => isSameLife(own, life))
  const lives = [...inTable, ...(fresh?.next ?? []).filter(life => !isKnown(life))]
  return lives.map(life => {
    const partitions = new Set([inTable, fresh?.next ?? []].flatMap(vector => Object.keys(nextOf(vector, life))))
    const next = [...partitions].map(partition => {
      const from = offsetIn(inTable, life, partition) ?? 0
      return [partition, reach(fresh, life, partition, from)] as const
    })
    return { cluster: life.cluster, epoch: life.epoch, topic: life.topic, next: Object.fromEntries(next) }
  })
}
