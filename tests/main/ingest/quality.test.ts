// Sequences: what a number says that comes, judged against the plain rules, and the days that sequences begin with.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSessionDays } from '../../../src/main/ingest/quality/session-days.ts'
import {
  createSequenceTracker,
  type SequencedRow,
  type Verdict,
} from '../../../src/main/ingest/quality/sequence-tracker.ts'
import { severityOf } from '../../../src/main/ingest/quality/severity.ts'
import type { Split } from '../../../src/main/ingest/quality/watch-sequences.ts'
import { createIntake, type CountingIntake, type TakeInOptions } from '../../../src/main/ingest/take-in.ts'
import { NUMBERED_BY_ROW } from '../../../src/main/market/row-numbers.ts'
import type { LastSequence } from '../../../src/main/market/stream-table.ts'
import { standardBatch, type SampleMessage } from '../../support/intake-messages.ts'
import { messageOf, type SampleRow } from '../../support/market-messages.ts'

const TOPIC = 'market.equities.trades.asx'
/** Friday 6 March 2026, 10:00 in Sydney. */
const OPEN = Date.UTC(2026, 2, 5, 23) * 1000
const SECOND = 1e6
const HOUR = 3600e6
const dayOf = createSessionDays()

const sequenced = (sequence: bigint, more: Partial<SequencedRow> = {}): SequencedRow => ({
  low: Number(BigInt.asIntN(32, sequence)),
  high: Number(sequence >> 32n),
  ...{ exchangeMicros: 0, day: 0, printLow: Number(sequence & 0xffffn), printHigh: 0 },
  ...more,
})

describe('a tracker', () => {
  const trackerOf = (most = 10) => createSequenceTracker(most, () => undefined)

  it.each<[bigint, bigint, Verdict]>([
    [102n, 105n, 'gap'],
    [1n, 2n, 'next'],
    [2n ** 32n - 1n, 2n ** 32n, 'next'],
    [2n ** 32n - 1n, 2n ** 33n, 'gap'],
    [2n ** 31n - 1n, 2n ** 31n, 'next'],
    [2n ** 53n, 2n ** 53n + 1n, 'next'],
    [2n ** 53n, 2n ** 53n + 2n, 'gap'],
    [2n ** 63n - 2n, 2n ** 63n - 1n, 'next'],
    [-1n, 0n, 'next'],
    [-(2n ** 63n), -(2n ** 63n) + 1n, 'next'],
    [2n ** 53n + 1n, 2n ** 53n, 'late'],
    [7n, 7n, 'repeated'],
    [7n, 3n, 'late'],
  ])('after %s takes %s for %s', (last, received, verdict) => {
    const tracker = trackerOf()
    const slot = tracker.slotOf('BHP')
    expect(tracker.judge(slot, sequenced(last))).toBe('first')
    expect(tracker.judge(slot, sequenced(received))).toBe(verdict)
    expect(tracker.before()).toBe(last)
  })

  it('tells a number that comes again with another content from one that only comes again', () => {
    const tracker = trackerOf()
    const slot = tracker.slotOf('BHP')
    tracker.judge(slot, sequenced(7n, { printHigh: 1 }))
    expect(tracker.judge(slot, sequenced(7n, { printHigh: 2 }))).toBe('corrected')
    expect(tracker.judge(slot, sequenced(7n, { printHigh: 1 }))).toBe('repeated')
  })

  it('takes a lower number for a new beginning on a new day, or when it is 0 or 1 and comes a second later', () => {
    const after = (last: SequencedRow, row: SequencedRow) => {
      const tracker = trackerOf()
      const slot = tracker.slotOf('BHP')
      tracker.judge(slot, last)
      return [tracker.judge(slot, row), tracker.judge(slot, sequenced(row.high === 0 ? BigInt(row.low) + 1n : 0n, row))]
    }
    const last = sequenced(500n, { day: 10, exchangeMicros: OPEN })
    expect(after(last, sequenced(3n, { day: 11, exchangeMicros: OPEN }))[0]).toBe('reset')
    expect(after(last, sequenced(500n, { day: 11 }))[0]).toBe('reset')
    expect(after(last, sequenced(1n, { day: 10, exchangeMicros: OPEN + SECOND }))[0]).toBe('reset')
    expect(after(last, sequenced(0n, { day: 10, exchangeMicros: OPEN + SECOND }))[0]).toBe('reset')
    expect(after(last, sequenced(1n, { day: 10, exchangeMicros: OPEN + SECOND - 1 }))[0]).toBe('late')
    expect(after(last, sequenced(1n, { day: 10, exchangeMicros: OPEN - HOUR }))[0]).toBe('late')
    expect(after(last, sequenced(2n, { day: 10, exchangeMicros: OPEN + HOUR }))[0]).toBe('late')
    expect(after(last, sequenced(501n, { day: 11, exchangeMicros: OPEN }))[0]).toBe('next')
    expect(after(last, sequenced(510n, { day: 11, exchangeMicros: OPEN }))[0]).toBe('gap')
    expect(after(last, sequenced(900n, { day: 9, exchangeMicros: OPEN }))[0]).toBe('late')
  })

  it('says when a number and its time disagree about which of two is the later row', () => {
    const tracker = trackerOf()
    const slot = tracker.slotOf('BHP')
    const judge = (sequence: bigint, exchangeMicros: number) => {
      const verdict = tracker.judge(slot, sequenced(sequence, { exchangeMicros }))
      return [verdict, tracker.disagrees()]
    }
    expect(judge(10n, 1000)).toEqual(['first', false])
    expect(judge(11n, 999)).toEqual(['next', true])
    expect(judge(12n, 999)).toEqual(['next', false])
    expect(judge(5n, 500)).toEqual(['late', false])
    expect(judge(6n, 2000)).toEqual(['late', true])
    expect(judge(13n, 999)).toEqual(['next', false])
  })

  it('forgets the instrument that was silent longest when there are too many, and no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(8), { maxLength: 200 }), (most, names) => {
        const tracker = trackerOf(most)
        let known: number[] = []
        names.forEach((name, i) => {
          const isKnown = known.includes(name)
          known = [...known.filter(other => other !== name), name].slice(-most)
          const verdict = tracker.judge(tracker.slotOf(String(name)), sequenced(BigInt(i * 2), { exchangeMicros: i }))
          expect(verdict).toBe(isKnown ? 'gap' : 'first')
          expect(tracker.size()).toBe(known.length)
        })
      }),
    )
  })

  it('knows the highest number of the newest day, whatever came in whatever order', () => {
    const rows = fc.array(fc.record({ day: fc.nat(3), sequence: fc.integer({ min: 2, max: 30 }) }), { minLength: 1 })
    fc.assert(
      fc.property(rows, rows => {
        const tracker = trackerOf()
        const slot = tracker.slotOf('BHP')
        for (const { day, sequence } of rows) tracker.judge(slot, sequenced(BigInt(sequence), { day }))
        const newest = Math.max(...rows.map(({ day }) => day))
        tracker.judge(slot, sequenced(1n, { day: newest }))
        const ofNewest = rows.filter(({ day }) => day === newest).map(({ sequence }) => sequence)
        expect(tracker.before()).toBe(BigInt(Math.max(...ofNewest)))
      }),
      { numRuns: 500 },
    )
  })
})

describe('a gap', () => {
  it.each([
    [1n, 'minor'],
    [9n, 'minor'],
    [10n, 'major'],
    [100n, 'major'],
    [101n, 'critical'],
    [2n ** 62n, 'critical'],
  ])('of %s messages is %s', (missing, severity) => {
    expect(severityOf(missing)).toBe(severity)
  })
})

describe("an exchange's day", () => {
  const utc = (...parts: [number, number, number, number?, number?]) => Date.UTC(...parts) * 1000
  const day = (year: number, month: number, date: number) => Date.UTC(year, month, date) / 86_400e3

  it('begins at its own midnight, also on days when its clocks change', () => {
    expect(dayOf('ASX', OPEN)).toBe(day(2026, 2, 6))
    expect(dayOf('asx', utc(2026, 2, 5, 12, 59))).toBe(day(2026, 2, 5))
    expect(dayOf('ASX', utc(2026, 2, 5, 13, 0))).toBe(day(2026, 2, 6))
    expect(dayOf('ASX', utc(2026, 3, 4, 12, 59))).toBe(day(2026, 3, 4))
    expect(dayOf('ASX', utc(2026, 3, 5, 13, 59))).toBe(day(2026, 3, 5))
    expect(dayOf('ASX', utc(2026, 3, 5, 14, 0))).toBe(day(2026, 3, 6))
  })

  it('is that of UTC for exchanges around the clock and for those nobody knows', () => {
    expect(dayOf('BINANCE', OPEN)).toBe(day(2026, 2, 5))
    expect(dayOf('NOWHERE', utc(1969, 11, 31, 23))).toBe(-1)
  })

  it('is the one that its own calendar says at any time', () => {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone: 'Australia/Sydney', dateStyle: 'short' })
    fc.assert(
      fc.property(fc.integer({ min: utc(1975, 0, 1), max: utc(2060, 0, 1) }), micros => {
        const date = new Date(dayOf('ASX', micros) * 86_400e3).toISOString().slice(0, 10)
        expect(date).toBe(format.format(Math.floor(micros / 1000)))
      }),
      { numRuns: 500 },
    )
  })
})

describe('rows taken in', () => {
  const intakeOf = (options: Partial<TakeInOptions> = {}) =>
    createIntake({ table: 'trades', topic: TOPIC, dedupeMinutes: 60, dayOf, ...options })

  const trade = (row: Partial<SampleRow>, offset: number): SampleMessage => ({
    offset,
    logMicros: OPEN + offset,
    bytes: messageOf('trades', { symbol: 'BHP', micros: OPEN + offset, id: offset, ...row }),
  })

  it('show a gap where numbers are missing, with where and when and how many', () => {
    const intake = intakeOf()
    const sequences = [100, 101, 105, 106, 120, 300, 301]
    const batch = standardBatch(
      sequences.map((sequence, i) => trade({ sequence }, 40 + i)),
      { partition: 5 },
    )
    const { gaps } = intake.take(batch)
    const common = {
      topic: TOPIC,
      partition: 5,
      symbol: 'BHP',
      exchange: 'ASX',
      assetClass: 'equities',
      dataType: 'trades',
    }
    expect(gaps).toEqual([
      { ...common, offset: 42, logMicros: OPEN + 42, expected: 102n, received: 105n, severity: 'minor' },
      { ...common, offset: 44, logMicros: OPEN + 44, expected: 107n, received: 120n, severity: 'major' },
      { ...common, offset: 45, logMicros: OPEN + 45, expected: 121n, received: 300n, severity: 'critical' },
    ])
    const taken = intake.drain()
    expect(taken.gaps).toEqual(gaps)
    expect(taken.rows.rowCount).toBe(7)
    expect(intake.drain().gaps).toEqual([])
    expect(intake.counts()).toMatchObject([{ exchange: 'ASX', gaps: { minor: 1, major: 1, critical: 1 } }])
  })

  it('are held against their own instrument and partition only, and not at all without a number', () => {
    const intake = intakeOf()
    const rows = [
      { sequence: 1 },
      { symbol: 'CBA', sequence: 50 },
      { sequence: null },
      { exchange: 'CHIX', sequence: 900 },
      { sequence: 2 },
      { symbol: 'CBA', sequence: 51 },
      { exchange: 'chix', sequence: 901 },
      { exchange: 'CHIX', sequence: 902 },
    ]
    expect(intake.take(standardBatch(rows.map(trade))).gaps).toEqual([])
    expect(intake.take(standardBatch([trade({ sequence: 70 }, 0)], { partition: 1 })).gaps).toEqual([])
    const { gaps, rows: drained } = intake.drain()
    expect([gaps.length, drained.rowCount]).toEqual([0, 9])
    expect(new Set(drained.columns.exchange.words)).toEqual(new Set(['ASX', 'CHIX']))
  })

  it('are not held against the numbers that only say their place in a file', () => {
    const intake = intakeOf()
    const numbered = { vendorData: { company_id: '7078', ...NUMBERED_BY_ROW } }
    const places = [1, 2, 900, 3, 4, 4000].map((sequence, i) => trade({ sequence, ...numbered }, i))
    expect(intake.take(standardBatch(places)).gaps).toEqual([])
    const ofSource = { sequence: 5000, vendorData: { company_id: '7078' } }
    expect(intake.take(standardBatch([trade(ofSource, 6)])).gaps).toMatchObject([{ expected: 4001n, received: 5000n }])
    expect(intake.drain()).toMatchObject({ outOfOrder: 0, resets: 0, rows: { rowCount: 7 } })
  })

  it('show an instrument that two partitions have, once', () => {
    const splits: Split[] = []
    const intake = intakeOf({ onSplit: split => splits.push(split) })
    for (const partition of [3, 3, 1, 2]) {
      intake.take(
        standardBatch([trade({ sequence: 1 }, 0), trade({ symbol: `ONLY${partition}`, sequence: 1 }, 1)], {
          partition,
        }),
      )
      intake.drain()
    }
    expect(splits).toEqual([{ topic: TOPIC, symbol: 'BHP', exchange: 'ASX', partitions: [3, 1] }])
  })

  it('show it also where it has no numbers, and find its gaps when it has', () => {
    const splits: Split[] = []
    const intake = intakeOf({ onSplit: split => splits.push(split) })
    const take = (partition: number, sequences: (number | null)[]) => {
      const rows = sequences.map((sequence, i) => trade({ sequence, micros: OPEN + i + 10 * partition }, i))
      return intake.take(standardBatch(rows, { partition }))
    }
    expect(take(3, [null, null]).gaps).toEqual([])
    expect(splits).toEqual([])
    expect(take(1, [null, 5, null, 8]).gaps).toMatchObject([{ expected: 6n, received: 8n }])
    expect(splits).toEqual([{ topic: TOPIC, symbol: 'BHP', exchange: 'ASX', partitions: [3, 1] }])
  })

  it('go on after a restart from where the table is in their partition, and begin anew where they move to another', () => {
    const last = { partition: 3, symbol: 'BHP', exchange: 'ASX', sequence: 2n ** 60n, exchangeMicros: OPEN }
    const lastSequences = [last, { ...last, sequence: 100n, partition: 1 }, { ...last, symbol: 'CBA', sequence: 7n }]
    const intake = intakeOf({ lastSequences })
    const take = (partition: number, row: Partial<SampleRow>) =>
      intake.take(standardBatch([trade(row, 1)], { partition })).gaps
    expect(take(3, { symbol: 'CBA', sequence: 9 })).toMatchObject([{ symbol: 'CBA', expected: 8n, received: 9n }])
    expect(take(2, { sequence: 5 })).toEqual([])
    expect(take(2, { sequence: 8 })).toMatchObject([{ expected: 6n, received: 8n }])
    expect(take(1, { sequence: 150 })).toMatchObject([{ expected: 101n, received: 150n }])
    expect(intake.drain()).toMatchObject({ outOfOrder: 0, resets: 0 })
    expect(take(3, { sequence: 5 })).toEqual([])
    expect(intake.drain()).toMatchObject({ outOfOrder: 1, resets: 0 })
  })

  it('find the same gaps after a restart, when the last numbers are those of the table and the window is read again', () => {
    const steps = fc.array(
      fc.record({
        partition: fc.nat(1),
        sequence: fc.integer({ min: 1, max: 40 }),
        pause: fc.constantFrom(0, 1, 10, 30 * HOUR),
      }),
      { minLength: 1, maxLength: 40 },
    )
    fc.assert(
      fc.property(steps, fc.nat(40), fc.nat(40), (steps, split, window) => {
        let micros = OPEN
        // Without new beginnings within a day, which the table does not tell of.
        const rows = steps.map(({ partition, sequence, pause }, offset) => ({
          ...{ partition, offset, sequence: sequence + 1, micros: (micros += pause) },
        }))
        const at = split % rows.length
        const batchOf = (partition: number, from: number, to?: number) =>
          standardBatch(
            rows.slice(from, to).flatMap(row => (row.partition === partition ? [trade(row, row.offset)] : [])),
            { partition },
          )
        const whole = intakeOf({ dedupeMinutes: 0 })
        for (const partition of [0, 1]) whole.take(batchOf(partition, 0))
        const lastSequences = [0, 1].flatMap(partition => lastOf(rows.slice(0, at), partition))
        const after = intakeOf({ dedupeMinutes: 0, lastSequences })
        // Whichever partition is read first.
        for (const partition of [1, 0]) {
          after.remember(batchOf(partition, Math.max(0, at - window), at))
          after.take(batchOf(partition, at))
        }
        const gapsOf = (intake: CountingIntake) =>
          intake
            .drain()
            .gaps.filter(({ offset }) => offset >= at)
            .sort((a, b) => a.offset - b.offset)
        expect(gapsOf(after)).toEqual(gapsOf(whole))
      }),
      { numRuns: 500 },
    )
  })

  it('are counted when they are late, begin anew, are corrected, come again or disagree with their time', () => {
    const intake = intakeOf({ dedupeMinutes: 1 })
    const first = trade({ sequence: 100, micros: OPEN }, 0)
    const messages: SampleMessage[] = [
      first,
      { ...first, offset: 1 },
      { ...first, offset: 2, logMicros: OPEN + HOUR },
      trade({ sequence: 100, micros: OPEN, price: 5 }, 3),
      trade({ sequence: 90, micros: OPEN - SECOND }, 4),
      trade({ sequence: 101, micros: OPEN - SECOND }, 5),
      trade({ sequence: 1, micros: OPEN + 5 * SECOND }, 6),
      trade({ sequence: 2, micros: OPEN + 5 * SECOND }, 7),
    ]
    intake.take(standardBatch(messages))
    expect(intake.drain()).toMatchObject({ duplicates: 1, outOfOrder: 1, resets: 1, rows: { rowCount: 7 }, gaps: [] })
    expect(intake.counts()).toEqual([
      {
        ...{ exchange: 'ASX', assetClass: 'equities', gaps: { minor: 0, major: 0, critical: 0 } },
        ...{ duplicates: 1, repeated: 1, corrected: 1, outOfOrder: 1, resets: 1, disagreeing: 1 },
      },
    ])
  })
})

interface Placed {
  partition: number
  sequence: number
  micros: number
}

/** As the table tells it: the highest number of the newest day. */
function lastOf(rows: readonly Placed[], partition: number): LastSequence[] {
  const own = rows.filter(row => row.partition === partition)
  const newest = Math.max(...own.map(({ micros }) => dayOf('ASX', micros)))
  return own
    .filter(({ micros }) => dayOf('ASX', micros) === newest)
    .sort((a, b) => b.sequence - a.sequence)
    .slice(0, 1)
    .map(({ sequence, micros }) => ({
      ...{ partition, symbol: 'BHP', exchange: 'ASX', sequence: BigInt(sequence), exchangeMicros: micros },
    }))
}
