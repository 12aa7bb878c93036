// Rows of the explorer for elsewhere: some to the clipboard, all of them into a file.
import type { GridRow } from '../../grid/cell-text.ts'
import type { GridHandle } from '../../grid/result-grid.tsx'
import type { HeldResult } from '../../stores/held-result.ts'
import { grouped } from '../../ui/decimal-text.ts'

const MOST_COPIED = 10_000
const AS_STATED = { sort: [], filter: [] }

/** Those picked; else the first ones as the grid has them, sorted and filtered. */
export async function copyRows(result: HeldResult, grid: GridHandle | undefined): Promise<GridRow[]> {
  const picked = grid?.picked() ?? []
  if (picked.length > 0) return picked
  const { sort, filter } = grid?.order() ?? AS_STATED
  const { rows } = await result.window(0, MOST_COPIED, sort, filter)
  return Array.from({ length: rows.rowCount }, (_, row) => ({ batch: rows, row }))
}

const NAMES = { csv: 'CSV', parquet: 'Parquet' }
const TYPES = { csv: 'text/csv', parquet: 'application/vnd.apache.parquet' }

export function fileTitle({ is_truncated, row_count }: HeldResult, format: 'csv' | 'parquet'): string {
  const all = `All rows as ${NAMES[format]}`
  return is_truncated
    ? `${all}; where they are sorted or filtered here, only of the first ${grouped(row_count)}, which are held`
    : `${all}, sorted and filtered as they are here`
}

/** The engine streams the file, sorted and filtered as the grid is; says how large it became, and what is not in it. */
export async function download(
  result: HeldResult,
  grid: GridHandle | undefined,
  format: 'csv' | 'parquet',
): Promise<string> {
  const { sort, filter } = grid?.order() ?? AS_STATED
  const parts: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  for await (const part of result.file(format, sort, filter)) {
    parts.push(part as Uint8Array<ArrayBuffer>)
    bytes += part.byteLength
  }
  const name = `k2-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.${format}`
  const url = URL.createObjectURL(new Blob(parts, { type: TYPES[format] }))
  const anchor = Object.assign(document.createElement('a'), { href: url, download: name })
  anchor.click()
  // The browser takes the file up after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
  const saved = `${name}, ${grouped(Math.ceil(bytes / 1000))} kB`
  const isOfHeld = result.is_truncated && (sort.length > 0 || filter.length > 0)
  return isOfHeld
    ? `${saved}: only the first ${grouped(result.row_count)} rows are held; they alone are in the file`
    : saved
}
