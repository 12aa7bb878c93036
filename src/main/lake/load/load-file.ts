// Loads one file's rows into a table in one commit: nothing of it can be seen before, all of it afterwards, once.
// That it was loaded is a property of the table, set by that very commit, because snapshots expire and this must not.
import type { ColumnBatch } from '../../../contract/columns.ts'
import { timestampText } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { TableId } from '../../../contract/tables.ts'
import { commitChange } from '../commit/commit-change.ts'
import { removeFiles } from '../commit/write-new.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import { stageBatches } from '../write/stage-batches.ts'
import { createHandOver } from './hand-over.ts'

export interface LoadedBefore {
  /** When, as ISO 8601. */
  at: string
  snapshotId: string
}

export interface FileLoad {
  append: (batch: ColumnBatch) => Promise<void>
  commit: (contentHash: string) => Promise<{ snapshotId: string; rows: number }>
  abort: () => Promise<void>
}

export interface FileToLoad {
  /** As it was named, for people. */
  name: string
  contentHash: string | undefined
}

/** What was loaded before is not loaded again, but with `again`. */
export async function loadFile(
  lake: Lake,
  id: TableId,
  { name, contentHash }: FileToLoad,
  again: boolean,
): Promise<FileLoad | { alreadyLoaded: LoadedBefore }> {
  await lake.init()
  const table = lake.table(id)
  const { metadata } = await table.load()
  const before = contentHash === undefined || again ? undefined : loadedBefore(metadata, contentHash)
  if (before) return { alreadyLoaded: before }

  const rows = createHandOver<ColumnBatch>()
  const abort = new AbortController()
  const connection = await lake.duck.connect()
  const staging = stageBatches({
    connection,
    io: lake.io,
    metadata,
    specId: metadata['default-spec-id'],
    spec: table.definition.spec,
    batches: rows.taken,
    signal: abort.signal,
  }).finally(() => connection.closeSync())
  staging.catch(() => {}) // told where it is awaited

  return {
    async append(batch) {
      // A failed staging takes no more batches: what went wrong is told now.
      await Promise.race([rows.give(batch), staging])
    },
    async commit(hash) {
      rows.end()
      const added = await staging
      const rowCount = added.reduce((sum, { recordCount }) => sum + recordCount, 0)
      const atMs = table.clock.nowMs()
      const { snapshotId } = await commitChange(table, {
        operation: 'append',
        added,
        summary: { 'k2.import': name, 'k2.import-hash': hash },
        properties: snapshot => ({ [keyOf(hash)]: JSON.stringify({ snapshot, atMs, rows: rowCount, file: name }) }),
        refuse(now) {
          const other = again ? undefined : loadedBefore(now, hash)
          if (other) throw loadedMeanwhile(name, other)
        },
      })
      return { snapshotId, rows: rowCount }
    },
    async abort() {
      abort.abort()
      rows.end()
      const added = await staging.catch(() => [])
      await removeFiles(
        lake,
        added.map(({ path }) => path),
      )
    },
  }
}

/** Half of a SHA-256: still no two files by chance, and a table may know thousands. */
function keyOf(contentHash: string): string {
  return `k2.import.${contentHash.slice(0, 32)}`
}

function loadedBefore({ properties }: TableMetadata, contentHash: string): LoadedBefore | undefined {
  const text = properties[keyOf(contentHash)]
  if (text === undefined) return undefined
  const { snapshot, atMs } = JSON.parse(text) as { snapshot: string; atMs: number }
  return { at: timestampText(atMs * 1000), snapshotId: snapshot }
}

function loadedMeanwhile(name: string, { at, snapshotId }: LoadedBefore): Failure {
  return new Failure(
    'CONFLICT',
    `The same content as ${name} was loaded by somebody else at ${at} (snapshot ${snapshotId}); nothing was loaded twice.`,
    { details: { alreadyLoaded: { at, snapshotId } } },
  )
}
