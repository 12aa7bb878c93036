// Loads one file's rows into a table in one commit: nothing of it can be seen before, all of it afterwards, once.
// That it was loaded is a property of the table, set by that very commit, because snapshots expire and this must not.
import type { ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { TableId } from '../../../contract/tables.ts'
import { commitChange } from '../commit/commit-change.ts'
import { removeFiles } from '../commit/write-new.ts'
import { rowsIn } from '../iceberg/data-file.ts'
import type { Lake } from '../lake.ts'
import { stageBatches } from '../write/stage-batches.ts'
import { createHandOver } from './hand-over.ts'
import { IMPORT_HASH_KEY, IMPORT_KEY, loadedBefore, markOf, type LoadedBefore } from './import-marks.ts'

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
  await lake.ensure(id)
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
  let isHandedOver = false

  return {
    async append(batch) {
      // A failed staging takes no more batches: what went wrong is told now.
      await Promise.race([rows.give(batch), staging])
    },
    async commit(hash) {
      rows.end()
      const added = await staging
      const rowCount = rowsIn(added)
      const atMs = table.clock.nowMs()
      isHandedOver = true
      const { snapshotId } = await commitChange(table, {
        operation: 'append',
        added,
        summary: { [IMPORT_KEY]: name, [IMPORT_HASH_KEY]: hash },
        properties: snapshot => markOf(hash, { snapshot, atMs, rows: rowCount, file: name }),
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
      if (isHandedOver) return // its files are the commit's, and may be in the table
      await removeFiles(
        lake,
        added.map(({ path }) => path),
      )
    },
  }
}

function loadedMeanwhile(name: string, { at, snapshotId }: LoadedBefore): Failure {
  return new Failure(
    'CONFLICT',
    `The same content as ${name} was loaded by somebody else at ${at} (snapshot ${snapshotId}); nothing was loaded twice.`,
    { details: { alreadyLoaded: { at, snapshotId } } },
  )
}
