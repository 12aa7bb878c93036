// Messages that come again within the window are in the tail once, wherever it began to read.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import type { Problem, StandardBatch } from '../../../src/main/market/standard-batch.ts'
import { splitBatch } from '../../../src/main/tail/split-batch.ts'
import { createTail, type Tail } from '../../../src/main/tail/tail.ts'
import { logBatch, type SampleRow } from '../../support/market-messages.ts'
import { idsOf, manualClock, MINUTE, openTail, START } from '../../support/tail.ts'

const bhp = { symbol: 'BHP', exchange: 'ASX', windowMinutes: 60, limit: 10_000 }
const trade = (id: number, changes: Partial<SampleRow> = {}): SampleRow => ({
  symbol: 'BHP',
  id,
  micros: START,
  ...changes,
})
const offsetsOf = (tail: Tail) =>
  Array.from(tail.rowsFrom([], tail.pin(), {}, 10_000, 'hot').rows.columns._offset.values, Number)

describe('a message that came before', () => {
  it('to the letter is dropped and counted, also when it was taken in anew', () => {
    const tail = openTail({ clock: manualClock(), dedupeMinutes: 60 })
    tail.append(logBatch('trades', [trade(1), trade(2), trade(1), trade(1, { ingestedMicros: START + 5 })]))
    expect(idsOf(tail.recent(bhp))).toEqual([1, 2])
    expect(tail.counts()).toMatchObject({ total: 2, duplicates: 2, undecodable: 0 })
    expect(tail.pin().next[0].next).toEqual({ 0: 4 })
  })

  it('with other content is a correction and stays', () => {
    const tail = openTail({ clock: manualClock(), dedupeMinutes: 60 })
    tail.append(logBatch('trades', [trade(1, { price: 5 }), trade(1, { price: 6 })]))
    expect(tail.recent(bhp).rowCount).toBe(2)
  })

  it('in another partition, longer ago than the window, or without a window is no repeat', () => {
    const tail = openTail({ clock: manualClock(), dedupeMinutes: 1 })
    tail.append(logBatch('trades', [trade(1)]))
    tail.append(logBatch('trades', [trade(1)], { partition: 1 }))
    tail.append(logBatch('trades', [trade(1, { logMicros: START + MINUTE })], { offset: 1 }))
    expect(tail.counts()).toMatchObject({ total: 3, duplicates: 0 })
    const without = openTail({ clock: manualClock() })
    without.append(logBatch('trades', [trade(1), trade(1)]))
    expect(without.counts()).toMatchObject({ total: 2, duplicates: 0 })
  })

  it('before the start is known, though it is not held', () => {
    const tail = openTail({ clock: manualClock(), dedupeMinutes: 60 })
    const place = { cluster: '', epoch: '', topic: 'market.equities.trades.asx' }
    tail.begin(place, new Map([[0, { offset: 2, isEarliest: false }]]))
    tail.remember(logBatch('trades', [trade(1), trade(2)]))
    expect(tail.counts()).toMatchObject({ total: 0, held: 0, duplicates: 0 })
    tail.append(logBatch('trades', [trade(2), trade(3)], { offset: 2 }))
    expect(idsOf(tail.recent(bhp))).toEqual([3])
    expect(tail.counts()).toMatchObject({ total: 1, duplicates: 1 })
  })
})

/** The same messages with other bytes between them, as keys and heads are in what Kafka sends. */
function spreadOut(batch: StandardBatch, gap: number): StandardBatch {
  const bytes = Buffer.alloc(batch.bytes.length + gap * batch.count, 0xff)
  const starts = batch.starts.map((start, i) => start + gap * (i + 1))
  const ends = batch.ends.map((end, i) => end + gap * (i + 1))
  for (let i = 0; i < batch.count; i++) batch.bytes.copy(bytes, starts[i], batch.starts[i], batch.ends[i])
  return { ...batch, bytes, starts, ends }
}

it('messages that lie together and messages that lie apart give the same rows', () => {
  const message = fc.record({ id: fc.nat(30), isBad: fc.nat(9), symbol: fc.constantFrom('BHP', 'CBA') })
  const property = fc.property(fc.array(fc.array(message, { maxLength: 80 }), { maxLength: 6 }), batches => {
    const [together, apart] = [0, 1].map(() => openTail({ clock: manualClock(), dedupeMinutes: 60, maxMegabytes: 1 }))
    let offset = 0
    for (const messages of batches) {
      const rows = messages.map(({ id, symbol }) => trade(id, { symbol }))
      const problems = new Map<number, Problem>()
      messages.forEach(({ isBad }, i) => isBad === 0 && problems.set(i, { reason: 'undecodable', error: 'It is bad.' }))
      const batch = { ...logBatch('trades', rows, { offset }), problems }
      offset += messages.length
      together.append(batch)
      apart.append(spreadOut(batch, 7))
    }
    expect(together.counts()).toEqual(apart.counts())
    for (const width of ['hot', 'all'] as const) {
      const rows = (tail: Tail) => tail.rowsFrom([], tail.pin(), {}, 10_000, width).rows
      expect(rowsOf(rows(together))).toEqual(rowsOf(rows(apart)))
    }
  })
  fc.assert(property, { numRuns: 40 })
})

describe('any stream, read in any batches and from any start', () => {
  const message = fc.record({ id: fc.nat(30), seconds: fc.nat(40), isBad: fc.nat(9) })

  it('gives the same rows as read in one go', () => {
    let dropped = 0
    const property = fc.property(
      fc.array(message, { minLength: 1, maxLength: 80, size: 'max' }),
      fc.array(fc.nat(80)),
      fc.nat(80),
      (messages, cuts, start) => {
        let micros = START
        const rows = messages.map(({ id, seconds }) => trade(id, { logMicros: (micros += seconds * 1e6) }))
        const problem = { reason: 'invalid_value', error: 'price: none' } as const
        const problems = new Map(messages.flatMap(({ isBad }, i) => (isBad === 0 ? [[i, problem] as const] : [])))
        const whole: StandardBatch = { ...logBatch('trades', rows), problems }
        const open = () =>
          createTail({
            dataType: 'trades',
            minutes: 60,
            maxPerSymbol: 99,
            maxMegabytes: 1,
            clock: manualClock(),
            dedupeMinutes: 2,
          })
        const one = open()
        one.append(whole)

        const other = open()
        let rest: StandardBatch | undefined = whole
        for (const cut of [...new Set([...cuts, start])].sort((a, b) => a - b)) {
          const { before, after }: { before?: StandardBatch; after?: StandardBatch } = rest ? splitBatch(rest, cut) : {}
          rest = after
          if (before && before.offsets[0] < start) other.remember(before)
          else if (before) other.append(before)
        }
        if (rest) other.append(rest)

        expect(offsetsOf(other)).toEqual(offsetsOf(one).filter(offset => offset >= start))
        dropped += one.counts().duplicates
        one.close()
        other.close()
      },
    )
    fc.assert(property, { numRuns: 200 })
    expect(dropped).toBeGreaterThan(200)
  })
})
