// The intake: what comes out is a function of each partition's messages, and every message is a row, a repeat or a dead letter.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import type { TakenIn } from '../../../src/main/ingest/intake.ts'
import { createSessionDays } from '../../../src/main/ingest/quality/session-days.ts'
import { createIntake, type TakeInOptions } from '../../../src/main/ingest/take-in.ts'
import { createRowDecoder } from '../../../src/main/market/decode-rows.ts'
import { createCursor } from '../../../src/main/market/decode-primitives.ts'
import { trades } from '../../../src/contract/tables.ts'
import { packedTextsOf } from '../../../src/main/market/packed-texts.ts'
import { standardBatch, type SampleMessage } from '../../support/intake-messages.ts'
import { messageOf, type SampleRow } from '../../support/market-messages.ts'

const TOPIC = 'market.equities.trades.asx'
const dayOf = createSessionDays()
const columnNames = new Set(trades.columns.map(({ name }) => name).filter(name => !name.startsWith('_')))
const NOW = 1_794_000_000_123_456

const intakeOf = (options: Partial<TakeInOptions> = {}) =>
  createIntake({ table: 'trades', topic: TOPIC, dedupeMinutes: 60, dedupeRows: 50, dayOf, ...options })

const message = (row: Partial<SampleRow>, offset: number, logMicros = NOW + offset): SampleMessage => ({
  offset,
  logMicros,
  key: Buffer.from(row.symbol ?? 'BHP'),
  bytes: messageOf('trades', { symbol: 'BHP', micros: NOW, sequence: null, id: offset, ...row }),
})

/** All that came out, ready to be compared: rows by where they lie. */
function outcome(taken: readonly TakenIn[]) {
  const place = ({ partition, offset }: { partition: number; offset: number }) => partition * 1e6 + offset
  const sum = (of: (one: TakenIn) => number) => taken.reduce((total, one) => total + of(one), 0)
  return {
    rows: taken
      .flatMap(({ rows }) => rowsOf(rows))
      .sort(
        (a, b) => Number(a._partition) * 1e6 + Number(a._offset) - (Number(b._partition) * 1e6 + Number(b._offset)),
      ),
    deadLetters: taken.flatMap(({ deadLetters }) => deadLetters).sort((a, b) => place(a) - place(b)),
    gaps: taken.flatMap(({ gaps }) => gaps).sort((a, b) => place(a) - place(b)),
    duplicates: sum(({ duplicates }) => duplicates),
    outOfOrder: sum(({ outOfOrder }) => outOfOrder),
    resets: sum(({ resets }) => resets),
  }
}

/** A partition's messages: rows with every kind of number, repeats of earlier ones, corrections, damaged ones, none at all. */
const partitionMessages = fc
  .array(
    fc.record({
      kind: fc.oneof(
        { weight: 10, arbitrary: fc.constant('row' as const) },
        { weight: 3, arbitrary: fc.constantFrom('repeat' as const, 'later repeat' as const, 'correction' as const) },
        {
          weight: 2,
          arbitrary: fc.constantFrom('damaged' as const, 'cut' as const, 'tombstone' as const, 'problem' as const),
        },
      ),
      symbol: fc.constantFrom('BHP', 'CBA', 'Ünion'),
      sequence: fc.oneof(fc.nat(20), fc.constant(null)),
      pause: fc.constantFrom(0, 1, 1e6, 3e6, 61 * 60e6, 86_400e6),
      back: fc.nat(30),
      at: fc.nat(500),
      byte: fc.nat(255),
      conditions: fc.constantFrom(null, [], ['XT'], ['XT', 'CX']),
      vendorData: fc.constantFrom<Record<string, string> | null>(null, { venue: 'X' }, { venue: 'Y', über: 'ü' }),
    }),
    { maxLength: 60 },
  )
  .map(steps => {
    let micros = NOW
    const messages: SampleMessage[] = []
    steps.forEach(({ kind, symbol, sequence, pause, back, at, byte, conditions, vendorData }, i) => {
      micros += pause
      const offset = i * 2
      const row: SampleRow = { symbol, sequence, micros, id: i, ingestedMicros: micros + 7, conditions, vendorData }
      const earlier = messages[messages.length - 1 - (back % Math.max(messages.length, 1))] as SampleMessage | undefined
      const next: SampleMessage = {
        offset,
        logMicros: micros,
        key: Buffer.from(symbol),
        bytes: messageOf('trades', row),
      }
      if (kind === 'repeat' && earlier) next.bytes = earlier.bytes
      if (kind === 'later repeat')
        next.bytes = messageOf('trades', { ...row, id: 0, micros: NOW, sequence: 1, ingestedMicros: micros })
      if (kind === 'correction') next.bytes = messageOf('trades', { ...row, id: 0, micros: NOW, price: i })
      if (kind === 'damaged') {
        next.bytes = Buffer.from(next.bytes!)
        next.bytes[at % next.bytes.length] = byte
      }
      if (kind === 'cut') next.bytes = Buffer.from(next.bytes!.subarray(0, at % next.bytes!.length))
      if (kind === 'tombstone') next.bytes = null
      if (kind === 'problem') next.problem = { reason: 'unknown_schema', error: 'Nobody knows it.' }
      messages.push(next)
    })
    return messages
  })

const partitions = fc.array(partitionMessages, { minLength: 1, maxLength: 3 })
/** Where batches end, whose turn it is, and when it is drained. */
const schedule = fc.array(fc.record({ turn: fc.nat(2), size: fc.integer({ min: 0, max: 9 }), drained: fc.boolean() }), {
  maxLength: 60,
})

type Schedule = readonly { turn: number; size: number; drained: boolean }[]

/** Takes all messages in by the schedule, those left over at the end. */
function takeBy(steps: Schedule, all: readonly (readonly SampleMessage[])[], intake = intakeOf()) {
  const next = all.map(() => 0)
  const taken: TakenIn[] = []
  const take = (partition: number, size: number) => {
    const part = all[partition].slice(next[partition], next[partition] + size)
    next[partition] += part.length
    intake.take(standardBatch(part, { partition }))
  }
  for (const { turn, size, drained } of steps) {
    take(turn % all.length, size)
    if (drained) taken.push(intake.drain())
  }
  all.forEach((messages, partition) => take(partition, messages.length))
  taken.push(intake.drain())
  return outcome(taken)
}

describe('what is taken in', () => {
  it('is the same for any split of the partitions into batches and flushes', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(partitions, schedule, (all, steps) => {
        expect(takeBy(steps, all)).toEqual(takeBy([], all))
      }),
      { numRuns: 300 },
    )
  })

  it('is every message once: a row, a repeat or a dead letter', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(partitions, all => {
        const { rows, deadLetters, duplicates } = takeBy([], all)
        expect(rows.length + deadLetters.length + duplicates).toBe(all.flat().length)
      }),
    )
  })

  it(
    'goes on after a restart as if there had been none, when what is in the table is remembered',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(
          partitions,
          schedule,
          fc.array(fc.nat(60), { minLength: 3, maxLength: 3 }),
          (all, steps, starts) => {
            const whole = takeBy(steps, all)
            const after = intakeOf()
            all.forEach((messages, partition) =>
              after.remember(standardBatch(messages.slice(0, starts[partition]), { partition })),
            )
            const rest = takeBy(
              steps,
              all.map((messages, partition) => messages.slice(starts[partition])),
              after,
            )
            const isRest = (partition: number, offset: number) => offset >= starts[partition] * 2
            expect(rest.rows).toEqual(whole.rows.filter(row => isRest(Number(row._partition), Number(row._offset))))
            expect(rest.deadLetters).toEqual(
              whole.deadLetters.filter(({ partition, offset }) => isRest(partition, offset)),
            )
            expect(rest.gaps).toEqual(whole.gaps.filter(({ partition, offset }) => isRest(partition, offset)))
          },
        ),
        { numRuns: 300 },
      )
    },
  )

  it('is not touched by what is remembered meanwhile of another partition', () => {
    const intake = intakeOf()
    intake.take(standardBatch([message({ sequence: 1 }, 0), message({ sequence: 2 }, 1)], { partition: 0 }))
    intake.remember(standardBatch([message({ sequence: 9, symbol: 'CBA' }, 7)], { partition: 1 }))
    intake.take(standardBatch([message({ sequence: 3 }, 2)], { partition: 0 }))
    expect(outcome([intake.drain()]).rows.map(row => row.message_id)).toHaveLength(3)
  })
})

describe('a row', () => {
  it('has all columns of the table, where it lies in the log, and the time of the log where the producer gave none', () => {
    const intake = intakeOf()
    const row = { sequence: 7, conditions: ['XT', 'CX'], vendorData: { venue: 'X' }, ingestedMicros: NOW + 5 }
    intake.take(standardBatch([message(row, 41)], { partition: 3 }))
    const { rows } = intake.drain()
    expect(Object.keys(rows.columns)).toEqual(trades.columns.map(({ name }) => name))
    expect(rowsOf(rows)).toEqual([
      {
        message_id: 'ASX:1794000000123:BHP:41',
        trade_id: '41',
        symbol: 'BHP',
        exchange: 'ASX',
        asset_class: 'equities',
        exchange_timestamp: '2026-11-06T21:20:00.123456Z',
        price: '36.18',
        quantity: '400',
        currency: 'AUD',
        side: 'BUY',
        trade_conditions: ['XT', 'CX'],
        source_sequence: '7',
        ingestion_timestamp: '2026-11-06T21:20:00.123461Z',
        platform_sequence: null,
        vendor_data: { venue: 'X' },
        _topic: TOPIC,
        _partition: 3,
        _offset: '41',
      },
    ])
    expect(packedTextsOf(rows.columns.message_id)).toBeDefined()
    expect(packedTextsOf(rows.columns.trade_id)).toBeDefined()
  })

  it('shares nothing with the memory of the log or with what was drained before', () => {
    const intake = intakeOf()
    const batch = standardBatch([message({}, 0), message({ vendorData: { venue: 'X' } }, 1)])
    intake.take(batch)
    batch.bytes.fill(0xff)
    const { rows } = intake.drain()
    const before = rowsOf(rows)
    intake.take(
      standardBatch([message({ symbol: 'CBA', vendorData: { venue: 'Z' } }, 2), message({ symbol: 'WOW' }, 3)]),
    )
    intake.drain()
    expect(rowsOf(rows)).toEqual(before)
    expect(before.map(({ symbol }) => symbol)).toEqual(['BHP', 'BHP'])
  })

  it(
    'stays whole beside thousands of damaged messages, none of which is more than a dead letter',
    { timeout: 60_000 },
    () => {
      const whole = Array.from({ length: 50 }, (_, i) =>
        message({ symbol: `S${i % 7}`, sequence: i, vendorData: { i: String(i) } }, i),
      )
      const decoder = createRowDecoder(trades, columnNames)
      const expectedOf = (bytes: Buffer) => {
        decoder.begin(1)
        decoder.read({ ...createCursor(bytes), at: 0, end: bytes.length }, 0)
        return rowsOf({ rowCount: 1, columns: decoder.columns() })[0]
      }
      let refused = 0
      let offset = 0
      const flips = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 })
      fc.assert(
        fc.property(
          fc.array(fc.record({ of: fc.nat(49), flips, size: fc.nat(150) }), { minLength: 20, maxLength: 20 }),
          all => {
            const messages = all.flatMap(({ of, flips, size }) => {
              const good = whole[of]
              const bad = Buffer.from(size < 15 ? good.bytes!.subarray(0, size) : good.bytes!)
              for (const [at, byte] of flips) if (bad.length > 0) bad[at % bad.length] = byte
              return [
                { ...good, bytes: bad, offset: offset++ },
                { ...good, offset: offset++ },
              ]
            })
            const intake = intakeOf({ dedupeMinutes: 0 })
            intake.take(standardBatch(messages))
            const { rows, deadLetters } = outcome([intake.drain()])
            refused += deadLetters.length
            expect(rows.length + deadLetters.length).toBe(messages.length)
            const byOffset = new Map(messages.map(one => [one.offset, one]))
            const messageAt = (offset: unknown) => byOffset.get(Number(offset))!
            const expected = rows.map(({ _topic, _partition, _offset }) => ({
              ...expectedOf(messageAt(_offset).bytes!),
              ...{ _topic, _partition, _offset },
            }))
            expect(rows).toEqual(expected)
            for (const { offset, bytes, key, reason } of deadLetters) {
              expect(bytes!.equals(messageAt(offset).bytes!)).toBe(true)
              expect(key!.equals(messageAt(offset).key!)).toBe(true)
              expect(reason).toMatch(/^(undecodable|unknown_schema|out_of_range|invalid_value|missing_field)$/)
            }
          },
        ),
        { numRuns: 500 },
      )
      expect(refused).toBeGreaterThan(1000)
    },
  )
})
