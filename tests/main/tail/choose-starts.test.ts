// Where a tail begins: where the tables end or its minutes back, and from where repeats are to be known.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseStarts, findRemembered, type StartFacts } from '../../../src/main/tail/choose-starts.ts'
import { MINUTE, START } from '../../support/tail.ts'

const facts = (earliest: number, latest: number, minutes: number, committed?: Record<string, number>): StartFacts => ({
  ranges: [{ partition: 0, earliest, latest }],
  atMinutes: new Map([[0, minutes]]),
  committed,
})
const startOf = (given: StartFacts, roomFor = 1000) => chooseStarts([given], roomFor)[0].get(0)

describe('the start of a tail', () => {
  it('is its minutes back where nobody writes', () => {
    expect(startOf(facts(10, 100, 80))).toEqual({ offset: 80, isEarliest: false })
  })

  it('is where the tables end when that is earlier', () => {
    expect(startOf(facts(10, 100, 80, { 0: 50 }))).toEqual({ offset: 50, isEarliest: false })
    expect(startOf(facts(10, 100, 80, { 0: 90 }))).toEqual({ offset: 80, isEarliest: false })
  })

  it('is the beginning of a partition that the tables do not know', () => {
    expect(startOf(facts(10, 100, 80, {}))).toEqual({ offset: 10, isEarliest: true })
  })

  it('is never before what the log holds, nor where only another life of the log had been', () => {
    expect(startOf(facts(60, 100, 80, { 0: 50 }))).toEqual({ offset: 60, isEarliest: true })
    expect(startOf(facts(10, 100, 80, { 0: 500 }))).toEqual({ offset: 80, isEarliest: false })
  })

  it('is the minutes for all topics when what is not in the tables does not fit into the memory', () => {
    const [busy, quiet] = [facts(0, 5000, 4900, { 0: 100 }), facts(0, 10, 8, { 0: 5 })]
    const starts = (roomFor: number) => chooseStarts([busy, quiet], roomFor).map(all => all.get(0)!.offset)
    expect(starts(4905)).toEqual([100, 5])
    expect(starts(4904)).toEqual([4900, 8])
  })
})

describe('what is read only to know repeats', () => {
  /** Times of a partition's messages, the first at offset `earliest`. */
  const partition = fc.record({
    earliest: fc.nat(5),
    steps: fc.array(fc.oneof(fc.nat(5), fc.nat(10_000), fc.integer({ min: -60, max: 0 })), { maxLength: 30 }),
    start: fc.nat(30),
  })

  it('begins early enough for the window to be as if all had been read, and not at the beginning of everything', async () => {
    let saved = 0
    const property = fc.asyncProperty(
      fc.array(partition, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 20 }),
      async (partitions, dedupeMinutes, minutes) => {
        const all = partitions.map(({ earliest, steps, start }) => {
          let micros = START - steps.reduce((sum, step) => sum + step, 0) * MINUTE
          const times = steps.map(step => (micros += step * MINUTE))
          return { earliest, times, start: earliest + Math.min(start, times.length) }
        })
        const log = {
          offsetsAt: async (_: string, at: number) =>
            new Map(
              all.map(({ earliest, times }, i) => {
                const found = times.findIndex(time => time >= at)
                return [i, earliest + (found < 0 ? times.length : found)]
              }),
            ),
        }
        const ranges = all.map(({ earliest, times }, i) => ({
          partition: i,
          earliest,
          latest: earliest + times.length,
        }))
        const starts = new Map(
          all.map(({ earliest, start }, i) => [i, { offset: start, isEarliest: start === earliest }]),
        )
        const from = await findRemembered(log, 'topic', ranges, starts, { nowMicros: START, minutes, dedupeMinutes })
        all.forEach(({ earliest, times, start }, i) => {
          const begin = from.get(i)!
          expect(begin).toBeGreaterThanOrEqual(earliest)
          expect(begin).toBeLessThanOrEqual(start)
          // The highest time so far is what the window of any message from the start on reaches back from.
          const before = times.slice(0, start - earliest)
          const clock = Math.max(...before, ...times.slice(start - earliest, start - earliest + 1))
          const needed = times.findIndex((_, k) => Math.max(...times.slice(0, k + 1)) > clock - dedupeMinutes * MINUTE)
          if (needed >= 0 && needed < before.length) expect(begin).toBeLessThanOrEqual(earliest + needed)
          saved += begin - earliest
        })
      },
    )
    await fc.assert(property, { numRuns: 300 })
    expect(saved).toBeGreaterThan(100)
  })

  it('is nothing without a window', async () => {
    const log = { offsetsAt: () => Promise.reject(new Error('asked')) }
    const span = { nowMicros: START, minutes: 5, dedupeMinutes: 0 }
    const starts = new Map([[0, { offset: 7, isEarliest: false }]])
    const ranges = [{ partition: 0, earliest: 0, latest: 9 }]
    expect(await findRemembered(log, 'topic', ranges, starts, span)).toEqual(new Map([[0, 7]]))
  })

  it('is all that it may hold behind a message whose time is far ahead, as times tell nothing there', async () => {
    const times = [1, 2, 3, 5000, 4, 5].map(minute => START + (minute - 6) * MINUTE)
    const log = {
      offsetsAt: async (_: string, at: number) => {
        const found = times.findIndex(time => time >= at)
        return new Map([[0, found < 0 ? times.length : found]])
      },
    }
    const ranges = [{ partition: 0, earliest: 0, latest: 6 }]
    const span = { nowMicros: START, minutes: 2, dedupeMinutes: 1 }
    const from = (offset: number) =>
      findRemembered(log, 'topic', ranges, new Map([[0, { offset, isEarliest: false }]]), span)
    expect(await from(5)).toEqual(new Map([[0, 0]]))
    expect(await from(3)).toEqual(new Map([[0, 2]]))
  })
})
