// What all files of one write share, looked up once in the table's metadata.
import { Failure } from '../../../contract/failure.ts'
import { currentSchema, specOf, type TableMetadata } from '../iceberg/metadata.ts'
import type { FileIO } from '../io/file-io.ts'
import { sortColumnsOf, type SortColumn } from './sort-rows.ts'
import type { WriteTarget } from './write-file.ts'

export interface TargetOptions {
  io: FileIO
  metadata: TableMetadata
  specId: number
  signal?: AbortSignal
}

/** `compressionLevel` 1 for files that compaction will soon replace. Without sort columns rows keep the order they come in. */
export function writeTarget(
  { io, metadata, specId, signal }: TargetOptions,
  compressionLevel: number,
): {
  target: WriteTarget
  sort: readonly SortColumn[]
} {
  const spec = specOf(metadata, specId)
  if (!spec)
    throw new Failure(
      'INVALID_INPUT',
      `The table at ${metadata.location} has no partition spec ${specId}; nothing was written.`,
    )
  const schema = currentSchema(metadata)
  const sortOrderId = metadata['default-sort-order-id']
  const order = metadata['sort-orders'].find(candidate => candidate['order-id'] === sortOrderId)
  const sort = order && sortColumnsOf(order, schema)
  return {
    target: { io, metadata, schema, spec, compressionLevel, signal, ...(sort && { sortOrderId }) },
    sort: sort ?? [],
  }
}
