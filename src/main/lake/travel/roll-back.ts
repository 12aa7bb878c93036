// Makes a table what it was at a snapshot, by a new snapshot on top: history stays, and readers at it go on.
// The log's offsets stay where they are, so that what the rollback took away is not written a second time;
// with `reingest` they go back too, and the writer reads it from the log again.
import { randomUUID } from 'node:crypto'
import type { LoadedTable } from '../catalog/catalog.ts'
import { commitUntilLanded, type Prepared } from '../commit/commit-until-landed.ts'
import { findCommit } from '../commit/find-commit.ts'
import { newSnapshotId, prepareHead } from '../commit/new-head.ts'
import { headOf, snapshotOf, type Snapshot, type TableMetadata, type Update } from '../iceberg/metadata.ts'
import { snapshotSummary } from '../iceberg/snapshot-summary.ts'
import { rewindMarks } from '../load/import-marks.ts'
import { COMMIT_ID_KEY, inheritedKeys, offsetsAt, OFFSETS_KEY, offsetsText, VALID_THROUGH_KEY } from '../offsets.ts'
import { filesIn } from '../maintain/reachable-files.ts'
import { requireSnapshot } from '../read/resolve-snapshot.ts'
import type { LakeTable } from '../table.ts'
import { without } from './without.ts'

export const ROLLED_BACK_TO_KEY = 'k2.rolled-back-to'

export interface RolledBack {
  snapshot: Snapshot
  before: Snapshot | undefined
}

export function rollBack(table: LakeTable, target: string, { reingest = false } = {}): Promise<RolledBack> {
  return table.inTurn(async () => {
    const commitId = randomUUID()
    const snapshotId = newSnapshotId()
    const { table: landed } = await commitUntilLanded(table, {
      landed: ({ metadata }) => findCommit(metadata, commitId) !== undefined,
      prepare: base => prepare(table, base, { target, reingest, commitId, snapshotId }),
    })
    const snapshot = findCommit(landed.metadata, commitId)!
    const parent = snapshot['parent-snapshot-id']
    return { snapshot, before: parent === undefined ? undefined : snapshotOf(landed.metadata, parent) }
  })
}

interface Wanted {
  target: string
  reingest: boolean
  commitId: string
  snapshotId: string
}

async function prepare(table: LakeTable, base: LoadedTable, wanted: Wanted): Promise<Prepared> {
  const { metadata } = base
  const head = headOf(metadata)
  const target = requireSnapshot(metadata, wanted.target)
  const [now, then] = await Promise.all([table.manifests(head), table.manifests(target)])
  const [filesNow, filesThen] = await Promise.all(
    [now, then].map(manifests => filesIn(table, base, manifests, { live: true })),
  )
  const prepared = await prepareHead(table, base, {
    snapshotId: wanted.snapshotId,
    manifests: then.filter(({ addedFiles, existingFiles }) => addedFiles + existingFiles > 0),
    summary: snapshotSummary({
      operation: 'overwrite',
      added: without(filesThen, filesNow),
      removed: without(filesNow, filesThen),
      parent: head?.summary,
      extra: {
        ...(wanted.reingest ? keysAt(metadata, target) : keysAfter(metadata, target)),
        [ROLLED_BACK_TO_KEY]: wanted.target,
        [COMMIT_ID_KEY]: wanted.commitId,
      },
    }),
  })
  const marks = wanted.reingest ? rewindMarks(metadata, target) : []
  return { ...prepared, updates: [...stillThere(wanted), ...prepared.updates, ...marks] }
}

/**
 * Another process may let the snapshot expire, and remove its files, while its manifests are read here: that leaves
 * the head, which the commit asks for, where it is. A name can only be given to a snapshot that is there.
 */
function stillThere({ target, snapshotId }: Wanted): Update[] {
  const name = { 'ref-name': `k2-rolling-back-${snapshotId}` }
  return [
    { action: 'set-snapshot-ref', ...name, type: 'tag', 'snapshot-id': target },
    { action: 'remove-snapshot-ref', ...name },
  ]
}

/** The log's place stays; up to when every record is in the table is what it was then. */
function keysAfter(metadata: TableMetadata, target: Snapshot): Record<string, string> {
  const keys = Object.entries(inheritedKeys(metadata)).filter(([key]) => key !== VALID_THROUGH_KEY)
  const { [VALID_THROUGH_KEY]: then } = inheritedKeys(metadata, target) as Record<string, string | undefined>
  return { ...Object.fromEntries(keys), ...(then !== undefined && { [VALID_THROUGH_KEY]: then }) }
}

/** An empty vector where there was none: else the one of the snapshots that were rolled back would be inherited. */
function keysAt(metadata: TableMetadata, snapshot: Snapshot): Record<string, string> {
  const inherited = inheritedKeys(metadata, snapshot) as Record<string, string>
  return { ...inherited, [OFFSETS_KEY]: offsetsText(offsetsAt(metadata, snapshot)) }
}
