// Rows that came from the live view, to be read as those of a table are.
import type { ColumnBatch } from '../../contract/columns.ts'
import { atTime, placeBefore, type Place } from './place.ts'
import { compareKeys, keysOf, timeColumnOf } from './row-order.ts'
import type { RowSource } from './row-source.ts'
import { takeOwnRows } from './slice-batch.ts'
import type { TableReader } from './table-reader.ts'

/** Only goes on: whoever goes back reads the tables. Rows before `sinceMicros` are passed over. */
export function memoryReader(source: RowSource, given: ColumnBatch, sinceMicros: number): TableReader {
  const batch = inOrder(source, given)
  const times = batch.columns[timeColumnOf(source.order)].values as Float64Array
  const from = atTime(times[0] ?? 0)
  const to: Place = atTime((times.at(-1) ?? 0) + 1)
  const first = times.findIndex(time => time >= sinceMicros)
  let at = first < 0 ? times.length : first
  return {
    source,
    range: undefined,
    place: () => placeBefore(times, at, from, to),
    seek() {},
    load: direction =>
      Promise.resolve(
        direction === 1 && at < times.length
          ? { block: { batch, times, from, to }, at, count: times.length - at }
          : undefined,
      ),
    pass(rows, direction) {
      at += rows * direction
    },
    nextMicros: () => times[at] ?? Infinity,
    close() {},
  }
}

/** The live view gives its rows in the order of events. */
function inOrder({ order, columns }: RowSource, batch: ColumnBatch): ColumnBatch {
  if (order === 'event' || batch.rowCount < 2) return batch
  const times = batch.columns[timeColumnOf(order)].values as Float64Array
  const keys = keysOf(order, 1)
  const rows = Uint32Array.from(times.keys()).sort(
    (a, b) => times[a] - times[b] || compareKeys(batch, a, batch, b, keys),
  )
  return takeOwnRows(batch, rows, [...new Set([...columns, ...keys])])
}
