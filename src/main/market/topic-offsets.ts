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
