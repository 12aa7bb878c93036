// Kills a process at a step of its work on a lake, opens the lake again, and tells what is found there.
import type { Clock } from '../../src/main/base/clock.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { findOrphans } from '../../src/main/lake/maintain/orphans.ts'
import type { Problem } from '../../src/main/lake/verify/problem.ts'
import { verifyTable } from '../../src/main/lake/verify/verify-table.ts'
import { append, readRows, tradesBatch } from './lake.ts'
import { startLakeProcess, type LakeWork, type Step } from './lake-process.ts'
import { strayFiles } from './stray-files.ts'

export interface Killed {
  work: LakeWork['work']
  killAt: Step
  afterMs?: number
  /** Whether the commit is in the table then; nobody can say while it is swapping. */
  landed?: boolean
}

export interface Found {
  signal: NodeJS.Signals | null
  complaint: string
  problems: Problem[]
  rows: number[]
  /** Below the table, unknown to its metadata, as the test sees it and as orphan removal does. */
  strays: string[]
  orphans: string[]
  straysAfterCleaning: string[]
  rowsAfterNextWrite: number[]
}

const WEEK_MS = 7 * 86_400_000

/** `open` is called twice: a lake that nobody has open while the process runs, and one a week later. */
export async function killAndLookAgain(
  folder: string,
  { work, killAt, afterMs }: Killed,
  open: (clock?: Clock) => Promise<Lake>,
): Promise<Found> {
  const before = await open()
  for (const from of [0, 10]) await append(before, tradesBatch(from, 10, { symbols: 2 }), { specId: 0 })
  const child = startLakeProcess({ folder, work, from: 20, rowsPerCommit: 10, commits: 1, killAt, afterMs })
  const { signal, complaint } = await child.ended

  const later = () => Date.now() + WEEK_MS
  const lake = await open({ nowMs: later, nowMicros: () => later() * 1000 })
  const table = lake.table('trades')
  const rows = await numbersIn(lake)
  const { problems } = await verifyTable(lake, table, { quick: false })
  const strays = await strayFiles(table, lake.io)
  const { location } = (await table.load()).metadata
  const found = await findOrphans(table, { olderThanMs: 0, nowMs: table.clock.nowMs() })
  for (const orphan of found) await lake.io.remove(orphan.location)
  const straysAfterCleaning = await strayFiles(table, lake.io)
  await append(lake, tradesBatch(1_000, 10, { symbols: 2 }), { specId: 0 })
  const rowsAfterNextWrite = await numbersIn(lake)
  problems.push(...(await verifyTable(lake, table, { quick: false })).problems)
  const orphans = found.map(orphan => orphan.location.slice(location.length + 1))
  return {
    signal,
    complaint,
    problems,
    rows,
    strays: strays.sort(),
    orphans: orphans.sort(),
    straysAfterCleaning,
    rowsAfterNextWrite,
  }
}

async function numbersIn(lake: Lake): Promise<number[]> {
  return (await readRows(lake)).map(row => Number(row.source_sequence))
}
