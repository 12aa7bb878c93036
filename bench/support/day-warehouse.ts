// A warehouse of a day's trades, appended as a stream would and then compacted: built once, as it takes minutes, and
// kept among the caches of this user.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { appendTrades, bytesOf, dataFiles, localLakeOptions, withLake } from './bench-lake.ts'
import { createTape } from './tape.ts'
import { elapsedMsOf } from './timing.ts'

/** Raised when what is in it or how it is written changes. */
const VERSION = 1
const ROWS_A_COMMIT = 500_000

export interface Built {
  rows: number
  appendMs: number
  filesBefore: number
  compactMs: number
  files: number
  bytes: number
  /** At most, over compacting and over all. */
  compactMb: number
  residentMb: number
}

export interface DayWarehouse {
  folder: string
  built: Built
}

export function dayWarehouse(rows: number): DayWarehouse {
  const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(caches, 'k2/bench-lake', `v${VERSION}-${rows}`)
  const marker = join(folder, 'built.json')
  if (!existsSync(marker)) {
    rmSync(folder, { recursive: true, force: true })
    for (const step of ['append', 'compact']) {
      const words = ['--import', 'tsx', import.meta.filename, step, folder, String(rows)]
      execFileSync(process.execPath, words, { stdio: 'inherit' })
    }
    writeFileSync(marker, JSON.stringify({ rows, ...resultOf(folder, 'append'), ...resultOf(folder, 'compact') }))
  }
  return { folder, built: JSON.parse(readFileSync(marker, 'utf8')) as Built }
}

const resultPath = (folder: string, step: string) => join(folder, `${step}.json`)
const resultOf = (folder: string, step: string) => JSON.parse(readFileSync(resultPath(folder, step), 'utf8')) as object
const residentMb = () => process.resourceUsage().maxRSS / 1000

/** In a process of its own, so that its memory is that of the work. */
async function append(folder: string, rows: number): Promise<Partial<Built>> {
  return withLake(localLakeOptions(folder), async lake => {
    const tape = createTape({ rows })
    let appendMs = 0
    for (let made = 0; made < rows; made += ROWS_A_COMMIT) {
      const batch = tape.next(Math.min(ROWS_A_COMMIT, rows - made))
      appendMs += await elapsedMsOf(() => appendTrades(lake, [batch], 0))
    }
    return { appendMs, filesBefore: (await dataFiles(lake)).length, residentMb: residentMb() }
  })
}

async function compact(folder: string): Promise<Partial<Built>> {
  return withLake(localLakeOptions(folder), async lake => {
    const compactMs = await elapsedMsOf(() => compactTable(lake, lake.table('trades'), { minFiles: 2 }))
    const files = await dataFiles(lake)
    return { compactMs, files: files.length, bytes: bytesOf(files), compactMb: residentMb() }
  })
}

const [, script, step, folder, rows] = process.argv
if (script === import.meta.filename) {
  const result = step === 'append' ? await append(folder, Number(rows)) : await compact(folder)
  writeFileSync(resultPath(folder, step), JSON.stringify(result))
}
