// Rows that the table and the live view may both have, as another engine has written to the table or offsets were set back:
// the table's are left out, told by their place in the log, or by their message id where they have no place.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { takeRows } from '../../../contract/take-rows.ts'
import type { RowRun } from './merge-rows.ts'

export function leaveOutKnown({ batch, from, to }: RowRun, live: ColumnBatch): RowRun {
  const [places, ids] = [new Set<string>(), new Set<unknown>()]
  const [placeOf, idOf] = [placesOf(live), textsOf(live.columns.message_id)]
  for (let row = 0; row < live.rowCount; row++) {
    places.add(placeOf(row)!)
    ids.add(idOf(row))
  }
  const [ownPlaceOf, ownIdOf] = [placesOf(batch), textsOf(batch.columns.message_id)]
  const kept: number[] = []
  for (let row = from; row < to; row++) {
    const place = ownPlaceOf(row)
    if (place === undefined ? !ids.has(ownIdOf(row)) : !places.has(place)) kept.push(row)
  }
  return kept.length === to - from
    ? { batch, from, to }
    : { batch: takeRows(batch, Uint32Array.from(kept)), from: 0, to: kept.length }
}

/** With its time: the same offset of a topic that was made anew is another message. */
export function placesOf({ columns }: ColumnBatch): (row: number) => string | undefined {
  const { _topic: topics, _partition: partitions, _offset: offsets, exchange_timestamp: times } = columns
  const topicOf = textsOf(topics)
  return row =>
    [topics, partitions, offsets].some(column => column.nulls?.[row])
      ? undefined
      : `${partitions.values[row]} ${offsets.values[row]} ${times.values[row]} ${String(topicOf(row))}`
}

export function textsOf({ values, words }: Column): (row: number) => unknown {
  return row => words?.[Number(values[row])]
}
