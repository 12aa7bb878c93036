// What was taken in of all topics, and how far the log is with it: both at one moment, so that they speak of the same messages.
import type { ColumnBatch } from '../../contract/columns.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import { cutTaken, findCutOffs, offsetOf, type CutOff, type CutOffs, type StopPolicy } from './cut-off.ts'
import type { DeadLetter, Gap } from './intake.ts'
import { progressOf, takenOffset, vectorOf, type Place, type TopicStream } from './places.ts'
import { sampleTimes, type TopicTimes } from './sample-times.ts'
import { validThrough } from './valid-through.ts'

export interface Drained {
  batches: ColumnBatch[]
  /** Gives their memory back, when nobody reads them any more. */
  release: (() => void)[]
  rows: number
  deadLetters: DeadLetter[]
  gaps: Gap[]
  duplicates: number
  outOfOrder: number
  resets: number
  times: TopicTimes[]
  to: OffsetVector
  /** Past the gap that the stream stops at: it is recorded. */
  gapsTo: OffsetVector
  validThroughMicros: number | undefined
  /** The log's time of the last message of each partition. */
  readMicros: ReadonlyMap<Place, number | undefined>
  /** What the stream may not pass. */
  cutOff: CutOff | undefined
}

export function drainStreams(streams: readonly TopicStream[], policy: StopPolicy): Drained {
  const drained: Drained = {
    batches: [],
    release: [],
    rows: 0,
    deadLetters: [],
    gaps: [],
    duplicates: 0,
    outOfOrder: 0,
    resets: 0,
    times: [],
    to: [],
    gapsTo: [],
    validThroughMicros: undefined,
    readMicros: new Map(streams.flatMap(({ places }) => [...places.values()].map(place => [place, place.readMicros]))),
    cutOff: undefined,
  }
  const cutOffs = new Map<TopicStream, CutOffs>()
  for (const stream of streams) {
    const all = stream.intake.drain()
    const found = findCutOffs(all, policy)
    const taken = cutTaken(all, found)
    cutOffs.set(stream, found)
    drained.cutOff ??= [...found.values()][0]
    if (taken.rows.rowCount > 0) {
      drained.batches.push(taken.rows)
      drained.release.push(() => stream.intake.reuse?.(all.rows))
      drained.times.push({ topic: stream.topic, exchangeMicros: sampleTimes(taken.rows) })
    }
    drained.rows += taken.rows.rowCount
    drained.deadLetters.push(...taken.deadLetters)
    drained.gaps.push(...taken.gaps)
    drained.duplicates += taken.duplicates
    drained.outOfOrder += taken.outOfOrder
    drained.resets += taken.resets
  }
  const cutOffOf = (stream: TopicStream, partition: number) => cutOffs.get(stream)!.get(partition)
  drained.to = vectorOf(streams, (place, partition, stream) => {
    const cutOff = cutOffOf(stream, partition)
    return cutOff ? offsetOf(cutOff) : takenOffset(place)
  })
  drained.gapsTo = vectorOf(streams, (place, partition, stream) => {
    const cutOff = cutOffOf(stream, partition)
    return cutOff ? offsetOf(cutOff) + ('gap' in cutOff ? 1 : 0) : takenOffset(place)
  })
  if (!drained.cutOff)
    drained.validThroughMicros = validThrough(streams.flatMap(({ places }) => [...places.values()].map(progressOf)))
  return drained
}

/** Two drains in one commit: how far the log is with the later one. */
export function joinDrained(earlier: Drained | undefined, later: Drained): Drained {
  if (!earlier) return later
  return {
    ...later,
    batches: [...earlier.batches, ...later.batches],
    release: [...earlier.release, ...later.release],
    rows: earlier.rows + later.rows,
    deadLetters: [...earlier.deadLetters, ...later.deadLetters],
    gaps: [...earlier.gaps, ...later.gaps],
    duplicates: earlier.duplicates + later.duplicates,
    outOfOrder: earlier.outOfOrder + later.outOfOrder,
    resets: earlier.resets + later.resets,
    times: [...earlier.times, ...later.times],
  }
}
