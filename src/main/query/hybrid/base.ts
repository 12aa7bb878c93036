// Which snapshot a hybrid answer stands on. It need not be the newest: one snapshot, whole, and the live view from its
// offsets on give the same rows whichever it is, as long as the live view holds everything from there on. So what was
// decoded of one stands while it serves, and is not read again at each commit.
import type { LakeReads, TableAt, TableHead } from '../../lake/reads.ts'
import { isSameLife, nextOf, offsetIn, type OffsetVector, type TopicLife } from '../../market/topic-offsets.ts'
import type { FreshRows } from '../../tail/relay-contract.ts'
import type { TailTable } from '../../../contract/tables.ts'

export interface Base {
  at: TableAt
  /** From here on rows are the live view's. Where nobody knows how far the log is in the table, all of them. */
  offsets: OffsetVector
  /** Otherwise rows may be in both, and are told by their place in the log or their message id. */
  isCertain: boolean
}

/** A table as it is now. */
export interface Ground {
  /** Its newest snapshot. */
  head: Base
  /** Another one when rows came that are not of the stream: what was read before does not go on then. */
  era: number
}

export interface Grounds {
  look: (table: TailTable, signal?: AbortSignal) => Promise<Ground>
  /** What was last seen, for when the catalog cannot be asked. */
  last: (table: TailTable) => Ground | undefined
}

export function createGrounds(reads: Pick<LakeReads, 'head'>): Grounds {
  const last = new Map<TailTable, Ground>()

  return {
    async look(table, signal) {
      const found = await reads.head(table, signal)
      const [before, head] = [last.get(table), baseOf(found)]
      const era = before && !goesOn(before.head, found) ? before.era + 1 : (before?.era ?? 0)
      const ground = { head, era }
      last.set(table, ground)
      return ground
    },
    last: table => last.get(table),
  }
}

function goesOn({ at: { snapshotId }, isCertain }: Base, now: TableHead): boolean {
  if (snapshotId === now.snapshotId) return true
  return snapshotId !== undefined && isCertain && now.isCertain && now.goesOnFrom(snapshotId)
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
export function serves(base: Base, head: Base, fresh: Fresh): boolean {
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

/** How far an answer is in the log, in all that the snapshot or the live view knows of it. */
export function reachedOffsets(base: Pick<Base, 'offsets'> | undefined, fresh: Fresh | undefined): OffsetVector {
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
