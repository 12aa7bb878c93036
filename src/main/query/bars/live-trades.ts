// One instrument's trades that are in the log and not in the tables yet. A snapshot's own offsets are the boundary: what
// lies before it is read of the snapshot, what comes after of the live view, so no row is missing and none comes twice.
import type { ColumnBatch } from '../../../contract/columns.ts'
import { timestampText } from '../../../contract/columns.ts'
import type { QueryMeta } from '../../../contract/fields.ts'
import { takeRows } from '../../../contract/take-rows.ts'
import type { TableAt } from '../../lake/reads.ts'
import type { FreshRows } from '../../tail/relay-contract.ts'
import { askLive, whyLiveIsAway, whyLiveIsPartial } from '../ask-live.ts'
import { OFF_MARKET, type Blocks } from '../blocks/blocks.ts'
import { isOffMarket } from '../blocks/read-block.ts'
import { placesOf, textsOf } from '../hybrid/leave-out-known.ts'
import type { QueryTools } from '../tools.ts'
import type { Range } from './range.ts'

export interface LiveTrades {
  at: TableAt
  /** With OFF_MARKET; of all exchanges where none was asked for. */
  rows: ColumnBatch | undefined
  newestMicros: number | undefined
  ms: number
  /** Why something may be missing. */
  why: string | null
  /** Whether rows may be in the table too, so that those must be left out. */
  mayRepeat: boolean
}

const MOST_ROWS = 200_000

export async function liveTrades(
  tools: QueryTools,
  { symbol, exchange, startMicros, endMicros }: Range & { symbol: string; exchange?: string },
  caller: AbortSignal,
): Promise<LiveTrades> {
  const { knownOffsets, isCertain, ...at } = await tools.reads.head('trades', caller)
  const startedMs = performance.now()
  const ended = (more: Pick<LiveTrades, 'rows' | 'newestMicros' | 'why'>): LiveTrades => {
    return { at, ...more, ms: Number((performance.now() - startedMs).toFixed(3)), mayRepeat: !isCertain }
  }
  try {
    const question = {
      data_type: 'trades' as const,
      boundary: knownOffsets ?? [],
      symbols: [symbol],
      exchange,
      since_micros: startMicros,
      until_micros: endMicros,
      limit: MOST_ROWS,
    }
    const fresh = await askLive(tools, question, caller)
    return ended({ rows: withOffMarket(fresh.rows), newestMicros: fresh.newestMicros, why: whyPartial(fresh) })
  } catch (error) {
    return ended({ rows: undefined, newestMicros: undefined, why: whyLiveIsAway(error, caller) })
  }
}

function whyPartial(fresh: FreshRows): string | null {
  const why = whyLiveIsPartial(fresh)
  if (why || fresh.rows.rowCount < MOST_ROWS) return why
  return `Only the newest ${MOST_ROWS} trades that are not in the tables yet were taken.`
}

function withOffMarket({ rowCount, columns }: ColumnBatch): ColumnBatch {
  const { values, words, nulls } = columns.trade_conditions
  const flags = Uint8Array.from(words ?? [], word => (isOffMarket(word as readonly string[] | null) ? 1 : 0))
  const off = new Uint8Array(rowCount)
  for (let row = 0; row < rowCount; row++) if (!nulls?.[row]) off[row] = flags[Number(values[row])]
  return { rowCount, columns: { ...columns, [OFF_MARKET]: { type: 'boolean', values: off } } }
}

/** Those of one exchange that the table has not. */
export async function ownRows(
  blocks: Blocks,
  { at, rows, mayRepeat }: LiveTrades,
  { symbol, exchange }: { symbol: string; exchange: string },
  signal: AbortSignal,
): Promise<ColumnBatch | undefined> {
  if (!rows || rows.rowCount === 0) return undefined
  const exchangeOf = textsOf(rows.columns.exchange)
  const isKnown = mayRepeat ? await knownRows(blocks, at, { symbol, exchange, rows }, signal) : () => false
  const kept: number[] = []
  for (let row = 0; row < rows.rowCount; row++) if (exchangeOf(row) === exchange && !isKnown(row)) kept.push(row)
  return kept.length === rows.rowCount ? rows : takeRows(rows, Uint32Array.from(kept))
}

/** Told by the place in the log, as a correction has the id of what it corrects; by the id where the table's row has no place. */
async function knownRows(
  blocks: Blocks,
  at: TableAt,
  { symbol, exchange, rows }: { symbol: string; exchange: string; rows: ColumnBatch },
  signal: AbortSignal,
): Promise<(row: number) => boolean> {
  const times = rows.columns.exchange_timestamp.values as Float64Array
  const range = { startMicros: times[0], endMicros: times[times.length - 1] + 1 }
  const columns = ['message_id', '_topic', '_partition', '_offset']
  const { runs } = await blocks.read({ at, symbol, exchange, ...range, columns }, signal)
  const [places, ids] = [new Set<string>(), new Set<unknown>()]
  for (const run of runs) {
    const [placeOf, idOf] = [placesOf(run), textsOf(run.columns.message_id)]
    for (let row = 0; row < run.rowCount; row++) {
      const place = placeOf(row)
      if (place === undefined) ids.add(idOf(row))
      else places.add(place)
    }
  }
  const [placeOf, idOf] = [placesOf(rows), textsOf(rows.columns.message_id)]
  return row => places.has(placeOf(row) ?? '') || ids.has(idOf(row))
}

/** The exchange that live rows alone tell, where there is one only. */
export function exchangeIn({ rows }: LiveTrades): string | undefined {
  if (!rows) return undefined
  const exchangeOf = textsOf(rows.columns.exchange)
  const found = new Set(Array.from({ length: rows.rowCount }, (_, row) => exchangeOf(row)))
  return found.size === 1 ? ([...found][0] as string) : undefined
}

/** What an answer from the tables says of itself, with the live view's part. */
export function withLive(
  query: QueryMeta,
  { newestMicros, ms, why, rows, mayRepeat }: LiveTrades,
  { taken, nowMicros }: { taken: number; nowMicros: number },
): QueryMeta {
  const tables = query.watermark === null ? -Infinity : Date.parse(query.watermark) * 1000
  const watermark = newestMicros !== undefined && newestMicros > tables ? timestampText(newestMicros) : query.watermark
  return {
    ...query,
    engine: 'hybrid',
    sources: { ...query.sources, ...(rows && { tail: { rows: taken, ms } }) },
    ...(rows && { told_by: mayRepeat ? ('place' as const) : ('offsets' as const) }),
    watermark,
    freshness_ms: watermark === null ? null : Math.max(0, nowMicros / 1000 - Date.parse(watermark)),
    partial: why !== null,
    why,
  }
}
