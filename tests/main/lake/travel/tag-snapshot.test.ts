import { expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { removeTag, tagSnapshot } from '../../../../src/main/lake/travel/tag-snapshot.ts'
import { memoryTable } from '../../../support/memory-table.ts'

it('leaves a tag where it is that somebody relies on, until it is taken away', async () => {
  const { table, stage } = await memoryTable()
  const { snapshotId: first } = await commitChange(table, { operation: 'append', added: [await stage('a')] })
  await tagSnapshot(table, 'close')
  const { snapshotId: second } = await commitChange(table, { operation: 'append', added: [await stage('b')] })
  await expect(tagSnapshot(table, 'close')).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await tagSnapshot(table, 'close', first)).toBe(first)
  await removeTag(table, 'close')
  expect(await tagSnapshot(table, 'close')).toBe(second)
})

it('names what is current, also when another process made it so', async () => {
  const { table, stage, elsewhere } = await memoryTable()
  await table.known()
  const { snapshotId } = await commitChange(elsewhere(), { operation: 'append', added: [await stage('a')] })
  expect(await tagSnapshot(table, 'close')).toBe(snapshotId)
})

it('takes any name, also one that every object of JavaScript has', async () => {
  const { table, stage } = await memoryTable()
  const { snapshotId } = await commitChange(table, { operation: 'append', added: [await stage('a')] })
  await expect(removeTag(table, 'constructor')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await tagSnapshot(table, 'constructor')).toBe(snapshotId)
  const refs = Object.entries((await table.load()).metadata.refs)
  expect(refs.map(([name, ref]) => [name, ref['snapshot-id']])).toEqual([
    ['main', snapshotId],
    ['constructor', snapshotId],
  ])
  await removeTag(table, 'constructor')
  expect(Object.keys((await table.load()).metadata.refs)).toEqual(['main'])
})
