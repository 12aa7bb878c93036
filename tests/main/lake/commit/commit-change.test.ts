import { describe, expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { headOf, type TableMetadata } from '../../../../src/main/lake/iceberg/metadata.ts'
import { offsetsOf } from '../../../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../../../src/main/market/topic-offsets.ts'
import type { LakeTable } from '../../../../src/main/lake/table.ts'
import { liveFiles, memoryTable } from '../../../support/memory-table.ts'

const vector = (topic: string, next: Record<string, number>): OffsetVector => [
  { cluster: 'c', epoch: 'e', topic, next },
]
const now = async (table: LakeTable): Promise<TableMetadata> => (await table.load()).metadata

describe('a commit', () => {
  it('adds files, counts them, and names its parent', async () => {
    const { table, stage } = await memoryTable()
    const first = await commitChange(table, { operation: 'append', added: [await stage('a', 3), await stage('b', 4)] })
    const second = await commitChange(table, { operation: 'append', added: [await stage('c', 5)] })
    expect(await liveFiles(table)).toEqual(['a.parquet', 'b.parquet', 'c.parquet'])
    const head = headOf(await now(table))!
    expect(head).toMatchObject({ 'snapshot-id': second.snapshotId, 'parent-snapshot-id': first.snapshotId })
    expect(head.summary).toMatchObject({
      operation: 'append',
      'added-data-files': '1',
      'added-records': '5',
      'total-data-files': '3',
      'total-records': '12',
    })
    expect([head['sequence-number'], first.attempts, second.attempts]).toEqual([2, 1, 1])
  })

  it('is rebased on what others committed meanwhile, without staging its manifests again', async () => {
    const { table, elsewhere, stage, files } = await memoryTable()
    const other = elsewhere()
    await table.known()
    await commitChange(other, { operation: 'append', added: [await stage('theirs')] })
    const before = files.locations().length
    const { attempts } = await commitChange(table, { operation: 'append', added: [await stage('ours')] })
    expect(attempts).toBe(2)
    expect(await liveFiles(table)).toEqual(['ours.parquet', 'theirs.parquet'])
    // One data file, one manifest, one list and one metadata file more: those of the lost try are gone.
    expect(files.locations().length - before).toBe(4)
  })

  it('carries the log on that it does not move, also over a commit of another engine that forgot it', async () => {
    const { table, stage, catalog, elsewhere } = await memoryTable()
    const to = vector('t', { 0: 5 })
    await commitChange(table, {
      operation: 'append',
      added: [await stage('a')],
      offsets: { from: [], to },
      validThroughMicros: 1_000_000,
    })
    await commitChange(table, { operation: 'append', added: [await stage('import')] })
    const { summary } = headOf(await now(table))!
    expect(JSON.parse(summary['k2.offsets'])).toEqual(to)
    expect(summary['k2.valid-through']).toBe('1970-01-01T00:00:01.000000Z')

    // As PyIceberg does: a snapshot without our keys.
    const foreign = elsewhere({
      catalog: {
        ...catalog,
        commit: (name, base, requirements, updates) =>
          catalog.commit(
            name,
            base,
            requirements,
            updates.map(update =>
              update.action !== 'add-snapshot'
                ? update
                : { ...update, snapshot: { ...update.snapshot, summary: { operation: 'append' } } },
            ),
          ),
      },
    })
    await commitChange(foreign, { operation: 'append', added: [await stage('foreign')] })
    expect(headOf(await now(table))!.summary['k2.offsets']).toBeUndefined()
    await commitChange(table, {
      operation: 'append',
      added: [await stage('b')],
      offsets: { from: to, to: vector('t', { 0: 9 }) },
    })
    expect(offsetsOf(headOf(await now(table))!)).toEqual(vector('t', { 0: 9 }))
  })

  it('moves its own partitions only: disjoint topics share a table', async () => {
    const { table, elsewhere, stage } = await memoryTable()
    const other = elsewhere()
    await table.known()
    await other.known()
    await commitChange(table, {
      operation: 'append',
      added: [await stage('a')],
      offsets: { from: [], to: vector('x', { 0: 5, 1: 7 }) },
    })
    await commitChange(other, {
      operation: 'append',
      added: [await stage('b')],
      offsets: { from: [], to: vector('y', { 0: 3 }) },
    })
    const last = await commitChange(table, {
      operation: 'append',
      added: [await stage('c')],
      offsets: { from: vector('x', { 0: 5, 1: 7 }), to: vector('x', { 1: 8 }) },
    })
    const next = offsetsOf(headOf(last.table.metadata)!)!.map(({ topic, next }) => [topic, next])
    expect(Object.fromEntries(next)).toEqual({ x: { 0: 5, 1: 8 }, y: { 0: 3 } })
  })

  it('is fenced when another writer has moved the same partitions, and leaves nothing behind', async () => {
    const { table, elsewhere, stage, files } = await memoryTable()
    const zombie = elsewhere()
    await zombie.known()
    await commitChange(table, {
      operation: 'append',
      added: [await stage('a')],
      offsets: { from: [], to: vector('x', { 0: 5 }) },
    })
    const before = files.locations()
    const staged = await stage('zombie')
    await expect(
      commitChange(zombie, { operation: 'append', added: [staged], offsets: { from: [], to: vector('x', { 0: 6 }) } }),
    ).rejects.toMatchObject({ code: 'FENCED', details: { found: vector('x', { 0: 5 }) } })
    expect(files.locations()).toEqual(before)
    expect(await liveFiles(table)).toEqual(['a.parquet'])
  })
})

describe('a commit whose outcome nobody told', () => {
  it('is found by its id when it landed, and not made twice', async () => {
    const { table, stage } = await memoryTable(commit => (commit === 1 ? 'unknown-applied' : undefined))
    const { attempts } = await commitChange(table, { operation: 'append', added: [await stage('a')] })
    expect(attempts).toBe(1)
    expect((await now(table)).snapshots).toHaveLength(1)
  })

  it('is made again when it did not land', async () => {
    const { table, stage } = await memoryTable(commit => (commit === 1 ? 'unknown-not-applied' : undefined))
    const { attempts } = await commitChange(table, { operation: 'append', added: [await stage('a')] })
    expect(attempts).toBe(2)
    expect((await now(table)).snapshots).toHaveLength(1)
    expect(await liveFiles(table)).toEqual(['a.parquet'])
  })

  it('is found also behind a conflict with itself, as when something on the way sends it twice', async () => {
    const { table, stage, catalog, elsewhere } = await memoryTable()
    let sent = 0
    const twice = elsewhere({
      catalog: {
        ...catalog,
        async commit(...asked) {
          if (sent++ === 0) await catalog.commit(...asked)
          return catalog.commit(...asked)
        },
      },
    })
    await commitChange(twice, { operation: 'append', added: [await stage('a')] })
    expect((await now(table)).snapshots).toHaveLength(1)
    expect(await liveFiles(table)).toEqual(['a.parquet'])
  })

  it('leaves no files of the tries before the one that landed', async () => {
    const { table, stage, files } = await memoryTable(commit => (commit <= 3 ? 'unknown-not-applied' : undefined))
    const staged = await stage('a')
    const before = files.locations().length
    await commitChange(table, { operation: 'append', added: [staged] })
    expect(files.locations().length - before, 'a manifest, a list, a metadata file').toBe(3)
  })

  it('keeps its files while nobody can be asked, for it may have landed', async () => {
    const { table, stage, catalog, elsewhere } = await memoryTable(commit =>
      commit === 1 ? 'unknown-applied' : undefined,
    )
    const loads = { left: 1 }
    const deaf = elsewhere({
      catalog: {
        ...catalog,
        loadTable: name => (loads.left-- > 0 ? catalog.loadTable(name) : Promise.reject(new Error('no answer'))),
      },
    })
    await expect(commitChange(deaf, { operation: 'append', added: [await stage('a')] })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      details: { outcome: 'unknown' },
    })
    expect(await liveFiles(table)).toEqual(['a.parquet'])
  })
})

describe('a replacement', () => {
  it('takes files out and puts others in, and keeps what others added meanwhile', async () => {
    const { table, elsewhere, stage } = await memoryTable()
    const [a, b] = [await stage('a', 3), await stage('b', 4)]
    const { snapshotId: readAt } = await commitChange(table, { operation: 'append', added: [a, b] })
    await commitChange(elsewhere(), { operation: 'append', added: [await stage('c', 5)] })
    await commitChange(table, { operation: 'replace', removed: [a, b], added: [await stage('ab', 7)], readAt })
    expect(await liveFiles(table)).toEqual(['ab.parquet', 'c.parquet'])
    expect(headOf(await now(table))!.summary).toMatchObject({
      'deleted-data-files': '2',
      'total-records': '12',
      'total-data-files': '2',
    })
  })

  it('is given up when somebody else replaced the same files', async () => {
    const { table, elsewhere, stage } = await memoryTable()
    const a = await stage('a', 3)
    const { snapshotId: readAt } = await commitChange(table, { operation: 'append', added: [a] })
    await commitChange(elsewhere(), { operation: 'replace', removed: [a], added: [await stage('theirs', 3)], readAt })
    await expect(
      commitChange(table, { operation: 'replace', removed: [a], added: [await stage('ours', 3)], readAt }),
    ).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await liveFiles(table)).toEqual(['theirs.parquet'])
  })

  it('merges the manifests of many small commits, so that planning reads few', async () => {
    const { table, stage } = await memoryTable()
    for (let i = 0; i < 12; i++) await commitChange(table, { operation: 'append', added: [await stage(`f${i}`)] })
    const head = headOf(await now(table))!
    expect(await table.manifests(head)).toHaveLength(12)
    await commitChange(table, { operation: 'replace', readAt: head['snapshot-id'], mergeManifests: true })
    const manifests = await table.manifests(headOf(await now(table)))
    expect(manifests.map(({ existingFiles }) => existingFiles)).toEqual([12])
    expect(await liveFiles(table)).toHaveLength(12)
  })
})

it('joins the manifests of a long stream of commits by itself', async () => {
  const { table, stage } = await memoryTable()
  for (let i = 0; i < 60; i++) await commitChange(table, { operation: 'append', added: [await stage(`f${i}`)] })
  const manifests = await table.manifests(headOf(await now(table)))
  expect(manifests.length).toBeLessThanOrEqual(25)
  expect(await liveFiles(table)).toHaveLength(60)
})

it('lets every one of four committers land once, whoever comes first', async () => {
  const { elsewhere, stage, table } = await memoryTable()
  const writers = Array.from({ length: 4 }, () => elsewhere())
  await Promise.all(
    writers.map(async (writer, w) => {
      for (let i = 0; i < 10; i++)
        await commitChange(writer, { operation: 'append', added: [await stage(`${w}-${i}`)] })
    }),
  )
  expect(await liveFiles(table)).toHaveLength(40)
  const { snapshots } = await now(table)
  expect(new Set(snapshots.map(({ summary }) => summary['k2.commit-id'])).size).toBe(40)
})
