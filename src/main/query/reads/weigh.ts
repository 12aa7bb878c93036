// What an answer takes in memory, roughly.
import type { ColumnBatch } from '../../../contract/columns.ts'
import { bytesOfColumn } from '../blocks/combine-columns.ts'
import type { Weighed } from '../../base/bounded-cache.ts'

export type { Weighed } from '../../base/bounded-cache.ts'

const BYTES_BESIDE_COLUMNS = 2_000

export function weigh<T extends { batch: ColumnBatch }>(answer: T): T & Weighed {
  const columns = Object.values(answer.batch.columns).map(bytesOfColumn)
  return { ...answer, bytes: columns.reduce((sum, bytes) => sum + bytes, BYTES_BESIDE_COLUMNS) }
}
