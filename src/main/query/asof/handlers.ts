// The as-of join over the tables.
import { tradesWithQuotes, type asofContract } from '../../../contract/asof.ts'
import type { Handlers } from '../../../contract/capability.ts'
import { emptyBatch, type Column, type ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { quotes as quoteTable } from '../../../contract/tables.ts'
import { takeColumn, takeRows, viewColumn } from '../../../contract/take-rows.ts'
import type { TableAt } from '../../lake/reads.ts'
import { createExchangeOf, exchangesOf } from '../bars/instrument.ts'
import { lastBefore } from '../bars/last-before.ts'
import { backward } from '../bars/read-bars.ts'
import { windowsOf } from '../bars/windows.ts'
import { firstNotBelow } from '../../market/row-order.ts'
import { OFF_MARKET, type Blocks } from '../blocks/blocks.ts'
import { workByFiles } from '../blocks/by-files.ts'
import { joinColumns } from '../blocks/combine-columns.ts'
import { filterOf } from '../blocks/read-block.ts'
import type { Cursors } from '../cursor.ts'
import type { SeenIn } from '../moments.ts'
import { lakeMeta, type QueryTools } from '../tools.ts'
import { openPage, type AsofPlace } from './page.ts'
import { joinPiece, joinPieces, type JoinOptions } from './join-piece.ts'

type Asked = Parameters<Handlers<typeof asofContract>['asof.join']>[0]

const TRADES = ['source_sequence', 'price', 'quantity', 'side']
const QUOTES = ['bid_price', 'bid_quantity', 'ask_price', 'ask_quantity']

export function asofHandlers(
  tools: QueryTools,
  blocks: Blocks,
  cursors: Cursors<AsofPlace>,
  seenIn: SeenIn,
): Handlers<typeof asofContract> {
  const { reads } = tools
  const exchangeOf = createExchangeOf(tools)
  return {
    async 'asof.join'(asked, { signal }) {
      const startedMs = performance.now()
      const symbols = symbolsOf(asked)
      const page = await openPage(
        { ...tools, cursors },
        asked,
        asked.replay_session === undefined ? undefined : seenIn(asked),
        signal,
      )
      const { range, passed } = page
      const { trades, quotes } = page.states
      const options = optionsOf(asked, page.knownUntilMicros)
      const files = { total: 0, pruned: 0, read: 0 }
      const exchanges = await exchangesOf(exchangeOf, trades, { symbols, exchange: asked.exchange }, signal)
      const found = await workByFiles(reads, { at: trades, symbols: [...exchanges.keys()] }, joinOne, signal)
      const { data, hasMore } = newest(
        found.filter(({ rowCount }) => rowCount > 0),
        asked.limit,
        passed,
      )
      const query = lakeMeta(tools, { at: trades, files, rows: data.rowCount, startedMs })
      const next_cursor = page.nextCursor(data, hasMore)
      return { data, query, pagination: { limit: asked.limit, next_cursor, has_more: hasMore } }

      async function joinOne(symbol: string, signal: AbortSignal): Promise<Named> {
        const exchange = exchanges.get(symbol)!
        const limit = asked.limit + passed + 1
        const filter = filterOf({ symbols: [symbol], exchange, ...range })
        const spans = await Promise.all(
          [trades, quotes].map(at => reads.spans(at, { filter }, 'exchange_timestamp', signal)),
        )
        const [before, after] = options.window ?? [0, 0]
        const horizon = 1000 * Math.max(0, ...options.horizonsMs)
        const pieces: Record<string, Column>[] = []
        let rowCount = 0
        const ofTrades = asked.conditions === 'on_market' ? [...TRADES, OFF_MARKET] : TRADES
        const read = (at: TableAt, startMicros: number, endMicros: number, columns: readonly string[]) =>
          blocks.read(
            { at, symbol, exchange, startMicros, endMicros: Math.min(endMicros, page.untilMicros), columns },
            signal,
          )
        // Pieces are cut where both tables together would be too many rows; those before the first trade are none.
        for (const { start, end } of backward(spans.flat(), range, windowsOf('1m', 'UTC'), limit)) {
          const { runs } = await read(trades, start - before, end + after + 1, ofTrades)
          const all = withoutOffMarket(oneRun(runs))
          if (!all) continue
          const times = all.columns.exchange_timestamp.values as Float64Array
          const to = firstNotBelow(times, end)
          const from = Math.max(firstNotBelow(times, start), to - (limit - rowCount))
          if (from === to) continue
          const quoted = await read(quotes, times[from], times[to - 1] + horizon + 1, QUOTES)
          const carried = await lastBefore(
            { reads, blocks },
            { at: quotes, symbol, exchange, endMicros: times[from], columns: QUOTES },
            signal,
          )
          const known = oneRun([...(carried ? [carried] : []), ...quoted.runs]) ?? emptyBatch(quoteTable.columns)
          pieces.unshift(joinPiece(all, [from, to], known, options))
          rowCount += to - from
          if (rowCount >= limit) break
        }
        const columns = rowCount > 0 ? joinPieces(pieces) : {}
        files.total += spans.flat().length
        files.read += spans.flat().length
        return { symbol, exchange, columns, rowCount }
      }
    },
  }
}

function symbolsOf({ symbol, symbols }: Asked): readonly string[] {
  if (symbol !== undefined && symbols === undefined) return [symbol]
  if (symbols !== undefined && symbol === undefined) return [...new Set(symbols)]
  throw new Failure('INVALID_INPUT', 'Give either symbol or symbols.', { details: { symbol, symbols } })
}

function optionsOf(asked: Asked, nowMicros: number): JoinOptions {
  const { strict, tolerance_ms: tolerance, horizons_ms, window_before_ms: before, window_after_ms: after } = asked
  const hasWindow = before !== undefined || after !== undefined
  return {
    strict,
    toleranceMicros: tolerance === undefined ? Infinity : Math.round(tolerance * 1000),
    horizonsMs: horizons_ms,
    ...(hasWindow && { window: [Math.round((before ?? 0) * 1000), Math.round((after ?? 0) * 1000)] as const }),
    knownUntilMicros: nowMicros,
  }
}

function oneRun(runs: readonly ColumnBatch[]): ColumnBatch | undefined {
  if (runs.length < 2) return runs.at(0)
  const names = Object.keys(runs[0].columns)
  const joined = names.map(name => [name, joinColumns(runs.map(({ columns }) => columns[name]))] as const)
  return { rowCount: runs.reduce((sum, run) => sum + run.rowCount, 0), columns: Object.fromEntries(joined) }
}

function withoutOffMarket(run: ColumnBatch | undefined): ColumnBatch | undefined {
  if (!run || !(OFF_MARKET in run.columns)) return run
  const { values } = run.columns[OFF_MARKET]
  const kept = new Uint32Array(run.rowCount).map((_, row) => row).filter(row => Number(values[row]) === 0)
  return takeRows(run, kept)
}

interface Named extends ColumnBatch {
  symbol: string
  exchange: string
}

/** Of all instruments together, in the order of time; those of one moment in the order asked for. The last ones were given. */
function newest(found: readonly Named[], limit: number, passed: number): { data: ColumnBatch; hasMore: boolean } {
  if (found.length === 0) return { data: emptyBatch(tradesWithQuotes.columns), hasMore: false }
  const rowCount = found.reduce((sum, one) => sum + one.rowCount, 0)
  const same = (word: string, count: number): Column => ({
    type: 'string',
    words: [word],
    values: new Uint8Array(count),
  })
  const all = joinPieces(
    found.map(one => ({
      symbol: same(one.symbol, one.rowCount),
      exchange: same(one.exchange, one.rowCount),
      ...one.columns,
    })),
  )
  const end = rowCount - passed
  const kept = Math.min(limit, end)
  const order = found.length === 1 ? undefined : byTime(all.exchange_timestamp.values as Float64Array, end - kept, end)
  const cut = (column: Column) => (order ? takeColumn(column, order) : viewColumn(column, end - kept, end))
  const columns = Object.fromEntries(Object.entries(all).map(([name, column]) => [name, cut(column)]))
  return { data: { rowCount: kept, columns }, hasMore: end > limit }
}

function byTime(times: Float64Array, from: number, to: number): Uint32Array {
  return new Uint32Array(times.length)
    .map((_, row) => row)
    .sort((a, b) => times[a] - times[b])
    .subarray(from, to)
}
