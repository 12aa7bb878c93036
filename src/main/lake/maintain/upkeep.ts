// Keeps tables in order while K2 runs: compaction and expiry, one table after the other, at intervals, and sooner where
// files gather. Two processes that do it at the same time only cost each other a round: what is replaced twice conflicts, and
// nothing is lost.
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../contract/failure.ts'
import { TABLES, type TableId } from '../../../contract/tables.ts'
import { headOf } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import type { LakeTable } from '../table.ts'
import { compactTable, type Compacted } from './compact-table.ts'
import { expireSnapshots, type Expired, type Retention } from './expire-snapshots.ts'

export interface UpkeepOptions {
  retention: Retention
  /** At a commit every five seconds, a day's partition gains 120 files in ten minutes. */
  everyMs?: number
  /**
   * So many files more than after its last round, and a table's turn is now, quiet or not. A stream that catches up adds four
   * a second, also while these are compacted, and no partition is to hold a thousand.
   */
  crowdedBy?: number
  lookEveryMs?: number
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
const CROWDED_BY = 300
const LOOK_EVERY_MS = 5_000
const QUIET_WITHIN_MS = 120_000
const LOOK_FOR_QUIET_MS = 500
/** A partition of the default spec with fewer small files than this is read well enough as it is. */
const MIN_FILES = 8

export function startUpkeep(lake: Lake, options: UpkeepOptions): Upkeep {
  const abort = new AbortController()
  setMaxListeners(0, abort.signal) // a round reads many files at once
  const running = run(lake, options, abort.signal)
  return {
    async close() {
      abort.abort()
      await running
    },
  }
}

async function run(lake: Lake, options: UpkeepOptions, signal: AbortSignal): Promise<void> {
  const { everyMs = EVERY_MS, lookEveryMs = LOOK_EVERY_MS, crowdedBy = CROWDED_BY, isOurs = () => true } = options
  const filesAfter = new Map<TableId, number>()
  const isOver = () => signal.aborted
  for (let dueMs = performance.now() + everyMs; !isOver();) {
    await sleep(Math.min(everyMs, lookEveryMs), undefined, { signal }).catch(() => {})
    const isDue = performance.now() >= dueMs
    for (const id of Object.keys(TABLES) as TableId[]) {
      if (isOver()) return
      if (!isOurs(id)) continue
      const isCrowded = (await filesOf(lake, id)) - (filesAfter.get(id) ?? 0) >= crowdedBy
      if (!isDue && !isCrowded) continue
      if (!isCrowded) await untilQuiet(options, signal)
      if (isOver()) return
      await keepUp(lake, id, options, signal)
      filesAfter.set(id, await filesOf(lake, id))
    }
    if (isDue) dueMs = performance.now() + everyMs
  }
}

/** As far as this process knows: what it commits itself. */
async function filesOf(lake: Lake, id: TableId): Promise<number> {
  const known = await lake
    .table(id)
    .known()
    .catch(() => undefined)
  return Number((known && headOf(known.metadata))?.summary['total-data-files'] ?? 0)
}

async function untilQuiet({ isQuiet = () => true }: UpkeepOptions, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < QUIET_WITHIN_MS && !isQuiet() && !signal.aborted; waitedMs += LOOK_FOR_QUIET_MS)
    await sleep(LOOK_FOR_QUIET_MS, undefined, { signal }).catch(() => {})
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
