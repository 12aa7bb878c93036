// One symbol's rows out of many small files in one reading. A table that a stream writes to has hundreds of them until they
// are put together, and a query for each takes six times as long: most of it is the query, not the file.
import { readParts, type RowSpan } from '../../duck/read-parts.ts'
import type { Column } from '../../../contract/columns.ts'
import type { Lease } from '../pool.ts'
import { columnsOf, filterOf, selectSql, storedColumns } from './read-block.ts'
import type { BlockColumns, BlockFile, BlockTools, ScanFile } from './read-block.ts'

const FILE = 'k2_file'

/** By the path of the file; of files without deletes, each in its own order. */
export async function readSmallFiles(
  { reads }: Pick<BlockTools, 'reads'>,
  { at, exchange, files, symbol }: Omit<BlockFile, 'file'> & { files: readonly ScanFile[]; symbol: string },
  names: readonly string[],
  { connection, signal }: Lease,
): Promise<ReadonlyMap<string, BlockColumns>> {
  const wanted = new Set(files.map(({ file }) => file.path))
  const columns = storedColumns(names)
  const isWanted = ({ file }: ScanFile) => wanted.has(file.path)
  const filter = filterOf({ symbols: [symbol], exchange })
  const rows = await reads.open(at, { filter, columns, isWanted }, connection, signal)
  try {
    const sql = selectSql(rows.sql(columns, FILE), names, [FILE])
    const parts = await readParts(connection, sql, spansOf(rows.order.length), signal)
    return new Map(rows.order.map(({ file }, i) => [file.path, columnsOf(parts[i])]))
  } catch (error) {
    throw await rows.blame(error)
  } finally {
    rows.release()
  }
}

/** Rows stand by the number of their file. */
function spansOf(fileCount: number): (file: Column) => RowSpan[] {
  return ({ values }) => {
    const counts = new Uint32Array(fileCount)
    for (let row = 0; row < values.length; row++) counts[values[row] as number]++
    let from = 0
    return Array.from(counts, count => ({ from, to: (from += count) }))
  }
}
