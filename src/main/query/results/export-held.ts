// A held result as a file, as the grid has it: window after window of one order, so that memory does not grow with it and
// whoever looks at the result meanwhile waits for one window at most. Parquet is written by DuckDB in one go.
import { rename, rm } from 'node:fs/promises'
import type { ColumnBatch } from '../../../contract/columns.ts'
import type { FileFormat } from '../../../contract/sql.ts'
import { exportRows } from '../export/export-rows.ts'
import { resultColumns, type HeldRows } from './hold-statement.ts'
import { copyRows, type Window, type WindowQuestion } from './read-window.ts'
import { readFileBytes } from '../export/parquet-file.ts'

const WINDOW_ROWS = 50_000

export interface HeldExport {
  rows: HeldRows
  order: Pick<WindowQuestion, 'sort' | 'filter'>
  /** So many rows from a place on, in that order. */
  read: (first: number, count: number) => Promise<Window>
  /** Does work on the result's connection when it is its turn. */
  inTurn: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>
  signal: AbortSignal
}

export async function* exportHeld(held: HeldExport, format: FileFormat): AsyncGenerator<Uint8Array, void> {
  if (format === 'parquet') yield* exportParquet(held)
  else yield* exportRows(windows(held), resultColumns(held.rows), format)
}

let written = 0

async function* exportParquet({ rows, order, inTurn, signal }: HeldExport): AsyncGenerator<Uint8Array, void> {
  const own = `${rows.file}-${++written}`
  try {
    await inTurn(async inner => {
      await copyRows(rows, order, inner)
      await rename(rows.file, own)
    })
    yield* readFileBytes(own, signal)
  } finally {
    await rm(own, { force: true })
  }
}

async function* windows({ read }: HeldExport): AsyncGenerator<ColumnBatch, void> {
  const head = await read(0, WINDOW_ROWS)
  yield head.rows
  for (let first = WINDOW_ROWS; first < head.row_count; first += WINDOW_ROWS)
    yield (await read(first, WINDOW_ROWS)).rows
}
