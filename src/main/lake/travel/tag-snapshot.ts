// Names for snapshots: a tag keeps its snapshot for good.
import { Failure } from '../../../contract/failure.ts'
import { headOf, MAIN, type Requirement, type TableMetadata, type Update } from '../iceberg/metadata.ts'
import { commitUntilLanded } from '../commit/commit-until-landed.ts'
import type { LakeTable } from '../table.ts'
import { requireSnapshot } from '../read/resolve-snapshot.ts'

export async function tagSnapshot(table: LakeTable, name: string, snapshotId?: string): Promise<string> {
  const target = targetOf(table, (await table.load()).metadata, snapshotId)
  await table.inTurn(() =>
    commitUntilLanded(table, {
      landed: ({ metadata }) => refOf(metadata, name)?.['snapshot-id'] === target,
      prepare({ metadata }) {
        const before = refOf(metadata, name)
        if (before?.type === 'branch') throw isBranch(name)
        // The one that it names would be kept no longer, and nobody would know.
        if (before && before['snapshot-id'] !== target) throw isTaken(table, name, before['snapshot-id'])
        requireSnapshot(metadata, target)
        return Promise.resolve({
          requirements: requirements(metadata, name),
          updates: [{ action: 'set-snapshot-ref', 'ref-name': name, type: 'tag', 'snapshot-id': target }],
          files: [],
        })
      },
    }),
  )
  return target
}

export async function removeTag(table: LakeTable, name: string): Promise<void> {
  await table.inTurn(() =>
    commitUntilLanded(table, {
      landed: ({ metadata }) => refOf(metadata, name) === undefined,
      prepare({ metadata }) {
        const tag = refOf(metadata, name)
        if (tag?.type === 'branch') throw isBranch(name)
        if (!tag) throw new Failure('NOT_FOUND', `Table ${table.id} has no tag ${name}. ${tagsOf(metadata)}`)
        const updates: Update[] = [{ action: 'remove-snapshot-ref', 'ref-name': name }]
        return Promise.resolve({ requirements: requirements(metadata, name), updates, files: [] })
      },
    }),
  )
}

/** Names are anybody's, such as `constructor`. */
function refOf({ refs }: TableMetadata, name: string): TableMetadata['refs'][string] | undefined {
  return Object.hasOwn(refs, name) ? refs[name] : undefined
}

function requirements(metadata: TableMetadata, ref: string): Requirement[] {
  return [
    { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
    { type: 'assert-ref-snapshot-id', ref, 'snapshot-id': refOf(metadata, ref)?.['snapshot-id'] ?? null },
  ]
}

function targetOf(table: LakeTable, metadata: TableMetadata, snapshotId?: string): string {
  if (snapshotId !== undefined) return requireSnapshot(metadata, snapshotId)['snapshot-id']
  const head = headOf(metadata)
  if (head) return head['snapshot-id']
  throw new Failure('SNAPSHOT_NOT_FOUND', `Table ${table.id} has no snapshot yet: nothing was written to it.`)
}

function tagsOf({ refs }: TableMetadata): string {
  const tags = Object.keys(refs).filter(name => refs[name].type === 'tag')
  return tags.length > 0 ? `Its tags: ${tags.join(', ')}.` : 'It has no tags at all.'
}

function isTaken({ id }: LakeTable, name: string, snapshotId: string): Failure {
  return new Failure(
    'CONFLICT',
    `The tag ${name} of ${id} is at snapshot ${snapshotId}, which it keeps. Choose another name, or take this one away first.`,
  )
}

function isBranch(name: string): Failure {
  const what = name === MAIN ? 'the branch that everything is written to' : 'a branch'
  return new Failure('INVALID_INPUT', `${name} is ${what}. Choose another name for the tag.`)
}
