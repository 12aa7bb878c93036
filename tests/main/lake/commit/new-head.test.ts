import { expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import type { TableMetadata } from '../../../../src/main/lake/iceberg/metadata.ts'
import { memoryTable } from '../../../support/memory-table.ts'

it('leaves it to other engines how long the snapshots of main are kept', async () => {
  const { table, stage, catalog } = await memoryTable()
  const { snapshotId, table: base } = await commitChange(table, { operation: 'append', added: [await stage('a')] })
  const main = { 'snapshot-id': snapshotId, type: 'branch', 'min-snapshots-to-keep': 7 } as const
  await catalog.commit(table.name, base, [], [{ action: 'set-snapshot-ref', 'ref-name': 'main', ...main }])
  await table.load()
  await commitChange(table, { operation: 'append', added: [await stage('b')] })
  expect((await table.load()).metadata.refs.main).toMatchObject({ 'min-snapshots-to-keep': 7 })
})

it('refuses a table of version 1 before it asks the catalog', async () => {
  const { table, stage, catalog, elsewhere, files } = await memoryTable()
  const loaded = await table.load()
  const metadata: TableMetadata = { ...loaded.metadata, 'format-version': 1 }
  const old = elsewhere({
    catalog: {
      ...catalog,
      loadTable: () => Promise.resolve({ ...loaded, metadata }),
      commit: () => Promise.reject(new Error('was asked')),
    },
  })
  const staged = await stage('a')
  await expect(commitChange(old, { operation: 'append', added: [staged] })).rejects.toThrow('format version 2 only')
  expect(files.locations()).not.toContain(staged.path)
})
