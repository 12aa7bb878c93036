// Letting go of snapshots and going back in the log, from a shell, on tables that a writer has left behind.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Clock } from '../../src/main/base/clock.ts'
import { openDuck } from '../../src/main/duck/open-duck.ts'
import { openSqlCatalog } from '../../src/main/lake/catalog/sql.ts'
import { canonicalLocation } from '../../src/main/lake/io/location.ts'
import { localFiles } from '../../src/main/lake/io/local.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { CATALOG_NAME } from '../../src/main/lake/storage.ts'
import { createStreamTable } from '../../src/main/lake/stream/stream-table.ts'
import { composeLake } from '../support/compose-lake.ts'
import { newProfile, runK2 } from '../support/k2.ts'
import { append, tempLake, tradesBatch } from '../support/lake.ts'
import { at, TOPIC, tradesAt } from '../support/stream-rows.ts'

const HOUR = 3_600_000
type Row = Record<string, unknown>

function shell(profile: string, env: Record<string, string> = {}) {
  return async <T = Row[]>(...words: string[]): Promise<T> => {
    const { code, stdout, stderr } = await runK2(['--profile', profile, ...words, '-o', 'json'], { env })
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/^k2:/m)])
    return JSON.parse(stdout) as T
  }
}

/** The table of trades in a profile, written at times of the test's own. */
async function openLakeAt(profile: string, clock: Clock): Promise<Lake> {
  const folder = join(profile, 'warehouse')
  const warehouse = canonicalLocation(folder)
  const io = localFiles()
  const catalog = openSqlCatalog({ file: join(folder, 'catalog.db'), name: CATALOG_NAME, io, warehouse, clock })
  const duck = await openDuck({ threads: 1, memoryMb: 256 })
  onTestFinished(async () => {
    await duck.close()
    await catalog.close()
    await io.close()
  })
  const lake = composeLake({ io, duck, catalog, clock, warehouse })
  await lake.init()
  return lake
}

/** Files of the table of trades in a profile, by how their names end. */
function filesOf(profile: string, end: string): number {
  const names = readdirSync(join(profile, 'warehouse/market_data/trades'), { recursive: true, encoding: 'utf8' })
  return names.filter(name => name.endsWith(end)).length
}

it(
  'lets go of the snapshots that K2_SNAPSHOT_RETENTION does not keep, and of their files',
  { timeout: 120_000 },
  async () => {
    const profile = newProfile()
    let now = Math.floor(Date.now() / HOUR) * HOUR - 48 * HOUR
    const lake = await openLakeAt(profile, { nowMs: () => now, nowMicros: () => now * 1000 })
    for (let i = 0; i < 12; i++) {
      now += HOUR / 6
      await append(lake, tradesBatch(i * 10, 10, { symbols: 2 }), { specId: 0 })
    }
    now += HOUR
    const { files_after: compacted } = await compactTable(lake, lake.table('trades'), { minFiles: 2 })
    expect(filesOf(profile, '.parquet')).toBe(12 + compacted)
    const before = filesOf(profile, '.avro')

    const hourly = shell(profile, { K2_SNAPSHOT_RETENTION: 'all:1h,1h:7d' })
    const everything = await hourly('lake', 'snapshots')
    const [planned] = await hourly('lake', 'expire', '--table', 'trades', '--dry-run')
    expect(await hourly('lake', 'snapshots'), 'a dry run lets nothing go').toEqual(everything)
    expect(filesOf(profile, '.avro')).toBe(before)
    expect(await hourly('lake', 'expire', '--table', 'trades')).toEqual([planned])
    // Ten minutes apart from 0:10 on: the last ones of each hour are at 0:50, at 1:50 and at 2:00, and the head is an hour later.
    expect(planned).toMatchObject({ table: 'trades', snapshots_removed: 9, snapshots_kept: 4 })
    const kept = await hourly('lake', 'snapshots')
    expect(kept).toEqual([0, 1, 2, 8].map(n => everything[n]))
    expect(kept.map(row => row.total_rows)).toEqual([120, 120, 110, 50])
    expect(before - filesOf(profile, '.avro')).toBe(planned.files_removed)
    expect(filesOf(profile, '.parquet'), 'what is kept has them').toBe(12 + compacted)

    const newest = shell(profile, { K2_SNAPSHOT_RETENTION: 'all:1h,1h:7d,max:1' })
    const [{ snapshots_removed, bytes_removed }] = await newest('lake', 'expire', '--table', 'trades')
    expect([snapshots_removed, Number(bytes_removed) > 0]).toEqual([3, true])
    expect(filesOf(profile, '.parquet')).toBe(compacted)
    const { status, problems, tables } = await newest<Row>('lake', 'verify')
    expect([status, problems]).toEqual(['sound', []])
    expect(tables).toMatchObject([{ table: 'trades', snapshots: 1, files: compacted, rows: 120 }])
  },
)

it(
  'goes back in the log by rollback --reingest, and stays where the log is without it',
  { timeout: 120_000 },
  async () => {
    const profile = newProfile()
    const stream = createStreamTable(await tempLake({ folder: profile }), 'trades')
    const ends = [at({ 0: 30, 1: 20 }), at({ 0: 45, 1: 20 }), at({ 0: 45, 1: 60 })]
    const parts = [[tradesAt(0, 0, 30), tradesAt(1, 0, 20)], [tradesAt(0, 30, 45)], [tradesAt(1, 20, 60)]]
    const ids: string[] = []
    for (const [n, to] of ends.entries()) {
      const offsets = { from: await stream.offsets(), to }
      const { snapshotId } = await stream.commit({
        staged: [await stream.stage(parts[n])],
        offsets,
        validThroughMicros: n,
      })
      ids.push(snapshotId)
    }
    const k2 = shell(profile)
    const offsetsShown = async () => {
      const rows = await k2('ingest', 'offsets', 'show')
      return rows.map(({ table, topic, partition, next_offset }) => [table, topic, partition, next_offset])
    }
    const back = await k2<Row>('lake', 'rollback', ids[1])
    expect(back).toMatchObject({ rolled_back_to: ids[1], rows_before: 105, rows_after: 65, offsets: ends[2] })
    expect(await offsetsShown()).toEqual([
      ['trades', TOPIC, 0, '45'],
      ['trades', TOPIC, 1, '60'],
    ])
    const again = await k2<Row>('lake', 'rollback', ids[0], '--reingest')
    expect(again).toMatchObject({ table: 'trades', rolled_back_to: ids[0], rows_before: 65, rows_after: 50 })
    expect(again.offsets).toEqual(ends[0])
    expect(await offsetsShown()).toEqual([
      ['trades', TOPIC, 0, '30'],
      ['trades', TOPIC, 1, '20'],
    ])
    const [head] = await k2('lake', 'snapshots')
    expect(head).toMatchObject({ snapshot_id: again.snapshot_id, total_rows: 50, offsets: ends[0] })
    expect(await k2<Row>('lake', 'verify', '--table', 'trades')).toMatchObject({ status: 'sound' })
  },
)
