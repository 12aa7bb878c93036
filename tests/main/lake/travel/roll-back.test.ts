import { describe, expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import { loadedBefore } from '../../../../src/main/lake/load/import-marks.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { offsetsAt, validThroughOf } from '../../../../src/main/lake/offsets.ts'
import { rollBack } from '../../../../src/main/lake/travel/roll-back.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { liveFiles, memoryTable } from '../../../support/memory-table.ts'

describe('a rollback', () => {
  it('is refused when its snapshot expires in another process on the way, whose files are gone then', async () => {
    const { table, stage, catalog, elsewhere, files } = await memoryTable()
    const a = await stage('a')
    const { snapshotId: first } = await commitChange(table, { operation: 'append', added: [a] })
    await commitChange(table, { operation: 'replace', removed: [a], added: [await stage('b')], readAt: first })
    const slow = elsewhere({
      catalog: {
        ...catalog,
        async commit(...asked) {
          await expireSnapshots(table, { retention: ONLY_HEAD })
          return catalog.commit(...asked)
        },
      },
    })
    await expect(rollBack(slow, first)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
    expect(files.locations()).not.toContain(a.path)
    expect(await liveFiles(elsewhere())).toEqual(['b.parquet'])
    expect(Object.keys((await elsewhere().load()).metadata.refs)).toEqual(['main'])
  })

  it('leaves no name behind', async () => {
    const { table, stage } = await memoryTable()
    const { snapshotId } = await commitChange(table, { operation: 'append', added: [await stage('a')] })
    await commitChange(table, { operation: 'append', added: [await stage('b')] })
    await rollBack(table, snapshotId)
    expect(await liveFiles(table)).toEqual(['a.parquet'])
    expect(Object.keys((await table.load()).metadata.refs)).toEqual(['main'])
  })

  it('makes a compaction begin anew that read before deletes came back', async () => {
    const { table, stage } = await memoryTable()
    const a = await stage('a')
    const { snapshotId: plain } = await commitChange(table, { operation: 'append', added: [a] })
    const deletes = { ...(await stage('deletes')), content: 'position-deletes' as const }
    const { snapshotId: deleted } = await commitChange(table, { operation: 'delete', added: [deletes] })
    const { snapshot } = await rollBack(table, plain)
    await rollBack(table, deleted)
    const change = { operation: 'replace', removed: [a], added: [await stage('c')] } as const
    await expect(commitChange(table, { ...change, readAt: snapshot['snapshot-id'] })).rejects.toMatchObject({
      code: 'CONFLICT',
    })
  })

  it('is valid through what its target was, also where the log stays', async () => {
    const { table, stage } = await memoryTable()
    const validThrough = async () => validThroughOf(headOf((await table.load()).metadata)!)
    const before = await commitChange(table, { operation: 'append', added: [await stage('a')] })
    const commits: { snapshotId: string }[] = []
    for (const micros of [1_000_000, 2_000_001]) {
      const [from, to] = [micros - 1, micros].map(next => [{ cluster: 'c', epoch: '0', topic: 't', next: { 0: next } }])
      const offsets = { from: commits.length === 0 ? [] : from.map(one => ({ ...one, next: { 0: 1_000_000 } })), to }
      const added = [await stage(`at ${micros}`)]
      commits.push(await commitChange(table, { operation: 'append', added, offsets, validThroughMicros: micros }))
    }
    expect(await validThrough()).toBe(2_000_001)
    await rollBack(table, commits[0].snapshotId)
    expect(await validThrough()).toBe(1_000_000)
    expect(offsetsAt((await table.load()).metadata)).toMatchObject([{ next: { 0: 2_000_001 } }])
    await commitChange(table, { operation: 'append', added: [await stage('imported')] })
    expect(await validThrough()).toBe(1_000_000)
    await rollBack(table, commits[1].snapshotId)
    expect(await validThrough()).toBe(2_000_001)
    await rollBack(table, before.snapshotId)
    expect(await validThrough()).toBeUndefined()
  })

  it('forgets which files were loaded since when it rewinds the log, and knows those before', async () => {
    const { table, stage } = await memoryTable()
    const mark = (hash: string) => (snapshot: string) => ({
      [`k2.import.${hash}`]: JSON.stringify({ snapshot, atMs: Date.now(), rows: 1, file: `${hash}.csv` }),
    })
    const load = async (hash: string) =>
      commitChange(table, {
        operation: 'append',
        added: [await stage(hash)],
        properties: mark(hash),
        summary: { 'k2.import': `${hash}.csv`, 'k2.import-hash': hash },
      })
    const { snapshotId } = await load('aa')
    const { snapshotId: both } = await load('bb')
    const marks = async () =>
      Object.keys((await table.load()).metadata.properties).filter(key => key.startsWith('k2.import.'))
    await rollBack(table, snapshotId)
    expect(await marks()).toEqual(['k2.import.aa', 'k2.import.bb'])
    await rollBack(table, snapshotId, { reingest: true })
    expect(await marks()).toEqual(['k2.import.aa'])
    await rollBack(table, both, { reingest: true })
    expect(await marks()).toEqual(['k2.import.aa', 'k2.import.bb'])
    expect(loadedBefore((await table.load()).metadata, 'bb')).toMatchObject({ snapshotId: both })
  })
})
