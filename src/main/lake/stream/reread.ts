// What is read again after its offsets were set back: below these offsets of the log rows may be in the table already.
// Kept as a property of the table, as it must outlive the snapshot that set them; it is of no effect further on.
import { cellOf, type ColumnBatch } from '../../../contract/columns.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import { moveOffsets, offsetsIfKnown, offsetsText } from '../offsets.ts'

export const REREAD_KEY = 'k2.reread'

/** The property after a partition is set back from `before`. */
export function rereadUpTo(metadata: TableMetadata, before: OffsetVector): Record<string, string> {
  const known = rereadOf(metadata)
  const further = before.map(own => {
    const ends = endsOf(known, own.topic, own)
    const next = Object.entries(own.next).map(([partition, end]) => [
      partition,
      Math.max(end, (ends as Record<string, number | undefined>)[partition] ?? 0),
    ])
    return { ...own, next: Object.fromEntries(next) as Record<string, number> }
  })
  return { [REREAD_KEY]: offsetsText(moveOffsets(known, further)) }
}

/** Whether any of these rows may be there already, as far as setting offsets back is the reason. */
export function mayBeReread(metadata: TableMetadata, { columns }: ColumnBatch): boolean {
  const reread = rereadOf(metadata)
  if (reread.length === 0) return false
  const lives = offsetsIfKnown(metadata) ?? []
  const ends = new Map(lives.map(life => [life.topic, endsOf(reread, life.topic, life)]))
  const furthest = Math.max(0, ...[...ends.values()].flatMap(next => Object.values(next)))
  const { _topic: topics, _partition: partitions, _offset: offsets } = columns
  for (let row = 0; row < offsets.values.length; row++) {
    const offset = Number(offsets.values[row])
    if (offset >= furthest) continue // all of them, once what was set back is read again
    const end = ends.get(cellOf(topics, row) as string)?.[String(partitions.values[row])] ?? 0
    if (offset < end) return true
  }
  return false
}

/** Whether a part of what was set back is still to be read again, with the log so far in the table. */
export function isReread(metadata: TableMetadata, offsets: OffsetVector): boolean {
  const reread = rereadOf(metadata)
  return offsets.some(own =>
    Object.entries(endsOf(reread, own.topic, own)).some(([partition, end]) => (own.next[partition] ?? 0) < end),
  )
}

const NONE: Readonly<Record<string, number>> = {}

/** Of another life of the topic's log nothing is said: its offsets are other messages. */
function endsOf(
  vector: OffsetVector,
  topic: string,
  life: { cluster: string; epoch: string },
): Readonly<Record<string, number>> {
  const found = vector.find(own => own.topic === topic && own.cluster === life.cluster && own.epoch === life.epoch)
  return found?.next ?? NONE
}

function rereadOf({ properties }: TableMetadata): OffsetVector {
  const text = (properties as Readonly<Record<string, string | undefined>>)[REREAD_KEY]
  try {
    return text === undefined ? [] : (JSON.parse(text) as OffsetVector)
  } catch {
    return []
  }
}
