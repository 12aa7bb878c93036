import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Column, ColumnBatch } from '../../../../src/contract/columns.ts'
import { createSequenceTracker } from '../../../../src/main/ingest/quality/sequence-tracker.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { lastSequences } from '../../../../src/main/lake/stream/last-sequences.ts'
import { append, DAY_MICROS, START_MICROS, tempLake, tradesBatch } from '../../../support/lake.ts'

const TOPIC = 'market.equities.trades.asx'
const HOUR = 3_600_000_000
const utcDay = (_: string, micros: number) => Math.floor(micros / DAY_MICROS)

interface Trade {
  symbol: string
  micros: number
  sequence: number | null
  topic?: string
  partition?: number
  exchange?: string
}

function trades(rows: readonly Trade[], firstOffset = 0): ColumnBatch {
  const { columns } = tradesBatch(0, rows.length)
  const texts = (of: (row: Trade) => string): Column => ({
    type: 'string',
    words: rows.map(of),
    values: Uint32Array.from(rows.keys()),
  })
  const numbers = (type: 'timestamp' | 'long', of: (row: Trade) => number | null): Column => ({
    type,
    values: Float64Array.from(rows, row => of(row) ?? 0),
    nulls: Uint8Array.from(rows, row => (of(row) === null ? 1 : 0)),
  })
  return {
    rowCount: rows.length,
    columns: {
      ...columns,
      symbol: texts(row => row.symbol),
      exchange: texts(row => row.exchange ?? 'ASX'),
      _topic: texts(row => row.topic ?? TOPIC),
      _partition: { type: 'int', values: Int32Array.from(rows, row => row.partition ?? 0) },
      _offset: { type: 'long', values: Float64Array.from(rows.keys(), row => firstOffset + row) },
      exchange_timestamp: numbers('timestamp', row => row.micros),
      source_sequence: numbers('long', row => row.sequence),
    },
  }
}

async function lakeWith(...commits: readonly Trade[][]): Promise<Lake> {
  const lake = await tempLake()
  let offset = 0
  for (const rows of commits) {
    await append(lake, trades(rows, offset), { specId: 0 })
    offset += rows.length
  }
  return lake
}

const told = async (lake: Lake, dayOf = utcDay, topic = TOPIC) =>
  (await lastSequences(lake, 'trades', topic, dayOf)).map(({ symbol, sequence }) => `${symbol} ${sequence}`)

describe('where the sequences of a topic are', () => {
  it('is nowhere in a table without rows, without the topic, or without sequences', async () => {
    expect(await told(await tempLake())).toEqual([])
    const lake = await lakeWith([{ symbol: 'BHP', micros: START_MICROS, sequence: null }])
    expect(await told(lake)).toEqual([])
    expect(await told(lake, utcDay, 'other')).toEqual([])
    expect(await lastSequences(lake, 'reference_data', TOPIC, utcDay)).toEqual([])
  })

  it('is the highest number of the newest day, not of all days, with the time of its row', async () => {
    const lake = await lakeWith(
      [
        { symbol: 'BHP', micros: START_MICROS + HOUR, sequence: 900 },
        { symbol: 'RIO', micros: START_MICROS + 2 * HOUR, sequence: 70 },
      ],
      [
        { symbol: 'BHP', micros: START_MICROS + DAY_MICROS + HOUR, sequence: 6 },
        { symbol: 'BHP', micros: START_MICROS + DAY_MICROS + 2 * HOUR, sequence: 5 },
      ],
    )
    expect(await lastSequences(lake, 'trades', TOPIC, utcDay)).toEqual([
      { partition: 0, symbol: 'RIO', exchange: 'ASX', sequence: 70n, exchangeMicros: START_MICROS + 2 * HOUR },
      { partition: 0, symbol: 'BHP', exchange: 'ASX', sequence: 6n, exchangeMicros: START_MICROS + DAY_MICROS + HOUR },
    ])
  })

  it('is told of each partition that has the instrument, by its own newest day and its own new beginnings', async () => {
    const at = (partition: number, micros: number, sequence: number): Trade => ({
      ...{ symbol: 'BHP', partition, micros: START_MICROS + micros, sequence },
    })
    const lake = await lakeWith(
      [at(3, 0, 900), at(3, HOUR, 901), at(1, HOUR, 50), at(1, DAY_MICROS, 5), at(2, DAY_MICROS, 0)],
      [at(2, DAY_MICROS + HOUR, 70), at(1, DAY_MICROS + 2 * HOUR, 6), at(2, DAY_MICROS + 3 * HOUR, 1)],
    )
    const found = await lastSequences(lake, 'trades', TOPIC, utcDay)
    expect(found.map(({ partition, sequence }) => [partition, sequence])).toEqual([
      [3, 901n],
      [1, 6n],
      [2, 1n],
    ])
  })

  it('goes on from the last new beginning of a day, not from what was higher before it', async () => {
    const at = (second: number, sequence: number, symbol = 'BHP'): Trade => ({
      ...{ symbol, sequence, micros: START_MICROS + second * 1_000_000 },
    })
    const lake = await lakeWith(
      [at(0, 1), at(1, 2), at(2, 900), at(0, 1, 'RIO'), at(9, 800, 'RIO')],
      // Anew after 900; a late 1 that is earlier than what was reached changes nothing.
      [at(10, 0), at(11, 1), at(12, 5), at(3, 4, 'RIO'), at(8, 1, 'RIO'), at(10, 801, 'RIO')],
    )
    expect(await told(lake)).toEqual(['RIO 801', 'BHP 5'])
    expect(await told(await lakeWith([at(0, 1), at(10, 0)]))).toEqual(['BHP 0'])
  })

  it('says what a gap check says that has followed the log all along', async () => {
    const step = fc.record({
      symbol: fc.nat(29).map(n => `S${n}`),
      partition: fc.nat(1),
      sequence: fc.oneof(fc.constantFrom(0, 1), fc.nat(30)),
      pause: fc.constantFrom(0, 10_000, 100_000, -100_000, HOUR / 60),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 900, maxLength: 1000 }), async steps => {
        let micros = START_MICROS
        const rows = steps.map(({ pause, ...row }) => ({ ...row, micros: (micros += pause) }))
        const lake = await lakeWith(rows.slice(0, rows.length / 2), rows.slice(rows.length / 2))
        const tracker = createSequenceTracker(100, () => undefined)
        for (const { partition, symbol, sequence, micros: exchangeMicros } of rows) {
          const day = utcDay('', exchangeMicros)
          const row = { low: sequence, high: 0, exchangeMicros, day, printLow: 0, printHigh: 0 }
          tracker.judge(tracker.slotOf(`${partition} ${symbol}`), row)
        }
        const found = await lastSequences(lake, 'trades', TOPIC, utcDay)
        expect(found).toHaveLength(tracker.size())
        for (const { partition, symbol, sequence } of found) {
          // A row that changes nothing, so that the tracker tells what was highest before it.
          const late = { low: 0, high: 0, exchangeMicros: 0, day: -1e6, printLow: 0, printHigh: 0 }
          const name = `${partition} ${symbol}`
          expect(tracker.judge(tracker.slotOf(name), late)).toBe('late')
          expect(`${name} ${sequence}`).toBe(`${name} ${tracker.before()}`)
        }
      }),
      { numRuns: 3 },
    )
  }, 60_000)

  it('begins a day where the exchange does', async () => {
    const sydney = (_: string, micros: number) => Math.floor((micros + 11 * HOUR) / DAY_MICROS)
    const lake = await lakeWith([
      { symbol: 'BHP', micros: START_MICROS + 13 * HOUR - 1, sequence: 900 },
      { symbol: 'BHP', micros: START_MICROS + 13 * HOUR, sequence: 1 },
    ])
    expect(await told(lake, sydney)).toEqual(['BHP 1'])
    expect(await told(lake, utcDay)).toEqual(['BHP 900'])
  })

  it('leaves out what was silent for a week, and what came from another topic or no topic', async () => {
    const lake = await lakeWith(
      [{ symbol: 'OLD', micros: START_MICROS, sequence: 1 }],
      [{ symbol: 'BHP', micros: START_MICROS + 8 * DAY_MICROS, sequence: 2 }],
      [
        { symbol: 'BHP', micros: START_MICROS + 8 * DAY_MICROS, sequence: 30, topic: 'other' },
        { symbol: 'ETH', micros: START_MICROS + 90 * DAY_MICROS, sequence: 40, topic: 'other' },
      ],
    )
    expect(await told(lake)).toEqual(['BHP 2'])
    expect(await told(lake, utcDay, 'other')).toEqual(['ETH 40'])
  })

  it('finds the newest row of a topic in files whose bounds speak of others', async () => {
    const far = START_MICROS + 90 * DAY_MICROS
    const lake = await lakeWith(
      // The bounds of both files hold all three topics.
      [
        { symbol: 'AAA', micros: far, sequence: 9, topic: 'a' },
        { symbol: 'ZZZ', micros: far, sequence: 9, topic: 'z' },
      ],
      [{ symbol: 'BHP', micros: START_MICROS + 30 * DAY_MICROS, sequence: 5 }],
      [{ symbol: 'RIO', micros: START_MICROS + 29 * DAY_MICROS, sequence: 4 }],
    )
    expect(await told(lake)).toEqual(['RIO 4', 'BHP 5'])
  })

  it('tells instruments of two exchanges apart, each by its own days', async () => {
    const dayOf = (exchange: string, micros: number) =>
      Math.floor((micros + (exchange === "O'X" ? 11 : 0) * HOUR) / DAY_MICROS)
    const lake = await lakeWith([
      { symbol: 'BHP', exchange: 'ASX', micros: START_MICROS + 12 * HOUR, sequence: 800 },
      { symbol: 'BHP', exchange: 'ASX', micros: START_MICROS + 13 * HOUR, sequence: 3 },
      { symbol: 'BHP', exchange: "O'X", micros: START_MICROS + 12 * HOUR, sequence: 700 },
      { symbol: 'BHP', exchange: "O'X", micros: START_MICROS + 13 * HOUR, sequence: 2 },
    ])
    const found = await lastSequences(lake, 'trades', TOPIC, dayOf)
    expect(new Map(found.map(({ exchange, sequence }) => [exchange, sequence]))).toEqual(
      new Map([
        ['ASX', 800n],
        ["O'X", 2n],
      ]),
    )
  })
})
