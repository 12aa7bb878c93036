// Where the rows of a statement came from: the tables, and what the log has beyond them.
import type { QueryMeta } from '../../../contract/fields.ts'
import type { FileCounts, TableAt } from '../../lake/reads.ts'
import { withLive } from '../bars/live-trades.ts'
import { neverWritten } from '../moments.ts'
import { lakeMeta, type QueryTools } from '../tools.ts'
import type { LiveRows } from './live-rows.ts'

export interface SqlShare {
  /** The first table that is read; nothing where none is. */
  at: TableAt | undefined
  files: FileCounts
  live: readonly LiveRows[]
}

export function sqlMeta(
  tools: Pick<QueryTools, 'clock'>,
  { at = neverWritten('trades'), files, live }: SqlShare,
  rows: number,
  startedMs: number,
): QueryMeta {
  const meta = lakeMeta(tools, { at, files, rows, startedMs })
  if (live.length === 0) return meta
  const fresh = live.flatMap(({ fresh = [] }) => fresh)
  const newest = fresh.flatMap(({ newestMicros = [] }) => newestMicros)
  const whys = live.flatMap(({ why }) => why ?? [])
  const share = {
    at,
    rows: fresh.at(0)?.rows,
    newestMicros: newest.length > 0 ? Math.max(...newest) : undefined,
    ms: Math.max(...live.map(({ ms }) => ms)),
    why: whys.length > 0 ? [...new Set(whys)].join(' ') : null,
    mayRepeat: live.some(({ mayRepeat }) => mayRepeat),
  }
  const taken = fresh.reduce((sum, { rows: { rowCount } }) => sum + rowCount, 0)
  return withLive(meta, share, { taken, nowMicros: tools.clock.nowMicros() })
}
