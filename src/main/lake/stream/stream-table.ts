// A table as the writer of a stream sees it: rows are staged into files and committed with how far the log is then.
// A commit that failed may be asked for again with the same rows: it is made once, whatever became of it before.
import { randomUUID } from 'node:crypto'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { TableId } from '../../../contract/tables.ts'
import type { StagedRows, StreamTable } from '../../market/stream-table.ts'
import { commitChange } from '../commit/commit-change.ts'
import { OutcomeUnknown } from '../commit/commit-until-landed.ts'
import { findCommit } from '../commit/find-commit.ts'
import { removeFiles } from '../commit/write-new.ts'
import { coarserSpecs } from '../iceberg/coarser-specs.ts'
import { rowsIn, type DataFile } from '../iceberg/data-file.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import { offsetsAt } from '../offsets.ts'
import { stageBatches } from '../write/stage-batches.ts'
import { createWriters, type Writers } from '../write/writers.ts'
import { leaveOutKnown } from './known-rows.ts'
import { mayBeReread } from './reread.ts'
import { lastSequences } from './last-sequences.ts'

/** What is staged, and whether it may be in the table by now. */
interface Staged {
  files: readonly DataFile[]
  tableUuid: string
  mayBeThere: boolean
}

export function createStreamTable(lake: Lake, id: TableId): StreamTable {
  const table = lake.table(id)
  const known = new WeakMap<StagedRows, Staged>()
  let writers: Promise<Writers> | undefined
  /** Commits that failed, by their content: the same one again goes on under its id. */
  const failed = new Map<string, string>()

  const openWriters = () => (writers ??= lake.duck.connect().then(connection => createWriters(connection)))

  return {
    id,

    async offsets() {
      await lake.ensure(id)
      return offsetsAt((await table.known()).metadata)
    },

    async stage(batches, signal) {
      const { metadata } = await table.known()
      const files = await stageBatches({
        writers: await openWriters(),
        io: table.io,
        metadata,
        specId: specFor(metadata),
        spec: table.definition.spec,
        batches: await freshOf(lake, id, metadata, batches, signal),
        signal,
      })
      const staged: Staged = { files, tableUuid: metadata['table-uuid'], mayBeThere: false }
      const rows: StagedRows = {
        rows: rowsIn(files),
        async discard() {
          if (staged.mayBeThere) return
          await removeFiles(
            table,
            files.map(({ path }) => path),
          )
        },
      }
      known.set(rows, staged)
      return rows
    },

    async commit({ staged: given, offsets, validThroughMicros, summary }) {
      const staged = given.map(rows => known.get(rows)!)
      const added = staged.flatMap(({ files }) => files)
      const content = JSON.stringify([added.map(({ path }) => path), offsets])
      const before = failed.get(content)
      const landed = before === undefined ? undefined : findCommit((await table.load()).metadata, before)
      if (landed) return done(landed['snapshot-id'])
      const commitId = before ?? randomUUID()
      try {
        const change = { operation: 'append', added, keepsFiles: true, commitId, offsets, validThroughMicros } as const
        const refuse = (metadata: TableMetadata) => refuseOther(table.name.name, metadata, staged)
        const { snapshotId } = await commitChange(table, { ...change, summary, refuse })
        return done(snapshotId)
      } catch (error) {
        if (error instanceof OutcomeUnknown) markThere()
        noteFailed(failed, content, commitId)
        throw error
      }

      function done(snapshotId: string): { snapshotId: string } {
        failed.delete(content)
        markThere()
        return { snapshotId }
      }

      function markThere(): void {
        for (const rows of staged) rows.mayBeThere = true
      }
    },

    lastSequences: (topic, dayOf) => lastSequences(lake, id, topic, dayOf),
  }
}

/** What nobody asks for again is forgotten. */
const MOST_FAILED = 16

function noteFailed(failed: Map<string, string>, content: string, commitId: string): void {
  failed.delete(content)
  failed.set(content, commitId)
  for (const oldest of failed.keys()) if (failed.size > MOST_FAILED) failed.delete(oldest)
}

/**
 * What is there already from an earlier reading of the same messages is left out: of what is written beside rows always,
 * as it is rare and never older than what is there; of rows where offsets were set back.
 */
async function freshOf(
  lake: Lake,
  id: TableId,
  metadata: TableMetadata,
  batches: readonly ColumnBatch[],
  signal?: AbortSignal,
): Promise<readonly ColumnBatch[]> {
  const isBeside = id === 'dead_letters' || id === 'sequence_gaps'
  const fresh = batches.map(async batch => {
    if (batch.rowCount === 0 || !(isBeside || mayBeReread(metadata, batch))) return batch
    return (await leaveOutKnown(lake, id, { metadata, batch }, signal)).batch
  })
  return Promise.all(fresh)
}

/**
 * The plainer one: one file a day. Sixteen cost 0.6 µs a row more of 200,000 and 1.5 µs of 50,000 (measured: ten
 * milliseconds of processor time a file), and say little more, as a file is in the order of its symbols. Compaction
 * brings the rows to the table's own partitions.
 */
function specFor(metadata: TableMetadata): number {
  return coarserSpecs(metadata).at(0)?.['spec-id'] ?? metadata['default-spec-id']
}

/** Files lie below the table they were written for, with its columns. */
function refuseOther(name: string, metadata: TableMetadata, staged: readonly Staged[]): void {
  if (staged.every(({ tableUuid }) => tableUuid === metadata['table-uuid'])) return
  throw new Failure(
    'CONFLICT',
    `The table ${name} was dropped and made anew meanwhile. Nothing was committed to the new one; start again.`,
  )
}
