// Compaction: the small files of a partition written together, sorted, beside writers and readers. Rows stay what they
// are, the log's offsets are inherited, and a unit is replaced whole or not at all.
import { Failure } from '../../../contract/failure.ts'
import { commitChange } from '../commit/commit-change.ts'
import { removeFiles } from '../commit/write-new.ts'
import { rowsIn, type DataFile } from '../iceberg/data-file.ts'
import { headOf, type TableMetadata } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import { planScan, type ScanPlan } from '../read/plan-scan.ts'
import type { LakeTable } from '../table.ts'
import { planCompaction, sourcesOf, type CompactionUnit } from './plan-compaction.ts'
import { stageUnit } from './stage-unit.ts'

export interface Compacted {
  partitions: number
  files_before: number
  files_after: number
  rows: number
  bytes_before: number
  bytes_after: number
  commits: number
  snapshot_id: string | null
}

/** Units that others changed meanwhile are planned anew, this often. */
const MOST_ROUNDS = 3

export async function compactTable(
  lake: Lake,
  table: LakeTable,
  { minFiles, signal }: { minFiles: number; signal?: AbortSignal },
): Promise<Compacted> {
  const done: Compacted = { ...NOTHING }
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const overtaken = await compactOnce(lake, table, { minFiles, signal, done })
    if (!overtaken) break
  }
  return done
}

const NOTHING: Compacted = {
  partitions: 0,
  files_before: 0,
  files_after: 0,
  rows: 0,
  bytes_before: 0,
  bytes_after: 0,
  commits: 0,
  snapshot_id: null,
}

interface Round {
  minFiles: number
  signal?: AbortSignal
  done: Compacted
}

/** Whether somebody else's commit was in the way of a unit. */
async function compactOnce(lake: Lake, table: LakeTable, { minFiles, signal, done }: Round): Promise<boolean> {
  const { metadata } = await table.load(signal)
  const head = headOf(metadata)
  if (!head) return false
  const snapshotId = head['snapshot-id']
  const release = table.pin(snapshotId)
  try {
    const { io, cache } = lake
    const plan = await planScan({ metadata, snapshotId, filter: [], io, cache, signal })
    let overtaken = false
    for (const unit of planCompaction(metadata, plan.files, { minFiles })) {
      overtaken = !(await compactUnit(lake, table, { metadata, plan, unit, signal, done })) || overtaken
    }
    return overtaken
  } finally {
    release()
  }
}

interface UnitWork {
  metadata: TableMetadata
  plan: ScanPlan
  unit: CompactionUnit
  signal?: AbortSignal
  done: Compacted
}

async function compactUnit(lake: Lake, table: LakeTable, work: UnitWork): Promise<boolean> {
  const { plan, unit, signal, done } = work
  const sources = sourcesOf(unit)
  const removed = sources.map(({ file }) => file)
  const added = await stageUnit(lake, work)
  try {
    // Where nothing was deleted, as many rows must come out as went in; else nothing is committed.
    const deletes = sources.some(scanned => scanned.deletes.length > 0)
    if (!deletes && rowsIn(added) !== rowsIn(removed)) throw rowsLost(table, rowsIn(removed), rowsIn(added))
  } catch (error) {
    await removeFiles(
      table,
      added.map(({ path }) => path),
    )
    throw error
  }
  try {
    const change = { operation: 'replace', added, removed, readAt: plan.snapshotId, mergeManifests: true } as const
    const { snapshotId } = await commitChange(table, change, signal)
    done.partitions += unit.fine.length || 1
    done.files_before += removed.length
    done.files_after += added.length
    done.rows += rowsIn(added)
    done.bytes_before += bytesIn(removed)
    done.bytes_after += bytesIn(added)
    done.commits++
    done.snapshot_id = snapshotId
    return true
  } catch (error) {
    // Its files were replaced or rows deleted from them meanwhile: what was staged is gone, the next round sees it.
    if (error instanceof Failure && error.code === 'CONFLICT') return false
    throw error
  }
}

function bytesIn(files: readonly DataFile[]): number {
  return files.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
}

function rowsLost({ name }: LakeTable, before: number, after: number): Failure {
  return new Failure(
    'CORRUPT',
    `Compacting ${name.name} read ${after} rows where its files say ${before}; nothing was changed. Check them with \`k2 lake verify\`.`,
  )
}
