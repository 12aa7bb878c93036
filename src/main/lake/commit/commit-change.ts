// Commits a change: stages its manifests once, then swaps the table's head for a snapshot that has it, rebased on
// whatever others committed meanwhile. A crash at any point leaves either the old head or the new one.
import { randomUUID } from 'node:crypto'
import { timestampText } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import { rowsIn, type ManifestFile } from '../iceberg/data-file.ts'
import { headOf, type TableMetadata } from '../iceberg/metadata.ts'
import { snapshotSummary } from '../iceberg/snapshot-summary.ts'
import {
  COMMIT_ID_KEY,
  inheritedKeys,
  moveOffsets,
  OFFSETS_KEY,
  knowsLives,
  offsetsAt,
  offsetsIfKnown,
  offsetsText,
  restrictTo,
  sameOffsets,
  STREAMED_KEY,
  VALID_THROUGH_KEY,
} from '../offsets.ts'
import type { OffsetVector } from '../../market/topic-offsets.ts'
import type { LakeTable } from '../table.ts'
import type { Change } from './change.ts'
import { commitUntilLanded, OutcomeUnknown, type Prepared } from './commit-until-landed.ts'
import { findCommit } from './find-commit.ts'
import { newSnapshotId, nextSequenceNumber, prepareHead } from './new-head.ts'
import { areMany, rewriteManifests } from './rewrite-manifests.ts'
import { addedEntry, writeManifests } from './stage-manifests.ts'
import { removeFiles } from './write-new.ts'

export interface Committed {
  snapshotId: string
  table: LoadedTable
  /** How often it was tried: more than once after conflicts or unknown outcomes. */
  attempts: number
}

export async function commitChange(table: LakeTable, change: Change, signal?: AbortSignal): Promise<Committed> {
  const started = performance.now()
  const rows = rowsIn(change.added ?? [])
  const tell = (outcome: { attempts: number } | { error: unknown }) =>
    table.onCommit({
      table: table.id,
      operation: change.operation,
      rows,
      elapsedMs: performance.now() - started,
      ...outcome,
    })
  try {
    const committed = await commitInTurn(table, change, signal)
    tell({ attempts: committed.attempts })
    return committed
  } catch (error) {
    tell({ error })
    throw error
  }
}

function commitInTurn(table: LakeTable, change: Change, signal?: AbortSignal): Promise<Committed> {
  return table.inTurn(async () => {
    const { added = [], commitId = randomUUID(), keepsFiles = false } = change
    const snapshotId = newSnapshotId()
    const staged: string[] = keepsFiles ? [] : added.map(({ path }) => path)
    try {
      const base = await table.known()
      const entries = added.map(file => addedEntry(file, snapshotId))
      // Inherited when the list is written, so that a conflict leaves these manifests as they are.
      const manifests = await writeManifests(table, base, entries, { snapshotId, sequenceNumber: 0 })
      staged.push(...manifests.map(({ path }) => path))
      const landed = await commitUntilLanded(table, {
        signal,
        landed: now => findCommit(now.metadata, commitId) !== undefined,
        prepare: now => prepare(table, now, { change, commitId, snapshotId, manifests }),
      })
      return { snapshotId, ...landed }
    } catch (error) {
      // What may be committed is never removed.
      if (!(error instanceof OutcomeUnknown)) await removeFiles(table, staged)
      throw error
    }
  })
}

interface Staged {
  change: Change
  commitId: string
  snapshotId: string
  manifests: readonly ManifestFile[]
}

async function prepare(table: LakeTable, base: LoadedTable, staged: Staged): Promise<Prepared> {
  const { metadata } = base
  const { change, snapshotId, commitId } = staged
  change.refuse?.(metadata)
  const head = headOf(metadata)
  const keys = carriedKeys(table, metadata, change)
  const sequenceNumber = nextSequenceNumber(metadata)
  const own = staged.manifests.map(manifest => ({ ...manifest, sequenceNumber, minSequenceNumber: sequenceNumber }))
  const { removed = [], mergeManifests } = change
  const before = await table.manifests(head)
  const joins = mergeManifests === true || areMany(before)
  if (removed.length > 0) await refuseNewDeletes(table, before, metadata, change)
  const rest =
    removed.length > 0 || joins
      ? await rewriteManifests(table, base, before, { removed, joins, snapshotId, sequenceNumber })
      : { manifests: before, written: [] }
  return prepareHead(table, base, {
    snapshotId,
    manifests: [...own, ...rest.manifests].filter(manifest => isOfUse(manifest, snapshotId)),
    summary: snapshotSummary({
      operation: change.operation,
      added: change.added ?? [],
      removed,
      parent: head?.summary,
      extra: { ...keys, ...change.summary, [COMMIT_ID_KEY]: commitId },
    }),
    properties: propertiesOf(metadata, change, { snapshotId, sequenceNumber }),
    written: rest.written,
  })
}

/** A manifest in which nothing lives any more is told once, by the snapshot that removed its last file. */
function isOfUse({ addedFiles, existingFiles, addedSnapshotId }: ManifestFile, snapshotId: string): boolean {
  return addedFiles + existingFiles > 0 || addedSnapshotId === snapshotId
}

function propertiesOf(
  { properties }: TableMetadata,
  { offsets, properties: more }: Change,
  { snapshotId, sequenceNumber }: { snapshotId: string; sequenceNumber: number },
): Readonly<Record<string, string>> | undefined {
  if (!offsets || STREAMED_KEY in properties) return more?.(snapshotId)
  return { ...more?.(snapshotId), [STREAMED_KEY]: String(sequenceNumber) }
}

/** How far the log is after this commit: a stream's own partitions move on, all others stay as the head has them. */
function carriedKeys(table: LakeTable, metadata: TableMetadata, change: Change): Record<string, string> {
  const inherited = inheritedKeys(metadata) as Record<string, string>
  const validThrough: Record<string, string> =
    change.validThroughMicros === undefined ? {} : { [VALID_THROUGH_KEY]: timestampText(change.validThroughMicros) }
  if (!change.offsets) return { ...inherited, ...validThrough }
  if ('set' in change.offsets) {
    const said = change.offsets.set(offsetsIfKnown(metadata))
    return { ...inherited, ...validThrough, [OFFSETS_KEY]: offsetsText(said) }
  }
  const { from, to } = change.offsets
  const current = offsetsAt(metadata)
  const isKnown = sameOffsets(restrictTo(to, current), restrictTo(to, from)) && knowsLives(from, to, current)
  if (!isKnown) throw fenced(table, from, current)
  return { ...inherited, ...validThrough, [OFFSETS_KEY]: offsetsText(moveOffsets(current, to)) }
}

function fenced({ name }: LakeTable, expected: OffsetVector, found: OffsetVector): Failure {
  return new Failure(
    'FENCED',
    `Another writer has moved on the same partitions of ${name.name}. Nothing was committed here; read its offsets and go on from there.`,
    { details: { expected, found } },
  )
}

/**
 * Rows deleted by others since the removed files were read would come back with the files that replace them. Told by
 * the manifests and not by their sequence numbers, as a rollback brings back older ones.
 */
async function refuseNewDeletes(
  table: LakeTable,
  manifests: readonly ManifestFile[],
  metadata: TableMetadata,
  { readAt }: Change,
): Promise<void> {
  const deletes = manifests.filter(({ content }) => content === 'deletes')
  if (deletes.length === 0) return
  const read = await table.manifests(metadata.snapshots.find(snapshot => snapshot['snapshot-id'] === readAt))
  const known = new Set(read.map(({ path }) => path))
  if (deletes.every(({ path }) => known.has(path))) return
  throw new Failure(
    'CONFLICT',
    `Rows of ${table.name.name} were deleted by someone else meanwhile. Nothing was committed; start again.`,
    { retryable: true },
  )
}
