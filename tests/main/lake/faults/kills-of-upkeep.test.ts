// A process is killed while it compacts a table or lets go of snapshots. What it leaves stays until it is removed: until
// then the table is written, compacted and rid of snapshots again beside it.
import { expect, it } from 'vitest'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { findOrphans } from '../../../../src/main/lake/maintain/orphans.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { append, readRows, tempLake, tradesBatch } from '../../../support/lake.ts'
import { startLakeProcess, type Step } from '../../../support/lake-process.ts'
import { strayFiles } from '../../../support/stray-files.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const WEEK_MS = 7 * 86_400_000
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

/** Three small files in a folder's table. */
async function writeSmallFiles(folder: string): Promise<Lake> {
  const lake = await tempLake({ folder })
  for (const from of [0, 10, 20]) await append(lake, tradesBatch(from, 10, { symbols: 2 }), { specId: 0 })
  return lake
}

async function killAt(folder: string, work: 'compact' | 'expire', step: Step): Promise<void> {
  const child = startLakeProcess({ folder, work, from: 0, rowsPerCommit: 0, commits: 1, killAt: step })
  expect(await child.ended).toMatchObject({ signal: 'SIGKILL', complaint: '' })
}

/** As the next process finds it, a week later. */
async function openAfterwards(folder: string) {
  const nowMs = () => Date.now() + WEEK_MS
  const lake = await tempLake({ folder, clock: { nowMs, nowMicros: () => nowMs() * 1000 } })
  const table = lake.table('trades')
  const metadata = async () => (await table.load()).metadata
  const filesOnDisk = async () => {
    const found: string[] = []
    for await (const { location } of lake.io.list(`${(await metadata()).location}/data`)) found.push(location)
    return dataIn(found).length
  }
  const expectSound = async (rows: number) => {
    expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
    expect((await readRows(lake)).map(row => Number(row.source_sequence))).toEqual(upTo(rows))
  }
  /** What it has found and taken away. */
  const removeOrphans = async () => {
    const { location } = await metadata()
    const found = await findOrphans(table, { olderThanMs: 0, nowMs: nowMs() })
    for (const orphan of found) await lake.io.remove(orphan.location)
    return found.map(orphan => orphan.location.slice(location.length + 1)).sort()
  }
  return {
    lake,
    table,
    filesOnDisk,
    filesInTable: async () => Number(headOf(await metadata())!.summary['total-data-files']),
    snapshots: async () => (await metadata()).snapshots.length,
    strays: async () => (await strayFiles(table, lake.io)).sort(),
    expectSound,
    removeOrphans,
  }
}

const dataIn = (files: readonly string[]) => files.filter(file => file.endsWith('.parquet'))
const listsIn = (files: readonly string[]) => files.filter(file => /\/snap-[^/]*\.avro$/.test(file))

it('a compaction that is killed is undone, and the next one does all of it', { timeout: 60_000 }, async () => {
  const folder = makeTempFolder()
  await writeSmallFiles(folder)
  await killAt(folder, 'compact', 'manifest linked')
  const { lake, table, strays, expectSound, removeOrphans } = await openAfterwards(folder)
  await expectSound(30)
  const left = await strays()
  expect(dataIn(left), 'it had written them together').not.toEqual([])

  await append(lake, tradesBatch(30, 10, { symbols: 2 }), { specId: 0 })
  expect(await compactTable(lake, table, { minFiles: 2 })).toMatchObject({ files_before: 4, rows: 40 })
  expect(await strays()).toEqual(left)
  expect(await removeOrphans()).toEqual(left)
  await expectSound(40)
})

it.each<Step>(['metadata linked', 'removing'])(
  'an expiry that is killed at %s has taken nothing that is kept, and the next one goes on',
  { timeout: 60_000 },
  async step => {
    const folder = makeTempFolder()
    const before = await writeSmallFiles(folder)
    await compactTable(before, before.table('trades'), { minFiles: 2 })
    await killAt(folder, 'expire', step)
    const { lake, table, strays, filesOnDisk, filesInTable, snapshots, expectSound, removeOrphans } =
      await openAfterwards(folder)
    await expectSound(30)
    const landed = step !== 'metadata linked'
    expect(await snapshots()).toBe(landed ? 1 : 4)
    const filesNow = await filesInTable()
    expect(await filesOnDisk(), 'no file was taken yet').toBe(3 + filesNow)
    const left = await strays()
    expect(listsIn(left)).toHaveLength(landed ? 3 : 0)

    await append(lake, tradesBatch(30, 10, { symbols: 2 }), { specId: 0 })
    const again = await expireSnapshots(table, { retention: ONLY_HEAD })
    expect(again).toMatchObject({ snapshots_removed: landed ? 1 : 4, snapshots_kept: 1 })
    expect(await filesOnDisk(), 'the small ones are gone now, whoever let go of them').toBe(await filesInTable())
    expect(await strays()).toEqual(left)
    expect(await removeOrphans()).toEqual(left)
    await expectSound(40)
  },
)
