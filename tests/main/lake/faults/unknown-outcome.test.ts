import { expect, it } from 'vitest'
import type { CommitFault } from '../../../../src/main/lake/catalog/memory.ts'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { faultyFiles } from '../../../support/faulty-files.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { memoryTable } from '../../../support/memory-table.ts'
import { strayFiles } from '../../../support/stray-files.ts'

const unknownFirst = (fault: CommitFault) => (commit: number) => (commit === 1 ? fault : undefined)

it('keeps what may be committed when it is cancelled before anybody can say', async () => {
  const abort = new AbortController()
  const { table, stage, elsewhere } = await memoryTable(commit => {
    if (commit > 1) return undefined
    abort.abort()
    return 'unknown-applied'
  })
  const staged = await stage('a')
  await expect(commitChange(table, { operation: 'append', added: [staged] }, abort.signal)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    details: { outcome: 'unknown' },
  })
  const other = elsewhere()
  expect((await other.load()).metadata.snapshots).toHaveLength(1)
  expect(await strayFiles(other, other.io)).toEqual([])
})

it('keeps what may still land when the next try fails for another reason', async () => {
  const { table, stage, elsewhere, files } = await memoryTable(unknownFirst('unknown-not-applied'), {
    // The manifest, the list of the first try, then the list of the second.
    wrap: io => faultyFiles(io, { at: 2, only: ['write'], how: 'before' }),
  })
  const staged = await stage('a')
  await expect(commitChange(table, { operation: 'append', added: [staged] })).rejects.toMatchObject({
    details: { outcome: 'unknown' },
  })
  expect(files.locations()).toContain(staged.path)
  expect((await elsewhere().load()).metadata.snapshots).toEqual([])
})

it('removes what it staged once somebody else has committed, for the lost try cannot land any more', async () => {
  const { stage, elsewhere, catalog, files } = await memoryTable()
  const other = elsewhere()
  const theirs = await stage('theirs')
  const table = elsewhere({
    io: faultyFiles(files, { at: 2, only: ['write'], how: 'before' }),
    catalog: {
      ...catalog,
      async commit() {
        await commitChange(other, { operation: 'append', added: [theirs] })
        return { state: 'unknown', cause: new Error('lost') }
      },
    },
  })
  const staged = await stage('a')
  await expect(commitChange(table, { operation: 'append', added: [staged] })).rejects.toThrow('Injected')
  expect(files.locations()).not.toContain(staged.path)
  expect((await other.load()).metadata.snapshots).toHaveLength(1)
})

it('lets two processes let go of the same snapshots at once', async () => {
  let nowMs = Date.now()
  const { table, stage, elsewhere } = await memoryTable()
  for (let i = 0; i < 5; i++) await commitChange(table, { operation: 'append', added: [await stage(`f${i}`)] })
  const clock = { nowMs: () => (nowMs += 1), nowMicros: () => nowMs * 1000 }
  const done = await Promise.all([1, 2, 3].map(() => expireSnapshots(elsewhere({ clock }), { retention: ONLY_HEAD })))
  expect(done.map(({ snapshots_kept: kept }) => kept)).toEqual([1, 1, 1])
  expect(await strayFiles(elsewhere(), table.io)).toEqual([])
})

it('keeps the files of a reader who comes while their snapshot goes', async () => {
  const { table, stage, catalog, elsewhere, files } = await memoryTable()
  const first = await commitChange(table, { operation: 'append', added: [await stage('a')] })
  const [list] = first.table.metadata.snapshots.map(snapshot => snapshot['manifest-list'])
  await commitChange(table, { operation: 'append', added: [await stage('b')] })
  const expiring = elsewhere({
    catalog: {
      ...catalog,
      commit(...asked) {
        expiring.pin(first.snapshotId)
        return catalog.commit(...asked)
      },
    },
  })
  await expireSnapshots(expiring, { retention: ONLY_HEAD })
  expect(files.locations()).toContain(list)
})
