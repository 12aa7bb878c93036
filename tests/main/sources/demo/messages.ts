// Runs the market without a clock and hands each message to a test, with the quote that was in force just before it.
import { createHash } from 'node:crypto'
import { instruments } from '../../../../src/main/sources/demo/arrivals.ts'
import { createMessageColumns, TRADE, type MessageColumns } from '../../../../src/main/sources/demo/columns.ts'
import type { DemoInstrument } from '../../../../src/main/sources/demo/instruments.ts'
import { createMarket, fillMessages, type Market } from '../../../../src/main/sources/demo/market.ts'
import { createTopicBatches } from '../../../../src/main/sources/demo/topic-batches.ts'
import { clearBatch } from '../../../../src/main/sources/message-batch.ts'

export const START = Date.UTC(2026, 2, 10, 14, 7) * 1000

export interface Quote {
  bid: number
  ask: number
  bidQuantity: number
  askQuantity: number
}

export interface Message {
  instrument: DemoInstrument
  isTrade: boolean
  /** Seconds of market time since the start. */
  seconds: number
  columns: MessageColumns
  row: number
  inForce: Quote | undefined
}

export function marketOf({ seed = 1, startMicros = START, density = 2000 } = {}): Market {
  return createMarket({ seed, startMicros, density })
}

export function quoteAt({ bidPrices, askPrices, bidQuantities, askQuantities }: MessageColumns, row: number): Quote {
  return {
    bid: bidPrices[row],
    ask: askPrices[row],
    bidQuantity: bidQuantities[row],
    askQuantity: askQuantities[row],
  }
}

/** At least so many, in thousands. The message handed over is the same object every time. */
export function forEachMessage(market: Market, count: number, visit: (message: Message) => void): void {
  const columns = createMessageColumns(1000)
  const inForce = new Map<DemoInstrument, Quote>()
  const message: Message = {
    instrument: instruments[0],
    isTrade: false,
    seconds: 0,
    columns,
    row: 0,
    inForce: undefined,
  }
  for (let left = count; left > 0;) {
    left -= fillMessages(market, columns)
    for (let row = 0; row < columns.count; row++) {
      message.row = row
      message.instrument = instruments[columns.instruments[row]]
      message.isTrade = columns.kinds[row] === TRADE
      message.seconds = (columns.exchangeTimestamps[row] - market.startMicros) / 1e6
      message.inForce = inForce.get(message.instrument)
      visit(message)
      if (!message.isTrade) inForce.set(message.instrument, quoteAt(columns, row))
    }
  }
}

/** A hash for each topic of the first `count` messages, made so many at a time. */
export function hashMessages(market: Market, count: number, atATime: number): Record<string, string[]> {
  const batches = createTopicBatches(instruments, (_, table) => (table === 'trades' ? 1 : 2))
  const hashes = batches.all.map(({ topic }) => ({ topic, keys: createHash('sha256'), values: createHash('sha256') }))
  for (let left = count; left > 0;) {
    const columns = createMessageColumns(Math.min(left, atATime))
    left -= fillMessages(market, columns)
    batches.encode(columns)
    batches.all.forEach(({ keys, values }, i) => {
      for (const key of keys) hashes[i].keys.update(key)
      hashes[i].values.update(values.bytes.subarray(0, values.length))
    })
    batches.all.forEach(clearBatch)
  }
  return Object.fromEntries(
    hashes.map(({ topic, keys, values }) => [topic, [keys.digest('hex'), values.digest('hex')]]),
  )
}
