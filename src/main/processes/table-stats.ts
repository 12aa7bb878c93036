// What is committed of each table: told from its metadata alone, no file is read.
import { timestampText } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import type { TableStats } from '../../contract/system.ts'
import { TABLES, type TableId } from '../../contract/tables.ts'
import { headOf } from '../lake/iceberg/metadata.ts'
import type { Lake } from '../lake/lake.ts'

/** A page asks each second, and the catalog may be far away. */
const FRESH_MS = 2_000

export function tableStats(lake: Pick<Lake, 'table'>): (signal?: AbortSignal) => Promise<TableStats[]> {
  let last: { atMs: number; stats: TableStats[] } | undefined

  async function look(table: TableId, signal?: AbortSignal): Promise<TableStats | undefined> {
    try {
      const { metadata } = await lake.table(table).load(signal)
      const head = headOf(metadata)
      const total = (key: string) => Number(head?.summary[key] ?? 0)
      return {
        table,
        rows: total('total-records'),
        files: total('total-data-files'),
        bytes: total('total-files-size'),
        snapshots: metadata.snapshots.length,
        snapshot_id: head?.['snapshot-id'] ?? null,
        committed_at: head ? timestampText(head['timestamp-ms'] * 1000) : null,
      }
    } catch (error) {
      // A table that was not made yet.
      if (error instanceof Failure && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  return async signal => {
    if (last && performance.now() - last.atMs < FRESH_MS) return last.stats
    const found = await Promise.all((Object.keys(TABLES) as TableId[]).map(table => look(table, signal)))
    const stats = found.filter(one => one !== undefined)
    last = { atMs: performance.now(), stats }
    return stats
  }
}
