// A held result as a file, as the grid has it: window after window of one order, so that memory does not grow with it and
// whoever looks at the result meanwhile waits for one window at most.
import type { ColumnBatch } from '../../../contract/columns.ts'
import type { FileFormat } from '../../../contract/sql.ts'
import { duckTypeOf } from '../export/duck-types.ts'
import { exportRows } from '../export/export-rows.ts'
import { writeParquet } from '../export/write-parquet.ts'
import type { Window } from './read-window.ts'

const WINDOW_ROWS = 50_000

export interface HeldExport {
  /** So many rows from a place on, in the order that is wanted. */
  read: (first: number, count: number) => Promise<Window>
  format: FileFormat
  tempFolder: string
  signal: AbortSignal
}

export async function* exportHeld({ read, format, tempFolder, signal }: HeldExport): AsyncGenerator<Uint8Array, void> {
  const head = await read(0, WINDOW_ROWS)
  const columns = Object.entries(head.rows.columns).map(([name, column]) => ({ name, type: duckTypeOf(column) }))
  const batches = windowsFrom(head, read)
  if (format === 'parquet') yield* writeParquet(batches, columns, { tempFolder, signal })
  else yield* exportRows(batches, columns, format)
}

async function* windowsFrom(head: Window, read: HeldExport['read']): AsyncGenerator<ColumnBatch, void> {
  yield head.rows
  for (let first = WINDOW_ROWS; first < head.row_count; first += WINDOW_ROWS)
    yield (await read(first, WINDOW_ROWS)).rows
}
