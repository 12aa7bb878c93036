// Writes the rows of one compaction unit anew, partition by partition, so that no more than one is in work at a time.
import type { DuckDBConnection } from '@duckdb/node-api'
import { cellOf } from '../../../contract/columns.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { removeFiles } from '../commit/write-new.ts'
import { rowsIn, type DataFile } from '../iceberg/data-file.ts'
import { specOf, type TableMetadata } from '../iceberg/metadata.ts'
import { fieldOfId, type Value } from '../iceberg/schema.ts'
import { transformOf } from '../iceberg/transform.ts'
import type { Lake } from '../lake.ts'
import type { ScanFile } from '../read/file-index.ts'
import type { ScanPlan } from '../read/plan-scan.ts'
import { openScan, type OpenScan } from '../read/scan.ts'
import { sqlLiteral, sqlName } from '../read/sql-literal.ts'
import { stageQuery } from '../write/stage-query.ts'
import type { CompactionUnit } from './plan-compaction.ts'

export interface UnitToStage {
  metadata: TableMetadata
  plan: ScanPlan
  unit: CompactionUnit
  signal?: AbortSignal
}

/**
 * Rows after which the sorter is opened anew. What DuckDB frees stays with the thread it happened to run on, and the next
 * partition runs on another: measured, resident memory grew by 100 MB a partition until each thread had its share.
 */
const ROWS_A_SORTER = 300_000

export async function stageUnit(lake: Lake, toStage: UnitToStage): Promise<DataFile[]> {
  const { metadata, plan, unit, signal } = toStage
  const { io } = lake
  const specId = metadata['default-spec-id']
  const opened: OpenScan[] = []
  const staged: DataFile[] = []
  let sorter = await openSorter(lake)
  let rows = 0
  const open = async (files: readonly ScanFile[]) => {
    const { connection } = sorter
    const scan = await openScan({ plan: { ...plan, files, filter: [] }, io, connection, signal })
    opened.push(scan)
    return scan
  }
  try {
    for (const { partition, selects } of await partsOf(sorter.connection, { metadata, plan, unit, open, signal })) {
      if (rows > ROWS_A_SORTER) {
        await sorter.close()
        sorter = await openSorter(lake)
        rows = 0
      }
      const { connection } = sorter
      const select = selects.join('\nUNION ALL BY NAME\n')
      const files = await stageQuery({ connection, io, metadata, specId, partition, select, signal })
      staged.push(...files)
      rows += rowsIn(files)
    }
    return staged
  } catch (error) {
    await removeFiles(
      lake,
      staged.map(({ path }) => path),
    )
    throw error
  } finally {
    await sorter.close()
    for (const scan of opened) scan.release()
  }
}

async function openSorter(lake: Lake): Promise<{ connection: DuckDBConnection; close: () => Promise<void> }> {
  const { connect, close } = await lake.openSorter()
  return { connection: await connect(), close }
}

type Partition = readonly (Value | null)[]
interface Part {
  partition: Partition
  selects: string[]
}
interface Parting extends UnitToStage {
  open: (files: readonly ScanFile[]) => Promise<OpenScan>
}

/** The partitions a unit's rows go to, and where to read them. */
async function partsOf(connection: DuckDBConnection, parting: Parting): Promise<Part[]> {
  const { unit, open } = parting
  const parts = new Map<string, Part>()
  const add = (partition: Partition, select: string) => {
    const key = JSON.stringify(partition.map(String))
    const part = parts.get(key) ?? { partition, selects: [] }
    part.selects.push(select)
    parts.set(key, part)
  }
  for (const { partition, files } of unit.fine) add(partition, (await open(files)).sql())
  if (unit.coarse.length > 0) {
    const coarse = await open(unit.coarse)
    for (const [value, condition] of await conditionsOf(connection, coarse, parting)) {
      add([...unit.shared, value], `SELECT * FROM (${coarse.sql()}) WHERE ${condition}`)
    }
  }
  return [...parts.values()]
}

/** What parts coarse files: the distinct values of the column that the default spec parts by and theirs does not. */
async function conditionsOf(
  connection: DuckDBConnection,
  coarse: OpenScan,
  { metadata, plan, unit, signal }: Parting,
): Promise<Map<Value | null, string>> {
  const [finer, ...others] = specOf(metadata, metadata['default-spec-id'])!.fields.slice(unit.shared.length)
  if (others.length > 0) throw new Error('A table of ours parts its coarse files by one more field at the most.')
  const { name, type } = fieldOfId(plan.schema, finer['source-id'])!
  const transform = transformOf(finer.transform)
  const { rowCount, columns } = await readBatch(connection, `SELECT DISTINCT * FROM (${coarse.sql([name])})`, signal)
  const literals = new Map<Value | null, string[]>()
  for (let row = 0; row < rowCount; row++) {
    const value = cellOf(columns[name], row) as string | null
    const partition = transform.apply(type as string, value)
    const literal = value === null ? [] : [sqlLiteral(type as string, value)]
    literals.set(partition, [...(literals.get(partition) ?? []), ...literal])
  }
  return new Map(
    [...literals].map(([partition, values]) => [
      partition,
      partition === null ? `${sqlName(name)} IS NULL` : `${sqlName(name)} IN (${values.join(', ')})`,
    ]),
  )
}
