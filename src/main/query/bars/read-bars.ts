// The newest bars of a range, read backward from its end so that what lies before them need not be read.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import type { FileSpan, LakeReads, TableAt } from '../../lake/reads.ts'
import { OFF_MARKET, type Blocks, type Run } from '../blocks/blocks.ts'
import { filterOf } from '../blocks/read-block.ts'
import { addBar, addBars, type Bar, type TradeRun } from './add-bars.ts'
import { timesPowerOfTen } from './exact.ts'
import { addBlockBars } from './kept-bars.ts'
import type { Window, WindowAt } from './windows.ts'

export interface BarsTools {
  reads: LakeReads
  blocks: Blocks
}

export interface BarsQuestion {
  at: TableAt
  symbol: string
  exchange: string
  startMicros?: number
  endMicros?: number
  isOnMarket: boolean
  /** Rows that are in no file yet, in the total order. */
  fresh?: ColumnBatch
}

/** Prices are whole numbers by 10^priceScale, volumes by 10^quantityScale. */
export interface ScaledBars {
  bars: Bar[]
  priceScale: number
  quantityScale: number
}

export interface ReadBars extends ScaledBars {
  rowCount: number
  /** How far back was read: not to the start of the range where there were enough before. */
  readFrom: number | undefined
}

/** About 100 MB while they are worked on. */
const MOST_ROWS_AT_ONCE = 4_000_000

export async function readBars(
  { reads, blocks }: BarsTools,
  question: BarsQuestion,
  { windowAt, limit }: { windowAt: WindowAt; limit: number },
  signal?: AbortSignal,
): Promise<ReadBars> {
  const { at, symbol, exchange, isOnMarket } = question
  const columns = tradeColumns(isOnMarket)
  const filter = filterOf({ ...question, symbols: [symbol] })
  const spans = [...(await reads.spans(at, { filter }, 'exchange_timestamp', signal)), ...spanOf(question.fresh)]
  const parts: ScaledBars[] = []
  let readFrom = question.startMicros
  let rowCount = 0
  let found = 0
  for (const { start, end } of backward(spans, question, windowAt, limit)) {
    const asked = { at, symbol, exchange, startMicros: start, endMicros: end, columns, fresh: question.fresh }
    const read = await blocks.read(asked, signal)
    rowCount += read.rowCount
    readFrom = start
    const part = barsOf(read.runs, windowAt)
    parts.unshift(part)
    found += part.bars.length
    if (found >= limit) break
  }
  return { ...joinBars(parts), rowCount, readFrom }
}

/** What bars are made of. */
export function tradeColumns(isOnMarket: boolean): string[] {
  return ['price', 'quantity', ...(isOnMarket ? [OFF_MARKET] : [])]
}

/** Of rows that are in no file, as if they were in one. */
export function spanOf(fresh: ColumnBatch | undefined): FileSpan[] {
  if (!fresh || fresh.rowCount === 0) return []
  const times = fresh.columns.exchange_timestamp.values as Float64Array
  return [{ rows: fresh.rowCount, fromMicros: times[0], toMicros: times[fresh.rowCount - 1] }]
}

/** Of runs in the total order. */
export function barsOf(runs: readonly Run[], windowAt: WindowAt): ScaledBars {
  const priceScale = scaleOf(runs.map(({ columns }) => columns.price))
  const quantityScale = scaleOf(runs.map(({ columns }) => columns.quantity))
  const bars: Bar[] = []
  for (const { rowCount, columns, of } of runs) {
    // What is kept of a block is in its own scale.
    const block = columns.price.scale === priceScale && columns.quantity.scale === quantityScale ? of : undefined
    const columnOf = (name: string) => block?.columns.get(name) ?? columns[name]
    const left = OFF_MARKET in columns ? columnOf(OFF_MARKET) : undefined
    const trades: TradeRun = {
      times: columnOf('exchange_timestamp').values as Float64Array,
      prices: scaledTo(columnOf('price'), priceScale),
      quantities: scaledTo(columnOf('quantity'), quantityScale),
      ...(left && { left: left.values }),
    }
    if (!block) addBars(bars, trades, windowAt)
    else {
      const rows = { trades, column: left ?? columnOf('price'), from: block.from, to: block.from + rowCount }
      addBlockBars(bars, rows, windowAt)
    }
  }
  return { bars, priceScale, quantityScale }
}

export function scaleOf(columns: readonly Column[]): number {
  return columns.reduce((most, { scale = 0 }) => Math.max(most, scale), 0)
}

/** The values times a power of ten: 64-bit integers where doubles would not be exact. */
export function scaledTo({ values, scale = 0 }: Column, wanted: number): Column['values'] {
  if (scale === wanted) return values
  const scaled = Array.from<number | bigint, number | bigint>(values, value => timesPowerOfTen(value, wanted - scale))
  return scaled.every(value => typeof value === 'number')
    ? Float64Array.from(scaled)
    : BigInt64Array.from(scaled, value => BigInt(value))
}

/** Parts follow each other in time; of a window that is in several the bars are one. */
export function joinBars(parts: readonly ScaledBars[]): ScaledBars {
  if (parts.length === 1) return parts[0]
  const priceScale = parts.reduce((most, part) => Math.max(most, part.priceScale), 0)
  const quantityScale = parts.reduce((most, part) => Math.max(most, part.quantityScale), 0)
  const bars: Bar[] = []
  for (const part of parts) for (const bar of rescaled(part, priceScale, quantityScale)) addBar(bars, bar)
  return { bars, priceScale, quantityScale }
}

function rescaled({ bars, ...scales }: ScaledBars, priceScale: number, quantityScale: number): readonly Bar[] {
  const byPrice = priceScale - scales.priceScale
  const byQuantity = quantityScale - scales.quantityScale
  if (byPrice === 0 && byQuantity === 0) return bars
  return bars.map(bar => ({
    ...bar,
    open: timesPowerOfTen(bar.open, byPrice),
    high: timesPowerOfTen(bar.high, byPrice),
    low: timesPowerOfTen(bar.low, byPrice),
    close: timesPowerOfTen(bar.close, byPrice),
    volume: timesPowerOfTen(bar.volume, byQuantity),
    notional: timesPowerOfTen(bar.notional, byPrice + byQuantity),
  }))
}

interface Range {
  startMicros?: number
  endMicros?: number
}

/**
 * Pieces of the range, the newest first: as long as `limit` windows and then twice as long each time, as there may be
 * nights and holidays between, but never of more rows than may be in memory at once. They end where windows end.
 */
export function* backward(
  spans: readonly FileSpan[],
  { startMicros = -Infinity, endMicros = Infinity }: Range,
  windowAt: WindowAt,
  limit: number,
): Generator<Window> {
  const first = Math.max(startMicros, Math.min(...spans.map(({ fromMicros }) => fromMicros)))
  const last = Math.min(endMicros, Math.max(...spans.map(({ toMicros }) => toMicros)) + 1)
  // A file that does not say its times leaves the range open.
  if (!Number.isFinite(first) || !Number.isFinite(last)) {
    if (spans.length > 0) yield { start: startMicros, end: endMicros }
    return
  }
  const { start, end } = windowAt(last - 1)
  let length = (end - start) * limit
  for (let to = last; to > first; length *= 2) {
    const from = Math.max(first, windowAt(Math.max(first, to - length)).start)
    yield* split(spans, { start: from, end: to }, windowAt)
    to = from
  }
}

function* split(spans: readonly FileSpan[], range: Window, windowAt: WindowAt): Generator<Window> {
  if (rowsIn(spans, range) > MOST_ROWS_AT_ONCE) {
    const middle = windowAt((range.start + range.end) / 2).start
    if (middle > range.start && middle < range.end) {
      yield* split(spans, { start: middle, end: range.end }, windowAt)
      yield* split(spans, { start: range.start, end: middle }, windowAt)
      return
    }
  }
  yield range
}

/** About, as if rows were spread evenly over each file's time. */
function rowsIn(spans: readonly FileSpan[], { start, end }: Window): number {
  let rows = 0
  for (const span of spans) {
    const overlap = Math.min(end, span.toMicros + 1) - Math.max(start, span.fromMicros)
    if (overlap > 0) rows += (span.rows * overlap) / (span.toMicros + 1 - span.fromMicros)
  }
  return rows
}
