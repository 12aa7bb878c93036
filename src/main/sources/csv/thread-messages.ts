// What the thread that reads a CSV file and the one that loads it say to each other. Columns cross without a copy.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import type { WireFailure } from '../../../contract/failure.ts'
import { packedColumn, packedTextsOf, type PackedTexts } from '../../market/packed-texts.ts'
import type { Step } from '../file-source.ts'
import type { CsvOptions } from './csv-source.ts'

/** What the thread is started with. */
export interface ThreadWork {
  path: string
  options: CsvOptions
}

export type FromThread =
  | { kind: 'ready' }
  | { kind: 'step'; step: Omit<Step, 'batch'>; batch?: CrossingBatch }
  | { kind: 'failed'; failure: WireFailure }
  | { kind: 'done' }

/** To the thread: a step was taken, so that another may come. */
export const TAKEN = 'taken'

export interface CrossingBatch {
  rowCount: number
  columns: Record<string, Column | { packed: PackedTexts }>
}

/** The second are what the batch gives away. */
export function toCrossing({ rowCount, columns }: ColumnBatch): [CrossingBatch, ArrayBuffer[]] {
  const given = new Set<ArrayBuffer>()
  const give = (bytes: ArrayBufferView | undefined) => bytes && given.add(bytes.buffer as ArrayBuffer)
  const crossing = Object.entries(columns).map(([name, column]): [string, CrossingBatch['columns'][string]] => {
    const packed = packedTextsOf(column)
    if (packed) {
      give(packed.bytes)
      give(packed.ends)
      return [name, { packed }]
    }
    give(column.values)
    give(column.nulls)
    return [name, column]
  })
  return [{ rowCount, columns: Object.fromEntries(crossing) }, [...given]]
}

export function fromCrossing({ rowCount, columns }: CrossingBatch): ColumnBatch {
  const entries = Object.entries(columns).map(([name, column]): [string, Column] => [
    name,
    'packed' in column ? packedColumn(column.packed) : column,
  ])
  return { rowCount, columns: Object.fromEntries(entries) }
}
