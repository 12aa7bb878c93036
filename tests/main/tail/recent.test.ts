// Asking a tail: the newest rows of an instrument, whole and in order, from what it still holds.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { TAIL_TABLES } from '../../../src/contract/tables.ts'
import { avroSchemas } from '../../../src/main/market/avro-schemas.ts'
import { createTail } from '../../../src/main/tail/tail.ts'
import { logBatch, type SampleRow } from '../../support/market-messages.ts'
import { idsOf, manualClock, MINUTE, openTail, SECOND, START } from '../../support/tail.ts'

const trade = (id: number, changes: Partial<SampleRow> = {}): SampleRow => ({
  symbol: 'BHP',
  id,
  micros: START + id,
  ...changes,
})
const withoutIngestion = {
  ...avroSchemas.trades,
  fields: avroSchemas.trades.fields.filter(({ name }) => name !== 'ingestion_timestamp'),
}
const bhp = { symbol: 'BHP', exchange: 'ASX', windowMinutes: 15, limit: 1000 }

describe('the newest rows of an instrument', () => {
  it('are whole rows of the table, every column as it was sent', () => {
    const tail = openTail({ clock: manualClock() })
    const row = {
      ...trade(7, { sequence: 41, price: 36_185_000_000_000n, quantity: 40_000_000_000, side: 'SELL_SHORT' }),
      ...{
        conditions: ['XT', 'CX'],
        vendorData: { venue: 'CXA' },
        micros: START + 123_456,
        ingestedMicros: START + 200_000,
      },
    }
    tail.append(logBatch('trades', [row], { partition: 3, offset: 99 }))
    const batch = tail.recent(bhp)
    expect(Object.keys(batch.columns)).toEqual(TAIL_TABLES.trades.columns.map(({ name }) => name))
    expect(rowsOf(batch)).toEqual([
      {
        message_id: 'ASX:1795255200123:BHP:7',
        trade_id: '7',
        symbol: 'BHP',
        exchange: 'ASX',
        asset_class: 'equities',
        exchange_timestamp: '2026-11-21T10:00:00.123456Z',
        price: '361850',
        quantity: '400',
        currency: 'AUD',
        side: 'SELL_SHORT',
        trade_conditions: ['XT', 'CX'],
        source_sequence: '41',
        ingestion_timestamp: '2026-11-21T10:00:00.200000Z',
        platform_sequence: null,
        vendor_data: { venue: 'CXA' },
        _topic: 'market.equities.trades.asx',
        _partition: 3,
        _offset: '99',
      },
    ])
  })

  it('are quotes with one side or none, each null where it is missing', () => {
    const tail = openTail({ dataType: 'quotes', clock: manualClock() })
    const sides = [
      { bid: 1, ask: null },
      { bid: null, ask: 2 },
      { bid: null, ask: null },
      { bid: -1, ask: 2 ** 52 },
    ]
    tail.append(
      logBatch(
        'quotes',
        sides.map((side, id) => trade(id, { ...side, quantity: 5 })),
      ),
    )
    const rows = rowsOf(tail.recent(bhp)).map(row => [row.bid_price, row.bid_quantity, row.ask_price, row.ask_quantity])
    expect(rows).toEqual([
      ['0.00000001', '0.00000005', null, null],
      [null, null, '0.00000002', '0.00000005'],
      [null, null, null, null],
      ['-0.00000001', '0.00000005', '45035996.27370496', '0.00000005'],
    ])
  })

  it('keep every digit of decimals and sequences beyond 2^53', () => {
    const tail = openTail({ clock: manualClock() })
    tail.append(logBatch('trades', [trade(1, { price: 10n ** 18n - 1n }), trade(2, { price: 1 })]))
    expect(rowsOf(tail.recent(bhp)).map(({ price }) => price)).toEqual(['9999999999.99999999', '0.00000001'])
    expect(rowsOf(tail.recent(bhp, 'hot')).map(({ price }) => price)).toEqual(['9999999999.99999999', '0.00000001'])
  })

  it('carry the time of the log where the producer gave none', () => {
    const tail = openTail({ clock: manualClock(), schemaOf: () => withoutIngestion })
    const { bytes, ...batch } = logBatch('trades', [trade(1, { logMicros: START + 77 })])
    // The message without its ingestion time: the eight bytes before the last two.
    const cut = Buffer.concat([bytes.subarray(0, -10), bytes.subarray(-2)])
    tail.append({ ...batch, bytes: cut, ends: Int32Array.of(cut.length) })
    expect(rowsOf(tail.recent(bhp))[0].ingestion_timestamp).toBe('2026-11-21T10:00:00.000077Z')
  })

  it('are found whatever the case of the exchange, in the message or in the question', () => {
    const tail = openTail({ clock: manualClock() })
    tail.append(logBatch('trades', [trade(1, { exchange: 'asx' }), trade(2, { exchange: 'ASX' })]))
    const batch = tail.recent({ ...bhp, exchange: 'Asx' })
    expect(rowsOf(batch).map(({ exchange }) => exchange)).toEqual(['ASX', 'ASX'])
    expect(tail.counts().instruments).toBe(1)
  })

  it('are none, with every column, for a symbol that nobody has seen', () => {
    const tail = openTail()
    const batch = tail.recent({ ...bhp, symbol: 'NONE' })
    expect(batch.rowCount).toBe(0)
    expect(Object.keys(batch.columns)).toHaveLength(TAIL_TABLES.trades.columns.length)
  })

  it('are an answer of its own, whatever comes into the tail later', () => {
    const tail = openTail({ clock: manualClock(), maxMegabytes: 0.1 })
    tail.append(logBatch('trades', [trade(1)]))
    const answer = tail.recent(bhp)
    const before = rowsOf(answer)
    for (let k = 0; k < 50; k++)
      tail.append(
        logBatch(
          'trades',
          Array.from({ length: 100 }, (_, i) => trade(k * 100 + i)),
        ),
      )
    expect(rowsOf(answer)).toEqual(before)
  })

  it('stand in the total order, not in that of their arrival', () => {
    const tail = openTail({ clock: manualClock() })
    const rows = [
      trade(1, { micros: START + 5, sequence: 2 }),
      trade(2, { micros: START + 5, sequence: 1 }),
      trade(3, { micros: START + 5, sequence: null }),
      trade(4, { micros: START + 1 }),
      trade(5, { micros: START + 9 }),
    ]
    tail.append(logBatch('trades', rows))
    expect(idsOf(tail.recent(bhp))).toEqual([4, 2, 1, 3, 5])
    expect(idsOf(tail.recent({ ...bhp, limit: 3 }))).toEqual([1, 3, 5])
    const late = [6, 7, 8].map(id => trade(id, { symbol: 'RIO', micros: START, sequence: id === 6 ? null : 0 }))
    tail.append(logBatch('trades', late, { offset: 5 }))
    expect(idsOf(tail.recent({ ...bhp, symbol: 'RIO', limit: 1 }))).toEqual([6])
  })
})

describe('any appends, trims and questions', () => {
  interface Held extends SampleRow {
    id: number
    exchange: string
    partition: number
    offset: number
    sequence: number | null
    logMicros: number
  }
  const limits = { minutes: 2, maxPerSymbol: 25, maxMegabytes: 0.05 }
  const symbols = fc.constantFrom('BHP', 'RIO', 'CBA')
  const exchanges = fc.constantFrom('ASX', 'asx', 'CXA')
  // Times that are often equal and often late, so that every rule of the order decides something.
  const row = fc.record({
    symbol: symbols,
    exchange: exchanges,
    late: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(200)),
    sequence: fc.option(fc.nat(3)),
    logLate: fc.nat(30),
    size: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(9000) }),
  })
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      partition: fc.nat(2),
      rows: fc.array(row, { maxLength: 60, size: 'max' }),
    }),
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(50) }),
    fc.record({ kind: fc.constant('trim' as const) }),
    fc.record({
      kind: fc.constant('ask' as const),
      symbol: symbols,
      exchange: exchanges,
      windowMinutes: fc.integer({ min: 1, max: 3 }),
      limit: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 60 })),
    }),
  )

  const compare = (a: Held, b: Held) =>
    a.micros - b.micros ||
    (a.sequence ?? Infinity) - (b.sequence ?? Infinity) ||
    a.partition - b.partition ||
    a.offset - b.offset
  const isSame = (a: Held, symbol: string, exchange: string) =>
    a.symbol === symbol && a.exchange.toUpperCase() === exchange.toUpperCase()

  it('give what a plain list of rows gives', { timeout: 60_000 }, () => {
    let asked = 0
    let evictedForMemory = 0
    const property = fc.property(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), steps => {
      const clock = manualClock()
      const tail = createTail({ dataType: 'trades', ...limits, clock })
      const offsets = [0, 0, 0]
      let list: Held[] = []
      let id = 0

      function trimList(): void {
        const oldest = clock.micros - limits.minutes * MINUTE
        const first = list.findIndex(({ logMicros }) => logMicros >= oldest)
        list = first < 0 ? [] : list.slice(first)
        const { held, bytes } = tail.counts()
        // Memory lets rows go too; which ones is the tail's affair, as long as they are the oldest.
        expect(held).toBeLessThanOrEqual(list.length)
        expect(bytes).toBeLessThanOrEqual(Math.max(limits.maxMegabytes * 1024 * 1024, 40_000))
        evictedForMemory += list.length - held
        list = held === 0 ? [] : list.slice(-held)
      }

      for (const action of steps) {
        if (action.kind === 'wait') clock.micros += action.seconds * SECOND
        else if (action.kind === 'trim') {
          tail.trim()
          trimList()
        } else if (action.kind === 'append') {
          const { partition } = action
          const rows = action.rows.map(({ late, logLate, size, ...own }, i): Held => {
            const conditions = size > 0 ? ['x'.repeat(size)] : null
            const times = { micros: clock.micros - late * SECOND, logMicros: clock.micros - logLate * SECOND }
            return { ...own, ...times, conditions, id: id++, partition, offset: offsets[partition] + i }
          })
          tail.append(logBatch('trades', rows, { partition, offset: offsets[partition] }))
          offsets[partition] += rows.length
          list.push(...rows)
          trimList()
        } else {
          const batch = tail.recent(action)
          trimList()
          const since = clock.micros - action.windowMinutes * MINUTE
          const expected = list
            .filter(held => isSame(held, action.symbol, action.exchange))
            .slice(-limits.maxPerSymbol)
            .filter(({ micros }) => micros >= since)
            .sort(compare)
            .slice(-action.limit)
          expect(idsOf(batch)).toEqual(expected.map(held => held.id))
          expect(rowsOf(batch).map(found => [found._partition, found._offset, found.source_sequence])).toEqual(
            expected.map(held => [
              held.partition,
              String(held.offset),
              held.sequence === null ? null : String(held.sequence),
            ]),
          )
          asked += batch.rowCount
        }
      }
      tail.close()
    })
    fc.assert(property, { numRuns: 200 })
    expect(asked).toBeGreaterThan(500)
    expect(evictedForMemory).toBeGreaterThan(0)
  })
})
