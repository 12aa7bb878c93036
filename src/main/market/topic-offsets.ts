// How far a reader is in a log: the next offset of every partition. In the summary of a snapshot it says how far the log
// is in a table.

/** The next offsets of one topic's partitions, in one life of one log. */
export interface TopicOffsets {
  cluster: string
  epoch: string
  topic: string
  next: Readonly<Record<string, number>>
}
export type OffsetVector = readonly TopicOffsets[]

export type TopicLife = Pick<TopicOffsets, 'cluster' | 'epoch' | 'topic'>

/** Of another life of the topic's log nothing is said: its offsets are other messages. */
export function offsetIn(vector: OffsetVector, life: TopicLife, partition: number | string): number | undefined {
  return nextOf(vector, life)[partition]
}

export function nextOf(vector: OffsetVector, life: TopicLife): Readonly<Record<string, number | undefined>> {
  return vector.find(own => isSameLife(own, life))?.next ?? {}
}

export function isSameLife(a: TopicLife, b: TopicLife): boolean {
  return a.topic === b.topic && a.cluster === b.cluster && a.epoch === b.epoch
}
