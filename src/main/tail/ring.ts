// The chain of segments: rows come in at the newest, leave at the oldest. A row's position only grows and is never reused.
import type { TailTable } from '../../contract/tables.ts'
import { NONE, type LogBatch } from '../market/log-batch.ts'
import { createSegment, rowBytes, type Segment, type SegmentSize } from './segment.ts'

export interface Ring {
  readonly dataType: TailTable
  readonly maxBytes: number
  readonly segmentSize: SegmentSize
  oldest: Segment
  newest: Segment
  /** Position of the oldest row held; equal to `head` when there is none. */
  tail: number
  /** The position the next row will get. */
  head: number
  /** Memory of a segment of the usual size. */
  readonly usualSize: number
  /** Memory of all segments, the spare one too. */
  size: number
  /** Memory of the instruments' lists of positions. */
  listBytes: number
  /** One that is empty again. */
  spare?: Segment
}

/** A row's place in the list of its instrument, which may be half empty. */
const LIST_BYTES = 8
/** Memory goes a segment at a time: this many make up all there may be. */
const SEGMENTS_IN_RING = 64
const MAX_SEGMENT_ROWS = 8192
const MIN_SEGMENT_ROWS = 64
/** A usual message and its columns; a segment that gets others fills one of the two before the other. */
const USUAL_MESSAGE_BYTES = 112

export function createRing(dataType: TailTable, maxBytes: number): Ring {
  const fitting = Math.floor(maxBytes / SEGMENTS_IN_RING / (rowBytes(dataType) + USUAL_MESSAGE_BYTES))
  const rows = Math.min(MAX_SEGMENT_ROWS, Math.max(MIN_SEGMENT_ROWS, fitting))
  const segmentSize = { rows, bytes: rows * USUAL_MESSAGE_BYTES }
  const first = createSegment(dataType, segmentSize)
  return {
    dataType,
    maxBytes,
    segmentSize,
    usualSize: first.size,
    oldest: first,
    newest: first,
    tail: 0,
    head: 0,
    size: first.size,
    listBytes: 0,
  }
}

/** About so many messages of the usual size. */
export function roomFor({ dataType, maxBytes }: Ring): number {
  return Math.floor(maxBytes / (rowBytes(dataType) + USUAL_MESSAGE_BYTES))
}

/** How many of these messages, from the first on, the newest segment has room for. */
export function countFitting({ newest, segmentSize }: Ring, { starts, ends, count }: LogBatch, from: number): number {
  const most = Math.min(count, from + segmentSize.rows - newest.count)
  let room = newest.bytes.length - newest.usedBytes
  let to = from
  while (to < most && (room -= sizeOf(starts[to], ends[to])) >= 0) to++
  return to - from
}

/** Of a value; one that is none takes no room. */
export function sizeOf(start: number, end: number): number {
  return start === NONE ? 0 : end - start
}

/** A new newest segment with room for such a message. `evict` lets the rows before a position go when memory demands it. */
export function addSegment(ring: Ring, messageBytes: number, evict: (end: number) => void): void {
  const { rows, bytes } = ring.segmentSize
  const isUsual = messageBytes <= bytes
  const extra = isUsual ? 0 : messageBytes - bytes
  const lists = () => LIST_BYTES * (ring.head - ring.tail + rows)
  const needed = () => (isUsual && ring.spare ? 0 : ring.usualSize + extra) + lists()
  while (ring.tail < ring.head && ring.size + needed() > ring.maxBytes) evict(ring.oldest.first + ring.oldest.count)
  const segment = (isUsual && ring.spare) || createSegment(ring.dataType, { rows, bytes: bytes + extra })
  if (segment === ring.spare) ring.spare = undefined
  else ring.size += segment.size
  segment.first = ring.head
  segment.older = ring.newest
  ring.newest.newer = segment
  ring.newest = segment
  releaseSegments(ring)
}

/** Lets go of the segments that lie wholly before the tail; one is kept for the next time one is needed. */
export function releaseSegments(ring: Ring): void {
  while (ring.oldest.newer && ring.oldest.first + ring.oldest.count <= ring.tail) {
    const segment = ring.oldest
    ring.oldest = ring.oldest.newer
    ring.oldest.older = undefined
    if (!ring.spare && segment.size === ring.usualSize) ring.spare = emptySegment(segment)
    else ring.size -= segment.size
  }
}

function emptySegment(segment: Segment): Segment {
  return Object.assign(segment, { count: 0, usedBytes: 0, latestTime: -Infinity, older: undefined, newer: undefined })
}

/** The segment of a position that is held. */
export function findSegment({ newest }: Ring, position: number): Segment {
  let segment = newest
  while (position < segment.first) segment = segment.older!
  return segment
}
