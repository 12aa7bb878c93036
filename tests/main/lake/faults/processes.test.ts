import { describe, expect, it } from 'vitest'
import { findOrphans } from '../../../../src/main/lake/maintain/orphans.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { COMMIT_ID_KEY } from '../../../../src/main/lake/offsets.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { killAndLookAgain, type Killed } from '../../../support/kill-lake-process.ts'
import { append, readRows, tempLake, tradesBatch } from '../../../support/lake.ts'
import { startLakeProcess, type LakeWork } from '../../../support/lake-process.ts'
import { strayFiles } from '../../../support/stray-files.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const numbers = async (lake: Lake) => (await readRows(lake)).map(row => Number(row.source_sequence))
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('a process that is killed', () => {
  // Each step of each kind of work is in tests/faults/full.ts; upkeep that is killed is beside this.
  it.each<Killed>([
    { work: 'append', killAt: 'data synced', landed: false },
    { work: 'append', killAt: 'manifest drafted', landed: false },
    { work: 'append', killAt: 'manifest linked', landed: false },
    { work: 'append', killAt: 'list drafted', landed: false },
    { work: 'append', killAt: 'list linked', landed: false },
    { work: 'append', killAt: 'metadata drafted', landed: false },
    { work: 'append', killAt: 'metadata linked', landed: false },
    { work: 'append', killAt: 'swapped', landed: true },
  ])('leaves $work whole or undone at $killAt, and the next write is right', { timeout: 120_000 }, async killed => {
    const folder = makeTempFolder()
    const found = await killAndLookAgain(folder, killed, clock => tempLake({ folder, clock }))
    expect(found).toMatchObject({ signal: 'SIGKILL', complaint: '', problems: [] })
    expect(found.rows).toEqual(upTo(killed.landed ? 30 : 20))
    expect(found.orphans).toEqual(found.strays)
    expect(found.strays.length > 0).toBe(!killed.landed)
    expect(found.straysAfterCleaning).toEqual([])
    expect(found.rowsAfterNextWrite).toHaveLength(found.rows.length + 10)
  })

  it('leaves an append whole or undone while it is swapping, whichever of both', { timeout: 120_000 }, async () => {
    const folder = makeTempFolder()
    const found = await killAndLookAgain(folder, { work: 'append', killAt: 'swapping' }, clock =>
      tempLake({ folder, clock }),
    )
    expect(found).toMatchObject({ complaint: '', problems: [] })
    const landed = found.rows.length === 30
    expect(found.rows).toEqual(upTo(landed ? 30 : 20))
    expect(found.orphans).toEqual(found.strays)
    expect(found.strays.length > 0).toBe(!landed)
    expect(found.straysAfterCleaning).toEqual([])
    expect(found.rowsAfterNextWrite).toHaveLength(found.rows.length + 10)
  })
})

it(
  'lets each of four processes land all its commits, each once, beside one that compacts',
  { timeout: 180_000 },
  async () => {
    const folder = makeTempFolder()
    const lake = await tempLake({ folder })
    await append(lake, tradesBatch(0, 10, { symbols: 2 }), { specId: 0 })
    const writing = [0, 1, 2, 3].map((w): LakeWork => {
      return { folder, work: 'append', from: 10 + w * 100, rowsPerCommit: 5, commits: 20 }
    })
    const compacting: LakeWork = { folder, work: 'compact', from: 0, rowsPerCommit: 0, commits: 10, pauseMs: 100 }
    const processes = [...writing, compacting].map(startLakeProcess)
    for (const { ended } of processes) expect(await ended).toMatchObject({ code: 0, complaint: '' })
    expect(processes.slice(0, 4).map(({ landed }) => landed.length)).toEqual([20, 20, 20, 20])

    const table = lake.table('trades')
    const { metadata } = await table.load()
    const ids = metadata.snapshots.map(({ summary }) => summary[COMMIT_ID_KEY])
    expect(new Set(ids).size).toBe(ids.length)
    const present = new Set(metadata.snapshots.map(snapshot => snapshot['snapshot-id']))
    expect(processes.flatMap(({ landed }) => landed).filter(id => !present.has(id))).toEqual([])
    expect(await numbers(lake)).toEqual(upTo(410))
    expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
    expect(await strayFiles(table, lake.io)).toEqual([])
    expect(await findOrphans(table, { olderThanMs: 0, nowMs: table.clock.nowMs() })).toEqual([])
  },
)
