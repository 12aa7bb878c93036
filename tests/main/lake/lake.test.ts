import { rmSync, writeFileSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { localPath } from '../../../src/main/lake/io/location.ts'
import { loadFile } from '../../../src/main/lake/load/load-file.ts'
import { compactTable } from '../../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../../src/main/lake/maintain/expire-snapshots.ts'
import { findOrphans } from '../../../src/main/lake/maintain/orphans.ts'
import { planScan } from '../../../src/main/lake/read/plan-scan.ts'
import { diffSnapshots } from '../../../src/main/lake/travel/diff-snapshots.ts'
import { rollBack } from '../../../src/main/lake/travel/roll-back.ts'
import { tagSnapshot } from '../../../src/main/lake/travel/tag-snapshot.ts'
import { verifyTable } from '../../../src/main/lake/verify/verify-table.ts'
import type { Lake } from '../../../src/main/lake/lake.ts'
import { append, readRows, tempLake, tradesBatch } from '../../support/lake.ts'

const HOUR = 3_600_000
const byId = (a: { message_id?: unknown }, b: { message_id?: unknown }) =>
  String(a.message_id) < String(b.message_id) ? -1 : 1

async function livePaths(lake: Lake): Promise<string[]> {
  const { metadata } = await lake.table('trades').load()
  const snapshotId = metadata.refs.main['snapshot-id']
  const plan = await planScan({ metadata, snapshotId, filter: [], io: lake.io, cache: lake.cache })
  return plan.files.map(({ file }) => file.path)
}

describe('a table', () => {
  it('gives back what was written to it, exactly', async () => {
    const lake = await tempLake()
    const batch = tradesBatch(0, 3_000)
    const { files } = await append(lake, batch)
    expect(files).toBeGreaterThan(10) // three days of seven symbols, in buckets
    const expected = rowsOf(batch).sort(byId)
    expect(await readRows(lake)).toEqual(expected)
  })

  it('can be read as it was at every snapshot', async () => {
    const lake = await tempLake()
    const first = await append(lake, tradesBatch(0, 500))
    await append(lake, tradesBatch(500, 700))
    expect(await readRows(lake, { snapshotId: first.snapshotId })).toHaveLength(500)
    expect(await readRows(lake)).toHaveLength(1_200)
  })

  it('is found whole by a check', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 2_000), { specId: 0 })
    await append(lake, tradesBatch(2_000, 2_000))
    await append(lake, tradesBatch(0, 10), { table: 'trades' })
    const report = await verifyTable(lake, lake.table('trades'), { quick: false })
    expect(report.problems).toEqual([])
    expect(report).toMatchObject({ snapshots: 3, rows: 4_010 })
  })
})

describe('compaction', { timeout: 60_000 }, () => {
  it('writes the small files of a day into sorted ones of its buckets, and rows stay what they are', async () => {
    const lake = await tempLake()
    for (let i = 0; i < 12; i++) await append(lake, tradesBatch(i * 150, 150), { specId: 0 })
    await append(lake, tradesBatch(1_800, 200), { specId: 1 })
    const before = await readRows(lake)
    const done = await compactTable(lake, lake.table('trades'), { minFiles: 2 })
    expect(done).toMatchObject({ rows: 2_000, commits: 2 })
    expect(done.files_after).toBeLessThan(done.files_before)
    expect(await readRows(lake)).toEqual(before)
    expect((await verifyTable(lake, lake.table('trades'), { quick: false })).problems).toEqual([])
    const { metadata } = await lake.table('trades').load()
    expect(metadata.snapshots.at(-1)!.summary).toMatchObject({ operation: 'replace', 'total-records': '2000' })
    expect(await compactTable(lake, lake.table('trades'), { minFiles: 2 })).toMatchObject({ commits: 0 })
  })

  it('goes on beside a writer, whose rows are all there afterwards', async () => {
    const lake = await tempLake()
    for (let i = 0; i < 6; i++) await append(lake, tradesBatch(i * 100, 100), { specId: 0 })
    const compacting = compactTable(lake, lake.table('trades'), { minFiles: 2 })
    for (let i = 6; i < 12; i++) await append(lake, tradesBatch(i * 100, 100), { specId: 0 })
    await compacting
    const rows = await readRows(lake)
    expect(rows.map(row => row.source_sequence)).toEqual(Array.from({ length: 1_200 }, (_, n) => String(n)))
    expect((await verifyTable(lake, lake.table('trades'), { quick: false })).problems).toEqual([])
  })
})

describe('letting go of snapshots', () => {
  const onlyHead = { keep: [{ everyMs: 1e15, forMs: 1e15 }], most: 2_000 }

  it('removes what only they held, and nothing of what is kept', async () => {
    let now = Date.now() - HOUR
    const lake = await tempLake({ clock: { nowMs: () => (now += 1_000), nowMicros: () => now * 1000 } })
    const table = lake.table('trades')
    for (let i = 0; i < 5; i++) await append(lake, tradesBatch(i * 100, 100), { specId: 0 })
    const tagged = (await table.load()).metadata.refs.main['snapshot-id']
    await tagSnapshot(table, 'keep-me')
    await append(lake, tradesBatch(500, 100), { specId: 0 })
    const rows = await readRows(lake)
    await compactTable(lake, table, { minFiles: 2 })
    const small = await livePaths(lake)
    const planned = await expireSnapshots(table, { retention: onlyHead, dryRun: true })
    const done = await expireSnapshots(table, { retention: onlyHead })
    expect(done).toEqual(planned)
    expect(done).toMatchObject({ snapshots_removed: 5, snapshots_kept: 2 })
    expect(done.files_removed).toBeGreaterThan(0)
    expect(await livePaths(lake)).toEqual(small)
    expect(await readRows(lake)).toEqual(rows)
    expect(await readRows(lake, { snapshotId: tagged })).toHaveLength(500)
    expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
    now += 100 * HOUR
    expect(await findOrphans(table, { olderThanMs: HOUR, nowMs: now })).toEqual([])
  })

  it('spares a snapshot that a reader holds', async () => {
    const lake = await tempLake()
    const table = lake.table('trades')
    const { snapshotId } = await append(lake, tradesBatch(0, 100))
    const letGo = table.pin(snapshotId)
    await append(lake, tradesBatch(100, 100))
    expect(await expireSnapshots(table, { retention: onlyHead })).toMatchObject({ snapshots_removed: 0 })
    letGo()
    expect(await expireSnapshots(table, { retention: onlyHead })).toMatchObject({ snapshots_removed: 1 })
  })
})

it('lists the files that no snapshot knows, once they are old enough, and no others', async () => {
  let now = Date.now()
  const lake = await tempLake({ clock: { nowMs: () => now, nowMicros: () => now * 1000 } })
  const table = lake.table('trades')
  const { table: loaded } = await append(lake, tradesBatch(0, 100))
  const lost = `${loaded.metadata.location}/data/exchange_date=2014-03-10/lost.parquet`
  await lake.io.write(lost, new Uint8Array(10))
  expect(await findOrphans(table, { olderThanMs: HOUR, nowMs: now })).toEqual([])
  now += 4 * HOUR
  expect(
    (await findOrphans(table, { olderThanMs: HOUR, nowMs: now })).map(({ location }) => location.replace(/.*\//, '')),
  ).toEqual(['lost.parquet'])
})

it('takes no file for an orphan that only a fast clock makes old', async () => {
  const dayAhead = () => Date.now() + 24 * HOUR
  const lake = await tempLake({ clock: { nowMs: dayAhead, nowMicros: () => dayAhead() * 1000 } })
  const { table: loaded } = await append(lake, tradesBatch(0, 100))
  await lake.io.write(`${loaded.metadata.location}/data/staged.parquet`, new Uint8Array(10))
  expect(await findOrphans(lake.table('trades'), { olderThanMs: HOUR })).toEqual([])
  const left: string[] = []
  for await (const { location } of lake.io.list(`${loaded.metadata.location}/metadata`)) left.push(location)
  expect(left.filter(location => location.endsWith('.probe'))).toEqual([])
})

describe('rolling back', () => {
  const topic = 'market.equities.trades.asx'
  const at = (offset: number) => [{ cluster: 'c', epoch: 'e', topic, next: { 0: offset } }]

  it('makes the table what it was, and keeps how far the log is, so that nothing is written twice', async () => {
    const lake = await tempLake()
    const table = lake.table('trades')
    const first = await append(lake, tradesBatch(0, 100), { offsets: { from: [], to: at(100) } })
    const second = await append(lake, tradesBatch(100, 50), { offsets: { from: at(100), to: at(150) } })
    const { snapshot } = await rollBack(table, first.snapshotId)
    expect(await readRows(lake)).toHaveLength(100)
    expect(JSON.parse(snapshot.summary['k2.offsets'])).toEqual(at(150))
    expect(snapshot.summary).toMatchObject({ 'deleted-records': '50', 'total-records': '100' })
    // And forward again: history is not lost.
    await rollBack(table, second.snapshotId)
    expect(await readRows(lake)).toHaveLength(150)
    expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
  })

  it('goes back in the log too when asked', async () => {
    const lake = await tempLake()
    const table = lake.table('trades')
    const plain = await append(lake, tradesBatch(0, 10))
    const first = await append(lake, tradesBatch(10, 100), { offsets: { from: [], to: at(110) } })
    await append(lake, tradesBatch(110, 50), { offsets: { from: at(110), to: at(160) } })
    const once = await rollBack(table, first.snapshotId, { reingest: true })
    expect(JSON.parse(once.snapshot.summary['k2.offsets'])).toEqual(at(110))
    const again = await rollBack(table, plain.snapshotId, { reingest: true })
    expect(JSON.parse(again.snapshot.summary['k2.offsets'])).toEqual([])
    expect((await verifyTable(lake, table, { quick: true })).problems).toEqual([])
  })
})

describe('a check', () => {
  it.each([
    ['a data file is gone', (path: string) => rmSync(path), /not there/],
    [
      'a data file is cut',
      (path: string) => writeFileSync(path, readFileSync(path).subarray(0, -20)),
      /bytes, its manifest says/,
    ],
  ])('says it when %s, and names the file', async (_, damage, problem) => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 100))
    const [path] = await livePaths(lake)
    damage(localPath(path))
    const { problems } = await verifyTable(lake, lake.table('trades'), { quick: false })
    expect(problems).toEqual([{ file: path, snapshot_id: null, problem: expect.stringMatching(problem) as string }])
  })
})

describe('the difference of two snapshots', () => {
  const diff = (lake: Lake, a: string, b: string) =>
    diffSnapshots(lake, lake.table('trades'), { a, b, limit: 1_000, offset: 0 })

  it('is the rows that came, also when compaction has written them anew since', async () => {
    const lake = await tempLake()
    const first = await append(lake, tradesBatch(0, 300), { specId: 0 })
    const second = await append(lake, tradesBatch(300, 40), { specId: 0 })
    const plain = await diff(lake, first.snapshotId, second.snapshotId)
    expect(plain.data).toMatchObject({ added: 40, removed: 0 })
    expect(plain.files).toEqual({ total: 2, pruned: 1, read: 1 })
    await compactTable(lake, lake.table('trades'), { minFiles: 2 })
    const head = (await lake.table('trades').load()).metadata.refs.main['snapshot-id']
    expect((await diff(lake, first.snapshotId, head)).data).toEqual(plain.data)
    expect((await diff(lake, second.snapshotId, head)).data).toMatchObject({ added: 0, removed: 0 })
  })

  it('is the rows that went, after a rollback', async () => {
    const lake = await tempLake()
    const first = await append(lake, tradesBatch(0, 100))
    const second = await append(lake, tradesBatch(100, 25))
    const { snapshot } = await rollBack(lake.table('trades'), first.snapshotId)
    const { data, total } = await diff(lake, second.snapshotId, snapshot['snapshot-id'])
    expect([data.added, data.removed, total]).toEqual([0, 25, 25])
    expect(new Set(rowsOf(data.rows).map(({ change }) => change))).toEqual(new Set(['removed']))
  })

  it('is refused from a later one to an earlier', async () => {
    const lake = await tempLake()
    const first = await append(lake, tradesBatch(0, 10))
    const second = await append(lake, tradesBatch(10, 10))
    await expect(diff(lake, second.snapshotId, first.snapshotId)).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

describe('a file', () => {
  const source = { name: 'trades.csv', contentHash: 'a'.repeat(64) }
  const begin = async (lake: Lake, again = false) => {
    const load = await loadFile(lake, 'trades', source, again)
    if ('alreadyLoaded' in load) throw new Error('it was loaded already')
    return load
  }

  it('is loaded whole in one commit, and not a second time, also when its snapshot has expired', async () => {
    const lake = await tempLake()
    const load = await begin(lake)
    for (let i = 0; i < 4; i++) await load.append(tradesBatch(i * 100, 100))
    expect(await readRows(lake)).toEqual([])
    const { snapshotId, rows } = await load.commit(source.contentHash)
    expect(rows).toBe(400)
    await append(lake, tradesBatch(400, 1))
    await expireSnapshots(lake.table('trades'), { retention: { keep: [{ everyMs: 9e9, forMs: 9e9 }], most: 1 } })
    expect((await lake.table('trades').load()).metadata.snapshots).toHaveLength(1)
    expect(await loadFile(lake, 'trades', source, false)).toMatchObject({ alreadyLoaded: { snapshotId } })
    expect(await readRows(lake)).toHaveLength(401)
  })

  it('is loaded by one of two who load it at the same time', async () => {
    const lake = await tempLake()
    const [one, other] = [await begin(lake), await begin(lake)]
    for (const load of [one, other]) await load.append(tradesBatch(0, 100))
    await one.commit(source.contentHash)
    await expect(other.commit(source.contentHash)).rejects.toMatchObject({ details: { alreadyLoaded: {} } })
    expect(await readRows(lake)).toHaveLength(100)
  })

  it('leaves nothing behind when it is given up', async () => {
    const lake = await tempLake()
    const load = await begin(lake)
    await load.append(tradesBatch(0, 100))
    await load.abort()
    const left: string[] = []
    for await (const { location } of lake.io.list(`${lake.warehouse}/market_data/trades/data`)) left.push(location)
    expect(left).toEqual([])
  })
})
