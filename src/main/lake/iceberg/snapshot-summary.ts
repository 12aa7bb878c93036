// The counters of a snapshot's summary: what it added and removed, and what the table has then.
import type { DataFile } from './data-file.ts'
import type { Operation, Summary } from './metadata.ts'

export interface SummaryOf {
  operation: Operation
  added: readonly DataFile[]
  removed: readonly DataFile[]
  /** Without a parent the table was empty. */
  parent?: Summary
  extra?: Readonly<Record<string, string>>
}

export function snapshotSummary({ operation, added, removed, parent, extra }: SummaryOf): Summary {
  const plus = countsOf(added)
  const minus = countsOf(removed)
  const changed = {
    'added-data-files': plus.dataFiles,
    'added-delete-files': plus.deleteFiles,
    'added-position-delete-files': plus.positionDeleteFiles,
    'added-equality-delete-files': plus.equalityDeleteFiles,
    'added-records': plus.records,
    'added-files-size': plus.bytes,
    'added-position-deletes': plus.positionDeletes,
    'added-equality-deletes': plus.equalityDeletes,
    'deleted-data-files': minus.dataFiles,
    'removed-delete-files': minus.deleteFiles,
    'removed-position-delete-files': minus.positionDeleteFiles,
    'removed-equality-delete-files': minus.equalityDeleteFiles,
    'deleted-records': minus.records,
    'removed-files-size': minus.bytes,
    'removed-position-deletes': minus.positionDeletes,
    'removed-equality-deletes': minus.equalityDeletes,
    'changed-partition-count': changedPartitions([...added, ...removed]),
  }
  const totals = {
    'total-data-files': plus.dataFiles - minus.dataFiles,
    'total-delete-files': plus.deleteFiles - minus.deleteFiles,
    'total-records': plus.records - minus.records,
    'total-files-size': plus.bytes - minus.bytes,
    'total-position-deletes': plus.positionDeletes - minus.positionDeletes,
    'total-equality-deletes': plus.equalityDeletes - minus.equalityDeletes,
  }
  const counters: Record<string, string> = {}
  for (const [key, count] of Object.entries(changed)) if (count > 0) counters[key] = String(count)
  for (const [key, change] of Object.entries(totals)) {
    const total = totalOf(parent, key, change)
    if (total !== undefined) counters[key] = total
  }
  return { ...counters, ...extra, operation }
}

/** Unknown stays unknown: where the parent does not say, or what it says does not fit. */
function totalOf(parent: Summary | undefined, key: string, change: number): string | undefined {
  const before = parent ? parent[key] : '0'
  if (before === undefined || !/^\d+$/.test(before)) return undefined
  const total = BigInt(before) + BigInt(change)
  return total < 0n ? undefined : String(total)
}

function countsOf(files: readonly DataFile[]) {
  const counts = {
    dataFiles: 0,
    deleteFiles: 0,
    positionDeleteFiles: 0,
    equalityDeleteFiles: 0,
    records: 0,
    positionDeletes: 0,
    equalityDeletes: 0,
    bytes: 0,
  }
  for (const { content, recordCount, fileBytes } of files) {
    counts.bytes += fileBytes
    if (content === 'data') {
      counts.dataFiles++
      counts.records += recordCount
      continue
    }
    counts.deleteFiles++
    if (content === 'position-deletes') {
      counts.positionDeleteFiles++
      counts.positionDeletes += recordCount
    } else {
      counts.equalityDeleteFiles++
      counts.equalityDeletes += recordCount
    }
  }
  return counts
}

function changedPartitions(files: readonly DataFile[]): number {
  return new Set(files.map(({ specId, partition }) => `${specId} ${partition.map(String).join('\0')}`)).size
}
