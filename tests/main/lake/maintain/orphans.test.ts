import { expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { findOrphans } from '../../../../src/main/lake/maintain/orphans.ts'
import { memoryTable } from '../../../support/memory-table.ts'

it('takes no file for an orphan that another engine has added by another name of the folder', async () => {
  const { table, stage, elsewhere } = await memoryTable()
  const { path, ...file } = await stage('a')
  const { path: stray } = await stage('stray')
  const added = [{ ...file, path: path.replace('file:///warehouse/', 'file:///mnt/warehouse/') }]
  await commitChange(table, { operation: 'append', added })
  const later = Date.now() + 100 * 3_600_000
  const clock = { nowMs: () => later, nowMicros: () => later * 1000 }
  const orphans = await findOrphans(elsewhere({ clock }), { olderThanMs: 3_600_000, nowMs: later })
  expect(orphans.map(({ location }) => location)).toEqual([stray])
})
