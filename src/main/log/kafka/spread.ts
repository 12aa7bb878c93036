// Which lane a message waits in: that of the partition its key belongs to, also when there are fewer than before.
import { partitionOf } from '../../market/partition.ts'
import { putBack, type Lane, type Piece } from './lanes.ts'

export interface Topic {
  /** Another one when it was deleted and made anew. */
  id: string | undefined
  lanes: Lane[]
  keys: Map<string, { bytes: Uint8Array; partition: number }>
  lookedAt: number
}

const MAX_CACHED_KEYS = 100_000

export function keyOf({ keys, lanes }: Topic, key: string): { bytes: Uint8Array; partition: number } {
  let known = keys.get(key)
  if (!known) {
    if (keys.size >= MAX_CACHED_KEYS) keys.clear()
    known = { bytes: Buffer.from(key), partition: partitionOf(key, lanes.length) }
    keys.set(key, known)
  }
  return known
}

/** Behind what waits already, in their order. */
export function enqueue(topic: Topic, { append, rows: all }: Piece): void {
  const { keys } = append.messages
  const partitions = new Uint32Array(all.length)
  const counts = new Uint32Array(topic.lanes.length)
  for (let i = 0; i < all.length; i++) counts[(partitions[i] = keyOf(topic, keys[all[i]]).partition)]++
  const rows = topic.lanes.map((_, partition) => new Uint32Array(counts[partition]))
  counts.fill(0)
  for (let i = 0; i < all.length; i++) rows[partitions[i]][counts[partitions[i]]++] = all[i]
  for (const { pieces, partition } of topic.lanes)
    if (rows[partition].length > 0) pieces.push({ append, rows: rows[partition] })
}

/**
 * Puts what waits where its keys belong now, in the order each key had: from lanes whose partitions are no more, also a
 * batch in doubt, as nothing of it is in a topic without them, and from the others. A batch in a request stays there; if it is
 * refused, its messages come behind those that waited.
 */
export function spreadAnew(topic: Topic, removed: readonly Lane[]): void {
  for (const lane of removed) if (lane.batch && !lane.inRequest) putBack(lane, lane.batch)
  const waiting = [...removed, ...topic.lanes].flatMap(({ pieces }) => pieces.splice(0))
  for (const piece of waiting) enqueue(topic, piece)
}
