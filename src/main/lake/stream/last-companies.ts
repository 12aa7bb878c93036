// What is known of companies: the rows of reference data from a topic, in the log's order, of each company the last one.
import { emptyBatch, type ColumnBatch } from '../../../contract/columns.ts'
import { TABLES } from '../../../contract/tables.ts'
import { headOf } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import type { Condition } from '../read/filter.ts'
import { planScan } from '../read/plan-scan.ts'
import { openScan } from '../read/scan.ts'
import { readBatch } from '../../duck/read-batch.ts'

const NEWEST_OF_EACH = 'QUALIFY row_number() OVER (PARTITION BY company_id ORDER BY _partition DESC, _offset DESC) = 1'

/** `before` leaves out what comes in the log at this place and later, and other partitions. */
export async function lastCompanies(
  lake: Lake,
  topic: string,
  before?: { partition: number; offset: number },
): Promise<ColumnBatch> {
  await lake.ensure('reference_data')
  const { metadata } = await lake.table('reference_data').load()
  const snapshotId = headOf(metadata)?.['snapshot-id']
  if (snapshotId === undefined) return emptyBatch(TABLES.reference_data.columns)
  const { io, cache } = lake
  const filter: Condition[] = [{ column: '_topic', op: '=', value: topic }]
  if (before) {
    filter.push({ column: '_partition', op: '=', value: before.partition })
    filter.push({ column: '_offset', op: '<', value: BigInt(before.offset) })
  }
  const plan = await planScan({ metadata, snapshotId, filter, io, cache })
  const connection = await lake.duck.connect()
  try {
    const scan = await openScan({ plan, io, connection })
    try {
      return await readBatch(connection, `SELECT * FROM (${scan.sql()}) ${NEWEST_OF_EACH}`)
    } finally {
      scan.release()
    }
  } finally {
    connection.closeSync()
  }
}
