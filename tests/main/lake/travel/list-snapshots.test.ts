// The list of a table's snapshots: each row says what its commit was.
import { expect, it } from 'vitest'
import type { Catalog } from '../../../../src/main/lake/catalog/catalog.ts'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { findCommit } from '../../../../src/main/lake/commit/find-commit.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { createStreamTable } from '../../../../src/main/lake/stream/stream-table.ts'
import { listSnapshots } from '../../../../src/main/lake/travel/list-snapshots.ts'
import { rollBack } from '../../../../src/main/lake/travel/roll-back.ts'
import { tagSnapshot } from '../../../../src/main/lake/travel/tag-snapshot.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'
import { memoryTable } from '../../../support/memory-table.ts'
import { at, tradesAt } from '../../../support/stream-rows.ts'

/** Later than any commit that bears the time of this machine. */
const NOW_MS = Date.UTC(2100, 0, 5, 9, 30)

/** A second later each time that somebody asks. */
function tickingClock() {
  let now = NOW_MS
  return { nowMs: () => (now += 1_000), nowMicros: () => now * 1_000 }
}

it("tells a stream's commit: its parent, what it counted, how far the log is, and the id it was made by", async () => {
  const lake = await tempLake({ clock: tickingClock() })
  const { snapshotId: imported } = await append(lake, tradesBatch(0, 40), { specId: 0, commitId: 'the import' })
  const stream = createStreamTable(lake, 'trades')
  const staged = [await stream.stage([tradesAt(0, 0, 30)]), await stream.stage([tradesAt(1, 0, 20)])]
  const validThroughMicros = NOW_MS * 1_000 + 123_456
  const offsets = { from: await stream.offsets(), to: at({ 0: 30, 1: 20 }) }
  const { snapshotId: streamed } = await stream.commit({ staged, offsets, validThroughMicros })
  await tagSnapshot(lake.table('trades'), 'close', imported)

  const { metadata } = await lake.table('trades').load()
  const [row, first] = listSnapshots(metadata, 10)
  expect(row).toEqual({
    snapshot_id: streamed,
    committed_at: expect.stringMatching(/^2100-01-05T09:30:\d\d\.000000Z$/) as string,
    operation: 'append',
    total_rows: 90,
    added_rows: 50,
    deleted_rows: 0,
    refs: ['main'],
    total_files: 3,
    added_files: 2,
    deleted_files: 0,
    valid_through: '2100-01-05T09:30:00.123456Z',
    sequence_number: 2,
    parent_id: imported,
    commit_id: expect.stringMatching(/^[-0-9a-f]{36}$/) as string,
    offsets: at({ 0: 30, 1: 20 }),
  })
  expect(findCommit(metadata, row.commit_id!)?.['snapshot-id']).toBe(streamed)
  expect(first).toMatchObject({ snapshot_id: imported, refs: ['close'], parent_id: null, commit_id: 'the import' })
  expect(first).toMatchObject({ sequence_number: 1, offsets: null, valid_through: null, total_rows: 40 })
  expect(first.committed_at < row.committed_at).toBe(true)
})

it('tells a compaction and a rollback by what they counted, with the offsets they took over', async () => {
  const lake = await tempLake()
  const table = lake.table('trades')
  const stream = createStreamTable(lake, 'trades')
  for (const next of [10, 25]) {
    const from = await stream.offsets()
    const staged = [await stream.stage([tradesAt(0, next === 10 ? 0 : 10, next)])]
    await stream.commit({ staged, offsets: { from, to: at({ 0: next }) }, validThroughMicros: next })
  }
  const { files_after: filesAfter } = await compactTable(lake, table, { minFiles: 2 })
  const [, , started] = listSnapshots((await table.load()).metadata, 10)
  await rollBack(table, started.snapshot_id)

  const { metadata } = await table.load()
  const [rolledBack, compacted, streamed] = listSnapshots(metadata, 10)
  expect(compacted).toMatchObject({
    operation: 'replace',
    parent_id: streamed.snapshot_id,
    total_rows: 25,
    added_rows: 25,
    deleted_rows: 25,
    total_files: filesAfter,
    added_files: filesAfter,
    deleted_files: 2,
    offsets: at({ 0: 25 }),
    valid_through: '1970-01-01T00:00:00.000025Z',
  })
  expect(rolledBack).toMatchObject({
    operation: 'overwrite',
    parent_id: compacted.snapshot_id,
    total_rows: 10,
    added_rows: 10,
    deleted_rows: 25,
    total_files: 1,
    offsets: at({ 0: 25 }),
    valid_through: '1970-01-01T00:00:00.000010Z',
  })
  expect(new Set([rolledBack, compacted, streamed, started].map(row => row.commit_id)).size).toBe(4)
  expect(listSnapshots(metadata, 2)).toEqual([rolledBack, compacted])
})

it("knows nothing that another engine's commit does not say", async () => {
  const { table, stage, catalog, elsewhere } = await memoryTable()
  const commit: Catalog['commit'] = (name, base, requirements, updates) => {
    const plain = updates.map(update =>
      update.action === 'add-snapshot'
        ? { ...update, snapshot: { ...update.snapshot, summary: { operation: 'append' as const } } }
        : update,
    )
    return catalog.commit(name, base, requirements, plain)
  }
  const change = { operation: 'append', offsets: { from: [], to: at({ 0: 5 }) } } as const
  const { snapshotId } = await commitChange(table, { ...change, added: [await stage('a')], validThroughMicros: 7 })
  await commitChange(elsewhere({ catalog: { ...catalog, commit } }), { operation: 'append', added: [await stage('b')] })
  const [foreign] = listSnapshots((await table.load()).metadata, 1)
  expect(foreign).toMatchObject({ operation: 'append', parent_id: snapshotId, sequence_number: 2, added_rows: 0 })
  expect(foreign).toMatchObject({ total_rows: null, total_files: null })
  expect(foreign).toMatchObject({ offsets: null, valid_through: null, commit_id: null })
})

it('gives away offsets that may be changed without the table hearing of it', async () => {
  const { table, stage } = await memoryTable()
  const offsets = { from: [], to: at({ 0: 5 }) }
  await commitChange(table, { operation: 'append', added: [await stage('a')], offsets })
  const { metadata } = await table.load()
  listSnapshots(metadata, 1)[0].offsets![0].next[0] = 99
  expect(listSnapshots(metadata, 1)[0].offsets).toEqual(at({ 0: 5 }))
})
