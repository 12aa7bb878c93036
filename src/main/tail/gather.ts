// From chosen rows to a column batch. Everything is copied, so an answer outlives what it was taken from.
import type { Column, ColumnBatch } from '../../contract/columns.ts'
import { TAIL_TABLES, type TailTable } from '../../contract/tables.ts'
import { createCursor, pointCursor } from '../market/decode-primitives.ts'
import { createRowDecoder } from '../market/decode-rows.ts'
import type { SchemaOf } from '../market/decode-wire.ts'
import { copyHotColumns } from './hot-columns.ts'
import type { Rows } from './rows.ts'
import { PAIR_COLUMNS } from './segment.ts'
import type { Store } from './store.ts'

/** `hot` are the columns held ready; `all` are all of the table's, for which the messages are read again. */
export type Width = 'hot' | 'all'

/** What has these columns. */
export function widthFor(dataType: TailTable, columns: readonly string[]): Width {
  const hot = hotNames(dataType)
  return columns.every(name => hot.has(name) || name.startsWith('_')) ? 'hot' : 'all'
}

function hotNames(dataType: TailTable): Set<string> {
  return new Set([...PAIR_COLUMNS[dataType], 'exchange_timestamp', 'symbol', 'exchange'])
}

export function createGather(store: Store, schemaOf?: SchemaOf): (rows: Rows, width: Width) => ColumnBatch {
  const table = TAIL_TABLES[store.dataType]
  const hot = hotNames(store.dataType)
  const cold = new Set(table.columns.map(({ name }) => name).filter(name => !hot.has(name) && !name.startsWith('_')))
  const decoder = createRowDecoder(table, cold, schemaOf)
  const cursor = createCursor()

  function readColdColumns({ ats, runs }: Rows): ColumnBatch['columns'] {
    decoder.begin(ats.length)
    for (const { segment, from, to } of runs) {
      pointCursor(cursor, segment.bytes)
      cursor.end = segment.usedBytes
      for (let row = from; row < to; row++) {
        cursor.at = segment.starts[ats[row] / segment.stride]
        decoder.read(cursor, row)
      }
    }
    return decoder.columns()
  }

  return function gather(rows, width) {
    const columns = copyHotColumns(store, rows)
    if (width === 'all') {
      Object.assign(columns, readColdColumns(rows))
      standInLogTimes(columns.ingestion_timestamp, rows)
    }
    const ordered = table.columns.filter(({ name }) => columns[name]).map(({ name }) => [name, columns[name]])
    return { rowCount: rows.ats.length, columns: Object.fromEntries(ordered) as ColumnBatch['columns'] }
  }
}

/** A producer may leave the time of ingestion to the log. */
function standInLogTimes(column: Column, { ats, runs }: Rows): void {
  const { nulls, values } = column
  if (!nulls) return
  for (const { segment, from, to } of runs)
    for (let row = from; row < to; row++) if (nulls[row]) values[row] = segment.logTimes[ats[row]]
  delete column.nulls
}
