// Which deletes of other engines apply to which data files. What cannot be applied here is refused by name, never
// skipped: equality deletes, deletion vectors, and deletes that are not Parquet.
import { Failure } from '../../../contract/failure.ts'
import type { DataFile, ManifestEntry } from '../iceberg/data-file.ts'
import type { PartitionSpec } from '../iceberg/metadata.ts'
import type { ScanFile } from './file-index.ts'

/** The reserved column of position deletes that names the data file. */
const FILE_PATH_ID = 2147483546

interface Delete {
  file: DataFile
  sequenceNumber: number
}

export type DeleteMatcher = (scanFile: ScanFile) => ScanFile

/** Deletes apply within their partition; equality deletes of an unpartitioned spec apply to the whole table. */
export function matchDeletes(entries: readonly ManifestEntry[], specs: readonly PartitionSpec[]): DeleteMatcher {
  const unpartitioned = new Set(specs.filter(spec => spec.fields.every(isVoid)).map(spec => spec['spec-id']))
  const byPartition = new Map<string, Delete[]>()
  const everywhere: Delete[] = []
  for (const { status, file, sequenceNumber } of entries) {
    if (status === 'deleted') continue
    const entry = { file, sequenceNumber: sequenceNumber ?? 0 }
    if (file.content === 'equality-deletes' && unpartitioned.has(file.specId)) everywhere.push(entry)
    else {
      const key = partitionKey(file)
      const others = byPartition.get(key)
      if (others) others.push(entry)
      else byPartition.set(key, [entry])
    }
  }
  return scanFile => {
    const candidates = [...(byPartition.get(partitionKey(scanFile.file)) ?? []), ...everywhere]
    const deletes = candidates.filter(entry => applies(entry, scanFile)).map(({ file }) => file)
    deletes.forEach(file => refuseUnreadable(file, scanFile.file))
    return deletes.length === 0 ? scanFile : { ...scanFile, deletes }
  }
}

function isVoid({ transform }: { transform: string }): boolean {
  return transform === 'void'
}

function applies({ file, sequenceNumber }: Delete, data: ScanFile): boolean {
  if (file.content === 'equality-deletes') return data.sequenceNumber < sequenceNumber
  return data.sequenceNumber <= sequenceNumber && mayName(file, data.file.path)
}

/** Whether a position delete's bounds leave room for this path: those made for one file have its path as both bounds. */
function mayName({ lowerBounds, upperBounds }: DataFile, path: string): boolean {
  const lower = lowerBounds?.get(FILE_PATH_ID)
  const upper = upperBounds?.get(FILE_PATH_ID)
  if (!lower && !upper) return true
  const bytes = Buffer.from(path)
  return !(lower && Buffer.compare(lower, bytes) > 0) && !(upper && Buffer.compare(upper, bytes) < 0)
}

function partitionKey({ specId, partition }: DataFile): string {
  const values = partition.map(value => {
    if (typeof value === 'bigint') return `n${value}` // as a number of an int that became a long
    if (typeof value === 'number') return `n${value}`
    return value instanceof Uint8Array ? `x${Buffer.from(value).toString('hex')}` : value
  })
  return JSON.stringify([specId, values])
}

function refuseUnreadable(file: DataFile, data: DataFile): void {
  const what =
    file.content === 'equality-deletes'
      ? 'equality deletes'
      : file.format === 'PUFFIN'
        ? 'a deletion vector'
        : file.format !== 'PARQUET'
          ? `position deletes in ${file.format}`
          : undefined
  if (!what) return
  throw new Failure(
    'INVALID_INPUT',
    `${file.path} holds ${what} for ${data.path}, which K2 does not read; nothing was answered, since deleted rows ` +
      `would come back. Have the engine that wrote it rewrite the table's data files (Spark: rewrite_data_files with ` +
      `delete-file-threshold 1), or ask for an earlier snapshot.`,
    { details: { deleteFile: file.path, dataFile: data.path } },
  )
}
