// How far the writer is in each partition: what it has read, what it has committed, what the log has.
import type { PartitionRange } from '../log/message-log.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { Intake } from './intake.ts'
import type { PartitionProgress } from './valid-through.ts'

export interface Place {
  /** Before it all is in the table already: read once more only to be remembered. */
  start: number
  /** Where reading goes on. */
  next: number
  /** What the table says; undefined where it says nothing. */
  committed: number | undefined
  /** What the log held when the writer began: from … to. The end is kept up with. */
  earliest: number
  latest: number
  /** The log's time of the last message read. */
  readMicros: number | undefined
  /** The log's time of the last message that is in the table, as far as this writer knows. */
  committedMicros: number | undefined
}

export interface TopicStream {
  topic: string
  cluster: string
  epoch: string
  /** To the table: what retention took of it before anything was read was never asked for. */
  isNew: boolean
  intake: Intake
  places: Map<number, Place>
}

/** All of a partition is wanted where nothing else is said, also what retention has taken of it: that must be told. */
export function newPlace({ earliest, latest } = { earliest: 0, latest: 0 }, start = 0): Place {
  const nothing = { committed: undefined, readMicros: undefined, committedMicros: undefined }
  return { start, next: start, earliest, latest, ...nothing }
}

export function placeOf({ places }: TopicStream, partition: number): Place {
  let place = places.get(partition)
  if (!place) places.set(partition, (place = newPlace()))
  return place
}

/** Where the log is by now. */
export function learnRanges(stream: TopicStream, ranges: readonly PartitionRange[]): void {
  for (const { partition, earliest, latest } of ranges) {
    const place = placeOf(stream, partition)
    place.earliest = earliest
    place.latest = Math.max(place.latest, latest)
  }
}

/** Of a topic that was deleted: nothing more is to come, so it has no lag and holds back no other. */
export function endAtWhatIsRead({ places }: TopicStream): void {
  for (const place of places.values()) place.latest = takenOffset(place)
}

/** The messages before are taken in, or are in the table. */
export function takenOffset({ start, next }: Place): number {
  return Math.max(start, next)
}

export function vectorOf(
  streams: Iterable<TopicStream>,
  offsetOf: (place: Place, partition: number, stream: TopicStream) => number | undefined,
): OffsetVector {
  return [...streams].flatMap(stream => {
    const { topic, cluster, epoch, places } = stream
    const next: Record<string, number> = {}
    for (const [partition, place] of places) {
      const offset = offsetOf(place, partition, stream)
      if (offset !== undefined) next[partition] = offset
    }
    return Object.keys(next).length > 0 ? [{ cluster, epoch, topic, next }] : []
  })
}

/** Messages that wait in the log: not read yet, and not committed yet. */
export function lagOf(place: Place): { unread: number; uncommitted: number } {
  const { earliest, latest, committed } = place
  return {
    unread: Math.max(0, latest - takenOffset(place)),
    uncommitted: Math.max(0, latest - (committed ?? earliest)),
  }
}

export function progressOf(place: Place): PartitionProgress {
  return { lastMicros: place.readMicros, isAtEnd: takenOffset(place) >= place.latest }
}
