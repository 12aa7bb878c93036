// Keeps tables in order while K2 runs: compaction and expiry, one table after the other, at intervals. Two processes
// that do it at the same time only cost each other a round: what is replaced twice conflicts, and nothing is lost.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../contract/failure.ts'
import { TABLES, type TableId } from '../../../contract/tables.ts'
import type { Lake } from '../lake.ts'
import type { LakeTable } from '../table.ts'
import { compactTable, type Compacted } from './compact-table.ts'
import { expireSnapshots, type Expired, type Retention } from './expire-snapshots.ts'

export interface UpkeepOptions {
  retention: Retention
  /** At a commit every five seconds, a day's partition gains 120 files in ten minutes. */
  everyMs?: number
  /** Asked of each table in each round: not while another K2 writes it, and keeps it in order itself. */
  isOurs?: (table: TableId) => boolean
  /** Each table waits for a moment in which this holds, but not for ever: files must not gather without end. */
  isQuiet?: () => boolean
  onDone?: (done: { table: TableId; compacted: Compacted; expired: Expired }) => void
  onFailed?: (failed: { table: TableId; error: unknown }) => void
}

export interface Upkeep {
  /** Ends what is under way; its staged files are removed. */
  close: () => Promise<void>
}

const EVERY_MS = 600_000
const QUIET_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 500
/** A partition of the default spec with fewer small files than this is read well enough as it is. */
const MIN_FILES = 8

export function startUpkeep(lake: Lake, options: UpkeepOptions): Upkeep {
  const { everyMs = EVERY_MS } = options
  const abort = new AbortController()
  const running = run(lake, options, everyMs, abort.signal)
  return {
    async close() {
      abort.abort()
      await running
    },
  }
}

async function run(lake: Lake, options: UpkeepOptions, everyMs: number, signal: AbortSignal): Promise<void> {
  const isOver = () => signal.aborted
  while (!isOver()) {
    await sleep(everyMs, undefined, { signal }).catch(() => {})
    for (const table of Object.keys(TABLES) as TableId[]) {
      if (options.isOurs?.(table) === false) continue
      await untilQuiet(options, signal)
      if (isOver()) return
      await keepUp(lake, table, options, signal)
    }
  }
}

async function untilQuiet({ isQuiet = () => true }: UpkeepOptions, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < QUIET_WITHIN_MS && !isQuiet() && !signal.aborted; waitedMs += LOOK_EVERY_MS)
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
}

async function keepUp(lake: Lake, id: TableId, options: UpkeepOptions, signal: AbortSignal): Promise<void> {
  const { retention, onDone, onFailed } = options
  const table = lake.table(id)
  async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      if (!signal.aborted) onFailed?.({ table: id, error })
      return undefined
    }
  }
  if (!(await attempt(() => isThere(table, signal)))) return
  const compacted = await attempt(() => compactTable(lake, table, { minFiles: MIN_FILES, signal }))
  if (signal.aborted) return
  // Also where compaction fails: a table with one damaged file would gather snapshots without end.
  const expired = await attempt(() => expireSnapshots(table, { retention, signal }))
  if (compacted && expired) onDone?.({ table: id, compacted, expired })
}

/** Not, as long as nothing was ever written to it. */
async function isThere(table: LakeTable, signal: AbortSignal): Promise<boolean> {
  try {
    await table.load(signal)
    return true
  } catch (error) {
    if (error instanceof Failure && error.code === 'NOT_FOUND') return false
    throw error
  }
}
