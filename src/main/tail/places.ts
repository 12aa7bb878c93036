// The partitions that rows come from: how much of each the tail holds, and how far each is in the tables.
import { Failure } from '../../contract/failure.ts'
import type { LogBatch } from '../market/log-batch.ts'
import type { OffsetVector, TopicOffsets } from '../market/topic-offsets.ts'

/** A topic in one life: made anew it has another epoch, and its offsets are other messages. */
export type LogTopic = Omit<TopicOffsets, 'next'>

export interface Place extends LogTopic {
  partition: number
  /** Offset of the first row held, or where the next would be. */
  firstOffset: number
  nextOffset: number
  /** Every message from here to `nextOffset` is held, unless it is no row or a repeat; 0 where the log never had more. */
  wholeFrom: number
  /** What lies below is in the tables; Infinity while nobody is known to write it. */
  committed: number
  /** Its topic was made anew, or lost its end: these offsets are other messages now. */
  isGone: boolean
  /** Where some of its rows lie, in order: the way from an offset to a position. */
  readonly marks: Mark[]
}

interface Mark {
  position: number
  offset: number
}

export interface Places {
  /** By code, which rows carry; those of topics that are gone stay. */
  readonly all: Place[]
  /** Those of topics as they are now. */
  current(): Place[]
  /** The code of a batch's partition. */
  codeOf(batch: LogBatch): number
  /**
   * Where reading begins in a partition, or goes on. `isEarliest`: the log holds nothing before. What was read of another
   * life of the topic, or from here on, is gone.
   */
  begin(topic: LogTopic, partition: number, offset: number, isEarliest: boolean): void
  /** How far the log is in the tables. Topics that are not named are left as they are. */
  noteCommitted(vector: OffsetVector): void
  /** From where on a partition's messages are not in the tables; Infinity where nobody is known to write it, and nothing
   * while the tables have not been heard of. */
  uncommittedFrom: (topic: string, partition: number) => number | undefined
}

/** Rows carry their place in 16 bits. */
const MAX_PLACES = 65_535
/** Between two marks; from one of them on, an offset is looked for row by row. */
const ROWS_BETWEEN_MARKS = 512

export function createPlaces(): Places {
  const all: Place[] = []
  /** Of those that are not gone. */
  const codes = new Map<string, number>()
  let vector: OffsetVector = []
  let hasHeard = false

  function add(topic: LogTopic, partition: number, firstOffset: number, wholeFrom: number): number {
    if (all.length > MAX_PLACES) {
      const many = `A tail reads ${MAX_PLACES + 1} partitions at most`
      throw new Failure('UNAVAILABLE', `${many}; set K2_TOPICS to fewer topics.`)
    }
    const offsets = { firstOffset, nextOffset: firstOffset, wholeFrom }
    const place: Place = { ...topic, partition, ...offsets, committed: Infinity, isGone: false, marks: [] }
    place.committed = committedOf(vector, place) ?? Infinity
    const code = all.push(place) - 1
    codes.set(nameOf(topic.topic, partition), code)
    return code
  }

  return {
    all,
    current: () => [...codes.values()].map(code => all[code]),
    codeOf({ topic, partition, count, offsets, nextOffset }) {
      const known = codes.get(nameOf(topic, partition))
      if (known !== undefined) return known
      const first = count > 0 ? offsets[0] : nextOffset
      return add({ cluster: '', epoch: '', topic }, partition, first, first)
    },
    begin(topic, partition, offset, isEarliest) {
      const code = codes.get(nameOf(topic.topic, partition))
      const wholeFrom = isEarliest ? 0 : offset
      if (code === undefined) return void add(topic, partition, offset, wholeFrom)
      if (isSameLife(all[code], topic) && offset >= all[code].nextOffset) return skipTo(all[code], offset)
      // Nobody will ever write what is left of the life before.
      Object.assign(all[code], { committed: Infinity, isGone: true })
      add(topic, partition, offset, wholeFrom)
    },
    noteCommitted(said) {
      hasHeard = true
      const names = new Set(said.map(({ topic }) => topic))
      vector = [...vector.filter(({ topic }) => !names.has(topic)), ...said]
      for (const code of codes.values()) {
        const place = all[code]
        // Of another life of the topic: nobody writes this one.
        if (names.has(place.topic)) place.committed = committedOf(said, place) ?? Infinity
      }
    },
    uncommittedFrom(topic, partition) {
      if (!hasHeard) return undefined
      const code = codes.get(nameOf(topic, partition))
      if (code !== undefined) return all[code].committed
      // Nobody reads it yet.
      const said = vector.find(one => one.topic === topic)
      return said ? (said.next[partition] ?? 0) : Infinity
    },
  }
}

/** What lies between is missing from now on. */
export function skipTo(place: Place, offset: number): void {
  if (offset === place.nextOffset) return
  place.wholeFrom = place.nextOffset = offset
}

/** The next offset of a place in a vector: 0 where it has the topic, but not the partition; nothing without the topic. */
export function committedOf(vector: OffsetVector, place: LogTopic & { partition: number }): number | undefined {
  const same = vector.find(said => said.topic === place.topic && isSameLife(said, place))
  return same && (same.next[place.partition] ?? 0)
}

/** The rows from `position` on begin at an offset. */
export function markPlace({ marks }: Place, mark: Mark, tail: number): void {
  const last = marks.at(-1)
  if (last && mark.position - last.position < ROWS_BETWEEN_MARKS) return
  marks.push(mark)
  let gone = 0
  while (gone + 1 < marks.length && marks[gone + 1].position <= tail) gone++
  if (gone > 0) marks.splice(0, gone)
}

/** A position at or before that of the first row from an offset on. */
export function positionBefore({ marks, nextOffset }: Place, offset: number, tail: number, head: number): number {
  if (offset >= nextOffset) return head
  const mark = marks.findLast(known => known.offset <= offset)
  return Math.max(tail, mark?.position ?? tail)
}

function isSameLife(a: LogTopic, b: LogTopic): boolean {
  return a.cluster === b.cluster && a.epoch === b.epoch
}

function nameOf(topic: string, partition: number): string {
  return `${partition} ${topic}`
}
