// Rows as the bytes of a file, batch by batch: memory does not grow with their number.
import { Failure } from '../../../contract/failure.ts'
import type { ColumnBatch } from '../../../contract/columns.ts'
import type { FileFormat } from '../../../contract/sql.ts'
import { rowsToJsonLines } from '../../base/rows-to-json.ts'
import type { NamedType } from './arrow-schema.ts'
import { createArrowWriter } from './rows-to-arrow.ts'
import { csvHead, rowsToCsv } from './rows-to-csv.ts'
import { tameTimes } from './tame-times.ts'

/** Those that are written as the rows come; Parquet is written by DuckDB. */
export type RowFormat = Exclude<FileFormat, 'parquet'>

export async function* exportRows(
  batches: AsyncIterable<ColumnBatch>,
  /** Every column in its order, with its type as DuckDB names it. */
  columns: readonly NamedType[],
  format: RowFormat,
): AsyncGenerator<Uint8Array, void> {
  const names = columns.map(({ name }) => name)
  if (format === 'arrow') {
    const writer = createArrowWriter(columns)
    for await (const batch of batches) yield* writer.write(batch)
    yield* writer.end()
    return
  }
  if (format === 'csv') yield csvHead(names)
  for await (const batch of batches) {
    const tamed = tameTimes(batch)
    const bytes = format === 'csv' ? rowsToCsv(tamed, names) : rowsToJsonLines(tamed)
    if (bytes.length > 0) yield bytes
  }
}

/** Names that two columns share cannot be told apart in a file, nor in an answer. */
export function checkNames(columns: readonly NamedType[]): void {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(name))
      throw new Failure('INVALID_INPUT', `Two columns are called ${name}: give one another name with AS.`)
    seen.add(name)
  }
}
