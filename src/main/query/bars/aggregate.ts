// Measures of several instruments over windows of time, each one's oldest rows first.
import type { barsContract, Metric } from '../../../contract/bars.ts'
import type { Handlers } from '../../../contract/capability.ts'
import { decimalText, timestampText, type ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import { exchangeOf as knownExchange } from '../../market/exchanges.ts'
import type { FileSpan, TableAt } from '../../lake/reads.ts'
import { OFF_MARKET, type Blocks, type Run } from '../blocks/blocks.ts'
import { workByFiles } from '../blocks/by-files.ts'
import { filterOf } from '../blocks/read-block.ts'
import { lakeMeta, sumOfFiles, type QueryTools } from '../tools.ts'
import type { Bar } from './add-bars.ts'
import { vwapOf, VWAP_SCALE } from './bars-batch.ts'
import type { FilesOf } from './file-counts.ts'
import { exchangesOf, type ExchangeOf } from './instrument.ts'
import { lastBefore } from './last-before.ts'
import { measureProfile, measureSpread, measureTwap } from './measures.ts'
import { backward, barsOf, joinBars, type ScaledBars } from './read-bars.ts'
import { endedAt, upTo, type Range } from './range.ts'
import { statesOf } from './states.ts'
import type { ThenOf } from '../moments.ts'
import { windowsOf, type Window, type WindowAt } from './windows.ts'

type Aggregate = Handlers<typeof barsContract>['aggregations.run']
type Answer = Awaited<ReturnType<Aggregate>>
type Measured = Answer['data'][number]

export type MeasureTools = QueryTools & { blocks: Blocks; exchangeOf: ExchangeOf; filesOf: FilesOf }
export type MeasureQuestion = Parameters<Aggregate>[0] & Range & { thenOf: ThenOf }

const MOST_WINDOWS = 10_000
const TRADES = ['price', 'quantity']
const QUOTES = ['bid_price', 'bid_quantity', 'ask_price', 'ask_quantity']

export async function measure(tools: MeasureTools, question: MeasureQuestion, signal?: AbortSignal): Promise<Answer> {
  const startedMs = performance.now()
  const wanted = new Set<Metric>(question.metrics)
  const needsTrades = question.metrics.some(metric => metric !== 'spread')
  const needsQuotes = wanted.has('spread')
  const { trades, quotes } = await statesOf(tools.reads, question, signal, question.thenOf)
  const at = needsTrades ? trades : quotes
  // What has quotes and no trades has a spread all the same.
  const exchangeOf: ExchangeOf = async (first, instrument, stop) =>
    (await tools.exchangeOf(first, instrument, stop)) ??
    (needsTrades && needsQuotes ? tools.exchangeOf(quotes, instrument, stop) : undefined)
  const exchanges = await exchangesOf(exchangeOf, at, question, signal)
  let windows = 0
  const measured = async (symbol: string, stop: AbortSignal) => {
    const reading = {
      ...question,
      symbol,
      exchange: exchanges.get(symbol)!,
      trades: needsTrades ? trades : undefined,
      quotes: needsQuotes ? quotes : undefined,
      wanted,
    }
    const found = await measureOne(tools, reading, stop)
    windows += found.data.length
    if (windows > MOST_WINDOWS) throw tooManyWindows()
    return found
  }
  const found = await workByFiles(tools.reads, { at, symbols: [...exchanges.keys()] }, measured, signal)
  const data = found.flatMap(one => one.data)
  const rows = found.reduce((sum, one) => sum + one.rows, 0)
  const tables = [...(needsTrades ? [trades] : []), ...(needsQuotes ? [quotes] : [])]
  const asked = {
    ...upTo(question, question.thenOf?.('trades').untilMicros),
    exchange: question.exchange?.toUpperCase(),
  }
  const files = sumOfFiles(await Promise.all(tables.map(table => tools.filesOf(table, asked, signal))))
  return { data, query: lakeMeta(tools, { at, files, rows, startedMs }) }
}

interface Reading extends MeasureQuestion {
  symbol: string
  exchange: string
  trades: TableAt | undefined
  quotes: TableAt | undefined
  wanted: ReadonlySet<Metric>
}

async function measureOne(tools: MeasureTools, asked: Reading, signal?: AbortSignal) {
  const { symbol, exchange, interval, trades, quotes, wanted, startMicros } = asked
  const windowOf = interval && windowsOf(interval, knownExchange(exchange).zone)
  const clockMicros = asked.thenOf?.('trades').untilMicros
  const reading = windowOf ? endedAt(asked, windowOf, clockMicros) : upTo(asked, clockMicros)
  const filter = filterOf({ ...reading, symbols: [symbol] })
  const spansOf = async (at: TableAt | undefined) =>
    at ? tools.reads.spans(at, { filter }, 'exchange_timestamp', signal) : []
  const [ofTrades, ofQuotes] = await Promise.all([spansOf(trades), spansOf(quotes)])
  // Where it begins and ends is known once the rows are: files hold other symbols too.
  const single: Window = { start: startMicros ?? -Infinity, end: reading.endMicros ?? Infinity }
  const windowAt: WindowAt = windowOf ?? (() => single)
  const pieceAt = windowOf ?? windowsOf('1h', knownExchange(exchange).zone)

  const twap = wanted.has('twap') ? measureTwap(windowAt, startMicros) : undefined
  const profile = wanted.has('volume_profile') ? measureProfile(windowAt) : undefined
  const spread = wanted.has('spread') ? measureSpread(windowAt, startMicros) : undefined
  const isOnMarket = reading.conditions === 'on_market'
  const ofTrade = isOnMarket ? [...TRADES, OFF_MARKET] : TRADES
  const parts: ScaledBars[] = []
  let rows = 0
  let [first, last] = [Infinity, -Infinity]
  const each = async (
    { at, of }: { at: TableAt; of: readonly FileSpan[] },
    columns: readonly string[],
    take: (runs: readonly Run[]) => void,
  ) => {
    for (const piece of [...backward(of, reading, pieceAt, MOST_WINDOWS)].reverse()) {
      const asked = { at, symbol, exchange, startMicros: piece.start, endMicros: piece.end, columns }
      const { runs, rowCount } = await tools.blocks.read(asked, signal)
      rows += rowCount
      for (const run of runs) {
        const times = run.columns.exchange_timestamp.values as Float64Array
        first = Math.min(first, times[0])
        last = Math.max(last, times[run.rowCount - 1])
      }
      take(runs)
    }
  }
  const carry = async (at: TableAt, columns: readonly string[], take: (run: ColumnBatch) => void) => {
    if (startMicros === undefined) return
    const before = await lastBefore(tools, { at, symbol, exchange, endMicros: startMicros, columns }, signal)
    if (!before) return
    rows++
    take(before)
  }
  if (trades) {
    if (twap) await carry(trades, ofTrade, twap.take)
    await each({ at: trades, of: ofTrades }, ofTrade, runs => {
      const part = barsOf(runs, windowAt)
      parts.push(part)
      if (parts.reduce((sum, { bars }) => sum + bars.length, 0) > MOST_WINDOWS) throw tooManyWindows()
      for (const run of runs) {
        twap?.take(run)
        profile?.take(run)
      }
    })
  }
  if (quotes && spread) {
    await carry(quotes, QUOTES, spread.take)
    await each({ at: quotes, of: ofQuotes }, QUOTES, runs => runs.forEach(spread.take))
  }
  const whole = { start: startMicros ?? first, end: reading.endMicros ?? last + 1 }
  // A row that is carried in fills a range that was asked for, and makes none.
  const isEmpty = last < first
  if (rows === 0 || whole.end < whole.start || (isEmpty && windowOf)) return { data: [], rows }
  const lastEnd = windowOf ? windowOf(last).end : whole.end
  const until = Math.min(lastEnd, reading.endMicros ?? Infinity, tools.clock.nowMicros())
  twap?.finish(until)
  spread?.finish(until)
  const scaled = joinBars(parts)
  const bars = new Map(scaled.bars.map(bar => [bar.start, bar]))
  const starts = new Set([...bars.keys(), ...(spread?.starts() ?? []), ...(interval ? [] : [single.start])])
  const data = [...starts]
    .sort((a, b) => a - b)
    .map((start): Measured => {
      const window = interval ? windowAt(start) : whole
      const bar = bars.get(start)
      return {
        symbol,
        exchange,
        window_start: timestampText(window.start),
        window_end: timestampText(window.end),
        ...(wanted.has('trade_count') && { trade_count: bar?.count ?? 0 }),
        ...(wanted.has('vwap') && { vwap: vwapText(bar, scaled.priceScale) }),
        ...(twap && { twap: twap.of(start) }),
        ...(wanted.has('ohlcv') && { ohlcv: bar ? pricesOf(bar, scaled) : null }),
        ...(profile && { volume_profile: profile.of(start) }),
        ...(spread && { spread: spread.of(start) }),
      }
    })
  return { data, rows }
}

function vwapText(bar: Bar | undefined, priceScale: number): string | null {
  const vwap = bar && vwapOf(bar, priceScale)
  return vwap === undefined ? null : decimalText(vwap, VWAP_SCALE)
}

/** As texts of an answer. */
export function pricesOf(bar: Bar, { priceScale, quantityScale }: Omit<ScaledBars, 'bars'>) {
  const price = (value: number | bigint) => decimalText(value, priceScale)
  return {
    open_price: price(bar.open),
    high_price: price(bar.high),
    low_price: price(bar.low),
    close_price: price(bar.close),
    volume: decimalText(bar.volume, quantityScale),
  }
}

function tooManyWindows(): Failure {
  const what = `That is more than ${MOST_WINDOWS} windows; nothing was answered.`
  return new Failure('PAYLOAD_TOO_LARGE', `${what} Ask for longer windows, a shorter range or fewer symbols.`)
}
