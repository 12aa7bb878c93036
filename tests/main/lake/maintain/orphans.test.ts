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

const WAREHOUSE = 'file:///warehouse/market_data'

/** Whether a stray file below the data path is found. */
async function findsStrayIn(dataPath: string, at = dataPath): Promise<boolean> {
  const { table, files, catalog, stage } = await memoryTable()
  const updates = { 'write.data.path': dataPath }
  await catalog.commit(table.name, await table.load(), [], [{ action: 'set-properties', updates }])
  const kept = { ...(await stage('kept')), path: `${at}/kept.parquet` }
  await files.write(kept.path, new Uint8Array(kept.fileBytes))
  await commitChange(table, { operation: 'append', added: [kept] })
  await files.write(`${at}/stray.parquet`, new Uint8Array(1))
  const orphans = await findOrphans(table, { olderThanMs: 0, nowMs: Date.now() + 100 * 3_600_000 })
  const names = orphans.map(({ location }) => location)
  expect(names).not.toContain(kept.path)
  return names.includes(`${at}/stray.parquet`)
}

it('finds what was left in the folder that the table names for its data', async () => {
  expect(await findsStrayIn(`${WAREHOUSE}/trades/files`)).toBe(true)
  expect(await findsStrayIn(`${WAREHOUSE}/trades/files/`, `${WAREHOUSE}/trades/files/day=1`)).toBe(true)
  expect(await findsStrayIn(`${WAREHOUSE}/trades/data/parts`)).toBe(true)
})

it.each([
  `${WAREHOUSE}/shared`,
  `${WAREHOUSE}/trades-too`,
  `${WAREHOUSE}/trades`,
  `${WAREHOUSE}/trades/`,
  `${WAREHOUSE}/trades/../quotes`,
  `${WAREHOUSE}/trades/.k2-lease`,
  's3://bucket/all-tables',
])('leaves alone what lies in %s, as others may have put it there', async folder => {
  expect(await findsStrayIn(folder)).toBe(false)
})
