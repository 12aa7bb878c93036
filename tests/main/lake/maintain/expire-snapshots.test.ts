import { expect, it } from 'vitest'
import type { Catalog } from '../../../../src/main/lake/catalog/catalog.ts'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import type { Update } from '../../../../src/main/lake/iceberg/metadata.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { offsetsAt } from '../../../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../../../src/main/market/topic-offsets.ts'
import { tagSnapshot } from '../../../../src/main/lake/travel/tag-snapshot.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { memoryTable } from '../../../support/memory-table.ts'

/** Lets somebody else do something before the first commit. */
function overtaken(catalog: Catalog, first: () => Promise<unknown>): Catalog {
  let commits = 0
  return {
    ...catalog,
    async commit(...asked) {
      if (++commits === 1) await first()
      return catalog.commit(...asked)
    },
  }
}

const vector: OffsetVector = [{ cluster: 'c', epoch: 'e', topic: 't', next: { 0: 5 } }]

it('keeps a snapshot that is tagged in another process on the way, and its files', async () => {
  const { table, stage, catalog, elsewhere, files } = await memoryTable()
  const a = await stage('a')
  const { snapshotId } = await commitChange(table, { operation: 'append', added: [a] })
  const change = { operation: 'replace', removed: [a], added: [await stage('b')], readAt: snapshotId } as const
  await commitChange(table, change)
  const expiring = elsewhere({ catalog: overtaken(catalog, () => tagSnapshot(table, 'close', snapshotId)) })
  await expireSnapshots(expiring, { retention: ONLY_HEAD })
  const { metadata } = await elsewhere().load()
  expect(metadata.refs.close).toMatchObject({ 'snapshot-id': snapshotId })
  expect(files.locations()).toContain(a.path)
})

it('keeps the way to the offsets also when another engine moves the head back on the way', async () => {
  const { table, stage, catalog, elsewhere } = await memoryTable()
  const forgetful = elsewhere({
    catalog: {
      ...catalog,
      commit: (name, base, requirements, updates) => {
        const summary = { operation: 'append' } as const
        const bare = (update: Update) =>
          update.action === 'add-snapshot' ? { ...update, snapshot: { ...update.snapshot, summary } } : update
        return catalog.commit(name, base, requirements, updates.map(bare))
      },
    },
  })
  await commitChange(table, { operation: 'append', added: [await stage('a')], offsets: { from: [], to: vector } })
  await commitChange(forgetful, { operation: 'append', added: [await stage('b')] })
  const { snapshotId: third } = await commitChange(forgetful, { operation: 'append', added: [await stage('c')] })
  await commitChange(table, { operation: 'append', added: [await stage('d')] })
  const moveBack = async () => {
    const base = await table.load()
    const update = { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': third } as const
    await catalog.commit(table.name, base, [], [update])
  }
  await expireSnapshots(elsewhere({ catalog: overtaken(catalog, moveBack) }), { retention: ONLY_HEAD })
  expect(offsetsAt((await elsewhere().load()).metadata)).toEqual(vector)
})
