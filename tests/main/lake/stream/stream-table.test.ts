import { describe, expect, it } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import type { StreamTable } from '../../../../src/main/market/stream-table.ts'
import type { Catalog, CommitOutcome } from '../../../../src/main/lake/catalog/catalog.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { findOrphans } from '../../../../src/main/lake/maintain/orphans.ts'
import { openTable } from '../../../../src/main/lake/open-table.ts'
import { COMMIT_ID_KEY, VALID_THROUGH_KEY } from '../../../../src/main/lake/offsets.ts'
import { createStreamTable } from '../../../../src/main/lake/stream/stream-table.ts'
import { readRows, tempLake, tradesBatch } from '../../../support/lake.ts'
import { at, letters, tradesAt } from '../../../support/stream-rows.ts'

type Commit = Catalog['commit']

/** The same lake as a process sees it whose catalog answers in its own way. */
function seenThrough(lake: Lake, commitOf: (commit: Commit) => Commit): Lake {
  const catalog: Catalog = { ...lake.catalog, commit: commitOf((...asked) => lake.catalog.commit(...asked)) }
  const { io, cache } = lake
  const tables = new Map<string, ReturnType<Lake['table']>>()
  const table: Lake['table'] = id => {
    const known = tables.get(id) ?? openTable(id, { catalog, io, cache, clock: lake.table(id).clock })
    tables.set(id, known)
    return known
  }
  return { ...lake, catalog, table }
}

const filesOf = async (lake: Lake) => {
  const files: string[] = []
  const { location } = (await lake.table('trades').load()).metadata
  for await (const file of lake.io.list(`${location}/data`)) files.push(file.location)
  return files
}
const orphansOf = (lake: Lake) => findOrphans(lake.table('trades'), { olderThanMs: 0, nowMs: Date.now() + 1e9 })
const headIn = async (lake: Lake) => headOf((await lake.table('trades').load()).metadata)!
const away = () => new Failure('UNAVAILABLE', 'The catalog does not answer.')

describe('a table as a stream writes it', () => {
  it('commits rows and how far the log is together, in one file a day', async () => {
    const lake = await tempLake()
    const stream: StreamTable = createStreamTable(lake, 'trades')
    expect(await stream.offsets()).toEqual([])
    const staged = [await stream.stage([tradesBatch(0, 30), tradesBatch(30, 60)])]
    expect(staged[0].rows).toBe(90)
    const summary = { 'app.note': 'first' }
    await stream.commit({ staged, offsets: { from: [], to: at({ 0: 30, 1: 9 }) }, validThroughMicros: 5, summary })
    expect(await stream.offsets()).toEqual(at({ 0: 30, 1: 9 }))
    expect(await readRows(lake)).toHaveLength(90)
    const head = await headIn(lake)
    expect(head.summary).toMatchObject({ 'added-data-files': '1', 'added-records': '90', 'app.note': 'first' })
    expect(head.summary[VALID_THROUGH_KEY]).toBe('1970-01-01T00:00:00.000005Z')
    expect(await orphansOf(lake)).toEqual([])
  })

  it('takes several staged parts in one commit, staged at the same time', async () => {
    const lake = await tempLake()
    const stream = createStreamTable(lake, 'trades')
    await stream.offsets()
    const staged = await Promise.all([0, 1, 2, 3].map(part => stream.stage([tradesAt(part, 0, 50)])))
    await stream.commit({ staged, offsets: { from: [], to: at({ 0: 50, 1: 50, 2: 50, 3: 50 }) } })
    expect(await readRows(lake)).toHaveLength(200)
    expect((await lake.table('trades').load()).metadata.snapshots).toHaveLength(1)
  })

  it('writes one file a day, however many rows, and compaction brings them to the buckets of the table', async () => {
    const lake = await tempLake()
    const stream = createStreamTable(lake, 'trades')
    const from = await stream.offsets()
    const many = await stream.stage([tradesBatch(0, 100_000, { perDay: 60_000 })])
    await stream.commit({ staged: [many], offsets: { from, to: at({ 0: 1 }) } })
    expect((await headIn(lake)).summary['added-data-files']).toBe('2')
    const done = await compactTable(lake, lake.table('trades'), { minFiles: 2 })
    expect(done.rows).toBe(100_000)
    expect(await filesOf(lake)).not.toHaveLength(2)
    expect(await stream.offsets()).toEqual(at({ 0: 1 }))
  })

  it('moves the offsets on without a row', async () => {
    const lake = await tempLake()
    const stream = createStreamTable(lake, 'trades')
    const none = await stream.stage([])
    expect(none.rows).toBe(0)
    await stream.commit({ staged: [none], offsets: { from: await stream.offsets(), to: at({ 0: 7 }) } })
    await stream.commit({ staged: [], offsets: { from: at({ 0: 7 }), to: at({ 0: 8 }) } })
    expect(await stream.offsets()).toEqual(at({ 0: 8 }))
    const head = await headIn(lake)
    expect(head.summary).toMatchObject({ operation: 'append', 'total-records': '0' })
    expect(await readRows(lake)).toEqual([])
  })

  it('is fenced when another has moved the same partitions, and keeps what it staged until told', async () => {
    const lake = await tempLake()
    const [one, other] = [
      createStreamTable(lake, 'trades'),
      createStreamTable(
        seenThrough(lake, same => same),
        'trades',
      ),
    ]
    const from = await one.offsets()
    await other.offsets()
    const late = await other.stage([tradesAt(0, 0, 10)])
    await one.commit({ staged: [await one.stage([tradesAt(0, 0, 20)])], offsets: { from, to: at({ 0: 20 }) } })
    const offsets = { from, to: at({ 0: 10 }) }
    await expect(other.commit({ staged: [late], offsets })).rejects.toMatchObject({ code: 'FENCED' })
    expect(await filesOf(lake)).toHaveLength(2)
    await late.discard()
    expect(await filesOf(lake)).toHaveLength(1)
    expect(await other.offsets()).toEqual(at({ 0: 20 }))
    expect(await orphansOf(lake)).toEqual([])
  })

  it('can be asked for the same commit again after a failure, with the files of before', async () => {
    const lake = await tempLake()
    let isAway = true
    const troubled = seenThrough(lake, commit => async (...asked) => {
      if (isAway) throw away()
      return commit(...asked)
    })
    const stream = createStreamTable(troubled, 'trades')
    const offsets = { from: await stream.offsets(), to: at({ 0: 10 }) }
    const staged = [await stream.stage([tradesAt(0, 0, 10)])]
    for (let i = 0; i < 3; i++)
      await expect(stream.commit({ staged, offsets })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    isAway = false
    await stream.commit({ staged, offsets })
    expect(await readRows(lake)).toHaveLength(10)
    expect(await orphansOf(lake)).toEqual([])
  })

  it('finds a commit that landed without anybody knowing, when it is asked for again', async () => {
    const lake = await tempLake()
    let mode: 'lost' | 'away' | 'well' = 'lost'
    const troubled = seenThrough(lake, commit => async (...asked): Promise<CommitOutcome> => {
      if (mode === 'well') return commit(...asked)
      if (mode === 'lost') await commit(...asked)
      mode = 'away'
      return { state: 'unknown', cause: away() }
    })
    const { load } = troubled.table('trades')
    troubled.table('trades').load = signal => (mode === 'away' ? Promise.reject(away()) : load(signal))
    const stream = createStreamTable(troubled, 'trades')
    const offsets = { from: await stream.offsets(), to: at({ 0: 10 }) }
    const staged = [await stream.stage([tradesAt(0, 0, 10)])]
    await expect(stream.commit({ staged, offsets })).rejects.toMatchObject({ details: { outcome: 'unknown' } })
    await staged[0].discard()
    expect(await filesOf(lake)).toHaveLength(1) // it may be in the table, and is
    mode = 'well'
    const { snapshotId } = await stream.commit({ staged, offsets })
    const head = await headIn(lake)
    expect(head['snapshot-id']).toBe(snapshotId)
    expect(head.summary[COMMIT_ID_KEY]).toMatch(/^[0-9a-f-]{36}$/)
    expect((await lake.table('trades').load()).metadata.snapshots).toHaveLength(1)
    expect(await readRows(lake)).toHaveLength(10)
  })

  it('commits nothing to a table that was made anew under the same name', async () => {
    const lake = await tempLake()
    const stream = createStreamTable(lake, 'trades')
    const offsets = { from: await stream.offsets(), to: at({ 0: 10 }) }
    const staged = [await stream.stage([tradesAt(0, 0, 10)])]
    await lake.catalog.dropTable(lake.table('trades').name)
    await stream.offsets()
    await expect(stream.commit({ staged, offsets })).rejects.toMatchObject({ code: 'CONFLICT', retryable: false })
    expect((await lake.table('trades').load()).metadata.snapshots).toEqual([])
  })

  it('removes what it staged when it is stopped, and when it is told so', async () => {
    const lake = await tempLake()
    const stream = createStreamTable(lake, 'trades')
    await stream.offsets()
    const staged = await stream.stage([tradesAt(0, 0, 10)])
    await expect(stream.stage([tradesAt(0, 0, 10)], AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await filesOf(lake)).toHaveLength(1)
    await staged.discard()
    expect(await filesOf(lake)).toEqual([])
  })

  it('holds what was set aside once, however often it is read, and each of two streams its own', async () => {
    const lake = await tempLake()
    const stream = createStreamTable(lake, 'dead_letters')
    const from = await stream.offsets()
    const put = async (topic: string, offsets: number[], to: number) => {
      const staged = [await stream.stage([letters(offsets.map(offset => ({ topic, offset })))])]
      const base = (await stream.offsets()).filter(own => own.topic === topic)
      await stream.commit({ staged, offsets: { from: base, to: at({ 0: to }, { topic }) } })
      return staged[0].rows
    }
    expect(from).toEqual([])
    expect(await Promise.all([put('a', [1, 2, 3], 4), put('b', [2, 3], 4)])).toEqual([3, 2])
    expect(await put('a', [2, 3, 4], 5)).toBe(1)
    expect(await readRows(lake, { table: 'dead_letters', orderBy: [] })).toHaveLength(6)
  })
})
