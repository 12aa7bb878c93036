// A made-up day of trades as column batches, from a seed: what the lake's benchmarks write and look for.
import type { Column, ColumnBatch } from '../../src/contract/columns.ts'
import { TABLES } from '../../src/contract/tables.ts'

/** 2026-03-10T00:00Z. */
export const TAPE_START_MICROS = 1_773_100_800_000_000
export const DAY_MICROS = 86_400_000_000
export const TAPE_SYMBOLS = 100
const PARTITIONS = 30
export const TAPE_TOPIC = 'market.equities.trades.asx'
const CONDITIONS = [['XT'], ['CX', 'NX']]

export const symbolName = (k: number) => `S${String(k).padStart(3, '0')}`

export interface Tape {
  /** The next trades, each symbol as often as the others; times are spread evenly over the day. */
  next: (count: number) => ColumnBatch
}

/** `rows` of them make the whole day. */
export function createTape({ rows, seed = 2026 }: { rows: number; seed?: number }): Tape {
  const random = createRandom(seed)
  const ticks = Float64Array.from({ length: TAPE_SYMBOLS }, () => 500 + Math.floor(random() * 5000))
  const offsets = new Float64Array(PARTITIONS)
  let made = 0

  function next(count: number): ColumnBatch {
    const symbol = new Uint8Array(count)
    const time = new Float64Array(count)
    const arrived = new Float64Array(count)
    const price = new Float64Array(count)
    const quantity = new Float64Array(count)
    const side = new Uint8Array(count)
    const sequence = new Float64Array(count)
    const conditions = new Uint8Array(count)
    const plain = new Uint8Array(count)
    const partition = new Int32Array(count)
    const offset = new Float64Array(count)
    for (let i = 0; i < count; i++, made++) {
      const at = Math.floor(random() * TAPE_SYMBOLS)
      const drift = random()
      ticks[at] += drift < 0.2 && ticks[at] > 10 ? -1 : drift > 0.8 ? 1 : 0
      symbol[i] = at
      time[i] = TAPE_START_MICROS + Math.floor((made / rows) * DAY_MICROS)
      arrived[i] = time[i] + 1000 + Math.floor(random() * 5000)
      price[i] = ticks[at] * 1_000_000
      quantity[i] = Math.ceil(random() ** 4 * 5000) * 100_000_000
      side[i] = drift < 0.5 ? 0 : 1
      sequence[i] = made
      conditions[i] = made & 1
      plain[i] = drift * 50 < 1 ? 0 : 1
      partition[i] = at % PARTITIONS
      offset[i] = offsets[at % PARTITIONS]++
    }
    const first = made - count
    const ownWords = (text: (i: number) => string) => ({
      values: Uint32Array.from({ length: count }, (_, i) => i),
      words: Array.from({ length: count }, (_, i) => text(i)),
    })
    const same = (word: string) => ({ values: new Uint8Array(count), words: [word] })
    const columns: Record<string, Partial<Column>> = {
      message_id: ownWords(i => `ASX:${Math.floor(time[i] / 1000)}:${symbolName(symbol[i])}:T${first + i}`),
      trade_id: ownWords(i => `T${first + i}`),
      symbol: { values: symbol, words: Array.from({ length: TAPE_SYMBOLS }, (_, k) => symbolName(k)) },
      exchange: same('ASX'),
      asset_class: same('equities'),
      exchange_timestamp: { values: time },
      price: { values: price, scale: 8 },
      quantity: { values: quantity, scale: 8 },
      currency: same('AUD'),
      side: { values: side, words: ['BUY', 'SELL'] },
      trade_conditions: { values: conditions, words: CONDITIONS, nulls: plain },
      source_sequence: { values: sequence },
      ingestion_timestamp: { values: arrived },
      platform_sequence: { values: sequence },
      vendor_data: { values: new Uint8Array(count), words: [null] },
      _topic: same(TAPE_TOPIC),
      _partition: { values: partition },
      _offset: { values: offset },
    }
    const entries = TABLES.trades.columns.map(({ name, type }) => [name, { type, ...columns[name] } as Column])
    return { rowCount: count, columns: Object.fromEntries(entries) as ColumnBatch['columns'] }
  }
  return { next }
}

export function createRandom(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}
