// A made-up day's trades for the log: many symbols, in the order of time, each with a sequence of its own without gaps.
import { SIDES } from '../../src/contract/tables.ts'
import type { MessageLog, Produced } from '../../src/main/log/message-log.ts'
import { encodeInstrument, putTrade, type TradeColumns } from '../../src/main/market/encode.ts'
import { clearValues, createValueBuffer } from '../../src/main/market/value-buffer.ts'
import { createRandom } from './tape.ts'

export const SYMBOLS = 500
const LOT = 4096
const LOTS_AT_ONCE = 6
/** 2026-03-10T00:00Z; the day's trades lie in six hours of it. */
const START_MICROS = 1_773_100_800_000_000
const SPAN_MICROS = 6 * 3600e6
/** Of sixteen digits. */
const FIRST_ID = 1e15
const CONDITIONS = [['XT'], ['CX', 'NX']]

export interface TradeFeed {
  /** The next ones, ready for the log; good until as many lots as are kept have been asked for. */
  next: (count: number) => Produced
}

/** Symbol k is the more frequent the smaller k is. `trades` of them make the whole day. */
export function createTradeFeed({ trades, schemaId }: { trades: number; schemaId: number }): TradeFeed {
  const random = createRandom(2026)
  const symbols = Array.from({ length: SYMBOLS }, (_, k) => `S${String(k).padStart(3, '0')}`)
  const instruments = symbols.map(symbol =>
    encodeInstrument({ symbol, exchange: 'ASX', assetClass: 'equities', currency: 'AUD' }),
  )
  const sequences = new Float64Array(SYMBOLS).fill(1e9)
  const ticks = Float64Array.from(symbols, () => 500 + Math.floor(random() * 5000))
  const buffers = Array.from({ length: LOTS_AT_ONCE + 1 }, createValueBuffer)
  let lots = 0
  let made = 0

  return {
    next(count) {
      const out = buffers[lots++ % buffers.length]
      clearValues(out)
      const keys: string[] = []
      for (let i = 0; i < count; i++, made++) {
        const symbol = Math.floor(SYMBOLS * random() ** 2)
        const micros = START_MICROS + Math.floor((made * SPAN_MICROS) / trades)
        const drift = random()
        ticks[symbol] += drift < 0.2 && ticks[symbol] > 10 ? -1 : drift > 0.8 ? 1 : 0
        const row: TradeColumns = {
          ids: [FIRST_ID + made],
          exchangeTimestamps: [micros],
          ingestionTimestamps: [micros + 1000 + Math.floor(random() * 5000)],
          sourceSequences: [sequences[symbol]++],
          platformSequences: [1e9 + made],
          prices: [ticks[symbol] * 1_000_000],
          quantities: [Math.ceil(random() ** 4 * 5000) * 100_000_000],
          sides: [drift < 0.5 ? 0 : SIDES.length - 1],
          conditions: [drift * 50 < 1 ? CONDITIONS[made & 1] : null],
          vendorData: [drift > 0.9 ? { venue: 'CXA', qualifiers: 'XT' } : null],
        }
        putTrade(out, schemaId, instruments[symbol], row, 0)
        keys.push(symbols[symbol])
      }
      return { count, keys, values: out.bytes.subarray(0, out.length), ends: out.ends.subarray(0, count) }
    },
  }
}

/** All of the feed's trades, as fast as the log takes them; tells the mean size of one. */
export async function fillTopic(log: MessageLog, topic: string, trades: number, schemaId: number): Promise<number> {
  const feed = createTradeFeed({ trades, schemaId })
  const waiting: Promise<void>[] = []
  let bytes = 0
  for (let sent = 0; sent < trades; sent += LOT) {
    const lot = feed.next(Math.min(LOT, trades - sent))
    bytes += lot.values.length
    waiting.push(log.append(topic, lot))
    if (waiting.length === LOTS_AT_ONCE) await waiting.shift()
  }
  await Promise.all(waiting)
  return bytes / trades
}
