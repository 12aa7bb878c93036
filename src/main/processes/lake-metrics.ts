// What the lake does, in the metrics table's names.
import { Failure } from '../../contract/failure.ts'
import { TABLES, type TableId } from '../../contract/tables.ts'
import { headOf } from '../lake/iceberg/metadata.ts'
import type { Lake } from '../lake/lake.ts'
import type { CommitEvent } from '../lake/table.ts'
import { NAMESPACE } from '../lake/tables.ts'
import type { Metrics } from '../metrics/metrics.ts'

export function countCommit(
  metrics: Metrics,
  { table, operation, rows, elapsedMs, attempts = 1, error }: CommitEvent,
): void {
  if (error !== undefined) {
    const code = error instanceof Failure ? error.code : 'INTERNAL'
    metrics.add('k2_iceberg_commit_failures_total', 1, { table })
    metrics.add('k2_iceberg_write_errors_total', 1, { table, error_type: code })
    return
  }
  metrics.add('k2_iceberg_transactions_total', 1)
  metrics.add('k2_iceberg_commit_retries_total', attempts - 1, { table })
  metrics.observe('k2_iceberg_write_duration_seconds', elapsedMs / 1000, { table, operation })
  if (operation === 'replace') metrics.add('k2_iceberg_compactions_total', 1)
  if (operation !== 'append') return
  metrics.add('k2_iceberg_rows_written_total', rows, { table })
  metrics.observe('k2_iceberg_transaction_rows', rows)
}

export async function fillLakeMetrics(metrics: Metrics, lake: Lake): Promise<void> {
  const names = await lake.catalog.listTables(NAMESPACE)
  const ours = (Object.keys(TABLES) as TableId[]).filter(id => names.some(({ name }) => name === id))
  const tables = await Promise.all(ours.map(async id => (await lake.table(id).load()).metadata))
  const total = (key: string) => tables.reduce((sum, one) => sum + Number(headOf(one)?.summary[key] ?? 0), 0)
  metrics.set('k2_iceberg_table_size_bytes', total('total-files-size'))
  metrics.set('k2_iceberg_data_files', total('total-data-files'))
  metrics.set(
    'k2_iceberg_snapshot_count',
    tables.reduce((sum, { snapshots }) => sum + snapshots.length, 0),
  )
}
