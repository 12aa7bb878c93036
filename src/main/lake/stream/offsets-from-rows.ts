// How far the log is in a table that does not say it any more, told by its rows: behind the last one of each partition.
// What came after that and is no row is read again, and left out where it is known.
import { cellOf } from '../../../contract/columns.ts'
import type { TableId } from '../../../contract/tables.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { OffsetVector, TopicOffsets } from '../../market/topic-offsets.ts'
import { headOf } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import { planScan } from '../read/plan-scan.ts'
import { openScan } from '../read/scan.ts'
import { topicNow, type LogView } from './log-view.ts'

const PLACE = ['_topic', '_partition', '_offset']

/** A partition whose rows go beyond the log's end came from another log, and begins anew. */
export async function offsetsFromRows(lake: Lake, id: TableId, log: LogView): Promise<OffsetVector> {
  const vector: TopicOffsets[] = []
  for (const [topic, next] of await nextByTopic(lake, id)) {
    const now = await topicNow(log, topic)
    if (!now) continue
    const held = [...next].filter(([name, offset]) => {
      const range = now.ranges.find(({ partition }) => String(partition) === name)
      return range !== undefined && offset <= range.latest
    })
    if (held.length > 0) vector.push({ cluster: now.cluster, epoch: now.epoch, topic, next: Object.fromEntries(held) })
  }
  return vector
}

async function nextByTopic(lake: Lake, id: TableId): Promise<Map<string, Map<string, number>>> {
  const table = lake.table(id)
  const { metadata } = await table.known()
  const snapshotId = headOf(metadata)?.['snapshot-id']
  const found = new Map<string, Map<string, number>>()
  if (snapshotId === undefined) return found
  const { io, cache } = lake
  const release = table.pin(snapshotId)
  const connection = await lake.duck.connect()
  try {
    const filter = [{ column: '_topic', op: 'is not null' as const }]
    const plan = await planScan({ metadata, snapshotId, filter, io, cache, columns: PLACE })
    const scan = await openScan({ plan, io, connection })
    try {
      const sql = `SELECT _topic, _partition, max(_offset) + 1 AS next FROM (${scan.sql(PLACE)}) GROUP BY ALL`
      const { rowCount, columns } = await readBatch(connection, sql)
      for (let row = 0; row < rowCount; row++) {
        const topic = cellOf(columns._topic, row) as string
        const next = found.get(topic) ?? new Map<string, number>()
        found.set(topic, next.set(String(columns._partition.values[row]), Number(columns.next.values[row])))
      }
      return found
    } catch (error) {
      throw await scan.blame(error)
    } finally {
      scan.release()
    }
  } finally {
    connection.closeSync()
    release()
  }
}
