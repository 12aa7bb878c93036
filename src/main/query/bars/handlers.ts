// The capabilities of bars, over the tables.
import type { Handlers } from '../../../contract/capability.ts'
import type { barsContract } from '../../../contract/bars.ts'
import { decimalText, type ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { PastState } from '../../../contract/fields.ts'
import { exchangeOf as knownExchange } from '../../market/exchanges.ts'
import { firstNotBelow } from '../../market/row-order.ts'
import type { Blocks } from '../blocks/blocks.ts'
import { isPast, resolveState, type SeenIn, type ThenOf } from '../moments.ts'
import { lakeMeta, type QueryTools } from '../tools.ts'
import { measure, pricesOf } from './aggregate.ts'
import { barsBatch, vwapOf, VWAP_SCALE } from './bars-batch.ts'
import { carryIn, type CarriedBars } from './carry-in.ts'
import { createFilesOf } from './file-counts.ts'
import { fillBars } from './fill-bars.ts'
import { createExchangeOf } from './instrument.ts'
import { exchangeIn, liveTrades, ownRows, withLive } from './live-trades.ts'
import { endedAt, rangeOf, type Range } from './range.ts'
import { readBars, type BarsQuestion, type ReadBars } from './read-bars.ts'
import { dayOf, windowsOf } from './windows.ts'

export function barsHandlers(tools: QueryTools, blocks: Blocks, seenIn: SeenIn): Handlers<typeof barsContract> {
  const { reads, clock } = tools
  const parts = { ...tools, blocks, exchangeOf: createExchangeOf(tools), filesOf: createFilesOf(tools) }
  const filesRead = ({ at, symbol, exchange, endMicros }: BarsQuestion, { readFrom }: ReadBars, signal: AbortSignal) =>
    parts.filesOf(at, { symbols: [symbol], exchange, startMicros: readFrom, endMicros }, signal)
  const thenOf = (asked: Parameters<SeenIn>[0]): ThenOf =>
    asked.replay_session === undefined ? undefined : seenIn(asked)

  return {
    async 'bars.list'({ interval, symbol, conditions, fill, limit, ...asked }, { signal, door }) {
      const startedMs = performance.now()
      const asRange = rangeOf(asked)
      const isCarried = fill === 'previous'
      const then = thenOf(asked)?.('trades')
      const past = then?.past ?? asked
      const wantsLive = asked.live ?? (!then && door !== 'cli' && reachesNow(asked, asRange, clock.nowMicros()))
      if (wantsLive && (then ?? isPast(asked))) throw noLiveInThePast()
      const live = wantsLive
        ? await liveTrades(tools, { symbol, exchange: asked.exchange, ...asRange, ...(isCarried && FROM_EVER) }, signal)
        : undefined
      const at = live?.at ?? (await resolveState(reads, 'trades', past, signal))
      const exchange =
        (await parts.exchangeOf(at, { symbol, exchange: asked.exchange }, signal)) ?? (live && exchangeIn(live))
      const fresh =
        live && exchange !== undefined ? await ownRows(blocks, live, { symbol, exchange }, signal) : undefined
      const zone = exchange === undefined ? 'UTC' : knownExchange(exchange).zone
      const windowAt = windowsOf(interval, zone)
      const range = endedAt(asRange, windowAt, then?.untilMicros)
      const isOnMarket = conditions === 'on_market'
      const named = { symbol, exchange: exchange ?? '' }
      // One more than asked for tells whether there are more.
      const question = { at, ...named, ...range, isOnMarket, fresh }
      const own = await readBars(parts, question, { windowAt, limit: limit + 1 }, signal)
      const found: CarriedBars =
        isCarried && own.bars.length <= limit ? await carryIn(parts, own, question, signal) : own
      const all =
        fill === 'none'
          ? found.bars.map(bar => ({ start: bar.start, end: bar.end, bar, close: bar.close }))
          : fillBars(found.bars, {
              ...untilNow(range, clock.nowMicros()),
              windowAt,
              limit: limit + 1,
              before: found.before,
            })
      const data = barsBatch(all.slice(-limit), { ...named, ...found, isCarried })
      const taken = fresh ? rowsFrom(fresh, range.startMicros) : 0
      const files = await filesRead(question, found, signal)
      const tables = lakeMeta(tools, { at, files, rows: Math.max(0, found.rowCount - taken), startedMs })
      const query = live ? withLive(tables, live, { taken, nowMicros: clock.nowMicros() }) : tables
      return { data, query, pagination: { limit, has_more: all.length > limit } }
    },

    async 'summary.day'({ symbol, date, conditions, ...asked }, { signal }) {
      const startedMs = performance.now()
      const then = thenOf(asked)?.('trades')
      const at = await resolveState(reads, 'trades', then?.past ?? asked, signal)
      const exchange = await parts.exchangeOf(at, { symbol, exchange: asked.exchange }, signal)
      const { zone } = knownExchange(exchange ?? '')
      const day = dayOf(zone, date)
      if (day.end > (then?.untilMicros ?? Infinity)) throw notOver({ date, zone })
      const isOnMarket = conditions === 'on_market'
      const question = { at, symbol, exchange: exchange ?? '', startMicros: day.start, endMicros: day.end, isOnMarket }
      const found = await readBars(parts, question, { windowAt: () => day, limit: 1 }, signal)
      const [bar] = found.bars
      if (!bar) throw noTrades({ symbol, date, exchange, zone, isOnMarket })
      const vwap = vwapOf(bar, found.priceScale)
      const data = {
        symbol,
        exchange: exchange!,
        date,
        ...pricesOf(bar, found),
        trade_count: bar.count,
        vwap: vwap === undefined ? null : decimalText(vwap, VWAP_SCALE),
      }
      const files = await filesRead(question, found, signal)
      return { data, query: lakeMeta(tools, { at, files, rows: found.rowCount, startedMs }) }
    },

    'aggregations.run': (asked, { signal }) =>
      measure(parts, { ...asked, ...rangeOf(asked), thenOf: thenOf(asked) }, signal),
  }
}

/** The trade before the range may not be in the tables yet. */
const FROM_EVER = { startMicros: undefined }

function rowsFrom({ rowCount, columns }: ColumnBatch, startMicros = -Infinity): number {
  return rowCount - firstNotBelow(columns.exchange_timestamp.values, startMicros)
}

function reachesNow(asked: PastState, { endMicros = Infinity }: Range, nowMicros: number): boolean {
  return !isPast(asked) && endMicros > nowMicros - LIVE_BEHIND_MICROS
}

/** What is older is in the tables for sure, unless the writer is far behind. */
const LIVE_BEHIND_MICROS = 3_600e6

function noLiveInThePast(): Failure {
  const what = 'live: what is live now was in no snapshot and no replay session'
  return new Failure('INVALID_INPUT', `${what}; leave out live, or the other.`)
}

/** Windows that have not begun are not told as empty. */
function untilNow(range: Range, nowMicros: number) {
  const { endMicros } = range
  return endMicros === undefined ? range : { ...range, endMicros: Math.min(endMicros, nowMicros) }
}

interface Missing {
  symbol: string
  date: string
  exchange: string | undefined
  zone: string
  isOnMarket: boolean
}

function notOver({ date, zone }: Pick<Missing, 'date' | 'zone'>): Failure {
  const what = `${date}, a day in ${zone}, is not over at the clock of the replay session, so it has no summary yet.`
  return new Failure('NOT_FOUND', `${what} Move the clock on, or ask for bars of shorter windows.`)
}

function noTrades({ symbol, date, exchange, zone, isOnMarket }: Missing): Failure {
  const where = exchange === undefined ? '' : ` at ${exchange}`
  const which = isOnMarket ? 'trades on the market' : 'trades'
  const what = `There are no ${which} of ${symbol}${where} on ${date}, a day in ${zone}.`
  return new Failure(
    'NOT_FOUND',
    `${what} k2 query symbols lists what there is, k2 query date-range from when to when.`,
  )
}
