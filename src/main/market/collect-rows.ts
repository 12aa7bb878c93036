// Messages decoded one after the other into columns that grow: what is on its way from the log into a table.
// Like decode-rows.ts, but nobody says before how many there will be, and ids stay the bytes they are.
import type { Column, ColumnBatch } from '../../contract/columns.ts'
import type { TableSpec } from '../../contract/tables.ts'
import { createGrowingColumn } from './growing-columns.ts'
import type { GrowingColumn } from './growing-part.ts'
import { createCursor, type Cursor } from './decode-primitives.ts'
import { createWireDecoder, type SchemaOf } from './decode-wire.ts'

export interface RowCollector {
  rowCount: () => number
  bytes: () => number
  /** Room for so many more rows; reading relies on it having been made. */
  reserve: (rows: number) => void
  /** The message from `at` to `end` of the cursor, as strictly as can be. When it throws, there is no trace of it. */
  read: (cursor: Cursor, offset: number, logMicros: number) => void
  /** Says where the rows from `from` on came from. */
  place: (from: number, topic: string, partition: number) => void
  /** Takes the rows away again from `from` on. */
  cutBack: (from: number) => void
  /** Of the rows from `from` on, takes those away that have a mark. */
  takeOut: (from: number, marks: Uint8Array) => void
  column: (name: string) => GrowingColumn
  /** What was collected, and starts anew with nothing shared. */
  drain: () => ColumnBatch
  /** What was drained and nobody reads any more: its memory is for rows to come. */
  reuse: (drained: ColumnBatch) => void
}

const FIRST_ROWS = 1024
/** Of a batch beyond the one before. */
const SPARE_SHARE = 1.1

export function createRowCollector(table: TableSpec, schemaOf?: SchemaOf): RowCollector {
  const columns = new Map<string, GrowingColumn>()
  for (const spec of table.columns) columns.set(spec.name, createGrowingColumn(spec))
  const all = [...columns.values()]
  const inMessage = [...columns].filter(([name]) => !name.startsWith('_'))
  const sinks = Object.fromEntries(inMessage.map(([name, { sink }]) => [name, sink]))
  const decode = createWireDecoder(table, sinks, 'check', schemaOf)
  const [topics, partitions, offsets] = ['_topic', '_partition', '_offset'].map(name => columns.get(name)!)
  const ingested = columns.get('ingestion_timestamp')!

  let capacity = 0
  let count = 0
  let logMicros = 0
  // What the producer did not say, the log does.
  ingested.sink.none = row => void (ingested.values()[row] = logMicros)

  function grow(rows: number): void {
    capacity = rows
    for (const column of all) column.grow(rows)
  }

  function cutBack(from: number): void {
    for (const column of all) for (let row = from; row < count; row++) column.forget(row)
    count = from
  }

  return {
    rowCount: () => count,
    bytes: () => all.reduce((sum, column) => sum + column.bytes(count), 0),
    reserve(rows) {
      if (count + rows > capacity) grow(Math.max(count + rows, capacity * 2, FIRST_ROWS))
    },
    read(cursor, offset, time) {
      logMicros = time
      try {
        decode(cursor, count)
      } catch (error) {
        for (const column of all) column.forget(count)
        throw error
      }
      offsets.values()[count++] = offset
    },
    place(from, topic, partition) {
      if (from === count) return
      const cursor = createCursor(Buffer.from(topic))
      cursor.to = cursor.bytes.length
      if ('take' in topics.sink) topics.sink.take(cursor, from)
      const codes = topics.values() as Uint32Array
      codes.fill(codes[from], from, count)
      ;(partitions.values() as Int32Array).fill(partition, from, count)
    },
    cutBack,
    takeOut(from, marks) {
      let to = from
      for (let row = from; row < count; row++) {
        if (marks[row - from]) continue
        if (to < row) for (const column of all) column.move(row, to)
        to++
      }
      cutBack(to)
    },
    column: name => columns.get(name)!,
    drain() {
      const drained: Record<string, Column> = {}
      for (const [name, column] of columns) drained[name] = column.finish(count)
      const rowCount = count
      count = 0
      grow(Math.max(FIRST_ROWS, Math.ceil(rowCount * SPARE_SHARE)))
      return { rowCount, columns: drained }
    },
    reuse(drained) {
      for (const [name, column] of columns) column.reuse(drained.columns[name])
    },
  }
}
