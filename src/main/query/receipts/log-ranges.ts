// Stretches of the log that an answer reached beyond its snapshot: which rows of a table those are, and what of them the
// live view must still have.
import { Failure } from '../../../contract/failure.ts'
import { quoteText } from '../../duck/quote.ts'
import { offsetIn, type OffsetVector } from '../../market/topic-offsets.ts'
import type { FreshRows } from '../../tail/relay-contract.ts'

export interface LogRange {
  topic: OffsetVector[number]
  partition: string
  from: number
  to: number
}

/** What lies between, of every partition where something does. */
export function rangesBetween(start: OffsetVector, end: OffsetVector): LogRange[] {
  return end.flatMap(topic =>
    Object.entries(topic.next).flatMap(([partition, to]) => {
      const from = offsetIn(start, topic, partition) ?? 0
      return from < to ? [{ topic, partition, from, to }] : []
    }),
  )
}

export function rowsIn(ranges: readonly LogRange[]): string[] {
  return ranges.map(({ topic, partition, from, to }) => {
    const of = `_topic = ${quoteText(topic.topic)} AND _partition = ${Number(partition)}`
    return `(${of} AND _offset >= ${Number(from)} AND _offset < ${Number(to)})`
  })
}

/** Of every partition that `end` names, where the further of two is. */
export function furtherOf(end: OffsetVector, one: OffsetVector, other: OffsetVector): OffsetVector {
  return end.map(topic => {
    const next = Object.keys(topic.next).map(partition => {
      const [a, b] = [one, other].map(vector => offsetIn(vector, topic, partition) ?? 0)
      return [partition, Math.max(a, b)] as const
    })
    return { ...topic, next: Object.fromEntries(next) }
  })
}

export function refuseUnlessHeld({ holdsFrom, next }: FreshRows, ranges: readonly LogRange[]): void {
  const isHeld = ({ topic, partition, from, to }: LogRange) => {
    const [first = Infinity, end = 0] = [offsetIn(holdsFrom, topic, partition), offsetIn(next, topic, partition)]
    return first <= from && end >= to
  }
  if (ranges.every(isHeld)) return
  const what =
    'Rows of this answer are not in the tables yet, and no longer in memory, so they cannot be given again now.'
  throw new Failure('UNAVAILABLE', `${what} Ask again when the writer has come past them; see k2 ingest offsets show.`)
}
