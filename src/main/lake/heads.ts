// How far the log is in the tables, for those who follow and read no rows: without DuckDB.
import { Failure } from '../../contract/failure.ts'
import type { TableId } from '../../contract/tables.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import { offsetsAt } from './offsets.ts'
import { openStorage, type StorageOptions } from './storage.ts'
import { NAMESPACE } from './tables.ts'

export interface LakeHeads {
  /** How far the log is in a table; nothing where there is no such table. */
  offsets: (id: TableId, signal?: AbortSignal) => Promise<OffsetVector | undefined>
  close: () => Promise<void>
}

export async function openLakeHeads(options: StorageOptions): Promise<LakeHeads> {
  const { io, catalog } = await openStorage(options)
  return {
    async offsets(id, signal) {
      try {
        const { metadata } = await catalog.loadTable({ namespace: NAMESPACE, name: id }, signal)
        return offsetsAt(metadata)
      } catch (error) {
        if (error instanceof Failure && error.code === 'NOT_FOUND') return undefined
        throw error
      }
    },
    async close() {
      await catalog.close()
      await io.close()
    },
  }
}
