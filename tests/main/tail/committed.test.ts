// What is not in the tables yet stays, whatever its age, until memory is at its end; and then the tail says so.
import { describe, expect, it } from 'vitest'
import type { OffsetVector } from '../../../src/main/market/topic-offsets.ts'
import type { Tail } from '../../../src/main/tail/tail.ts'
import { logBatch, type SampleRow } from '../../support/market-messages.ts'
import { idsOf, manualClock, MINUTE, openTail, START } from '../../support/tail.ts'

const ASX = 'market.equities.trades.asx'
const life = { cluster: 'here', epoch: '0', topic: ASX }
const upTo = (next: Record<string, number>, changes: object = {}): OffsetVector => [{ ...life, next, ...changes }]
const bhp = { symbol: 'BHP', exchange: 'ASX', windowMinutes: 60, limit: 10_000 }

function begin(tail: Tail): Tail {
  tail.begin(life, new Map([0, 1].map(partition => [partition, { offset: 0, isEarliest: true }])))
  return tail
}

/** Rows whose ids are their offsets. */
function append(tail: Tail, count: number, offset = 0, partition = 0): void {
  const rows = Array.from({ length: count }, (_, i): SampleRow => ({ symbol: 'BHP', id: offset + i, micros: START }))
  tail.append(logBatch('trades', rows, { offset, partition }))
}

describe('a tail that knows how far the tables are', () => {
  it('keeps what is not in them, however old, and lets go of the rest', () => {
    const clock = manualClock()
    const tail = begin(openTail({ clock, minutes: 1 }))
    append(tail, 10)
    tail.noteCommitted(upTo({ 0: 4, 1: 0 }))
    clock.micros += 10 * MINUTE
    expect(idsOf(tail.recent(bhp))).toEqual([4, 5, 6, 7, 8, 9])
    tail.noteCommitted(upTo({ 0: 9, 1: 0 }))
    expect(idsOf(tail.recent(bhp))).toEqual([9])
    expect(tail.counts()).toMatchObject({ held: 1, evictedUncommitted: 0 })
    expect(tail.lost()).toEqual([])
  })

  it('says from where on a partition is not in them, once anybody writes it', () => {
    const tail = begin(openTail({}))
    const from = () => [0, 1].map(partition => tail.uncommittedFrom(ASX, partition))
    expect(from()).toEqual([undefined, undefined])
    tail.noteCommitted([])
    expect(from()).toEqual([Infinity, Infinity])
    tail.noteCommitted(upTo({ 0: 4 }))
    expect(from()).toEqual([4, 0])
    expect(tail.uncommittedFrom('market.equities.trades.nzx', 0)).toBe(Infinity)
    tail.noteCommitted(upTo({ 0: 9 }, { epoch: 'another' }))
    expect(from()).toEqual([Infinity, Infinity])
  })

  it('keeps what came after one that is not in them: rows leave in the order they came', () => {
    const clock = manualClock()
    const tail = begin(openTail({ clock, minutes: 1 }))
    append(tail, 3, 0, 0)
    append(tail, 3, 0, 1)
    append(tail, 3, 3, 0)
    tail.noteCommitted(upTo({ 0: 6, 1: 1 }))
    clock.micros += 2 * MINUTE
    tail.trim()
    expect(tail.counts().held).toBe(5)
    tail.noteCommitted(upTo({ 0: 6, 1: 3 }))
    tail.trim()
    expect(tail.counts().held).toBe(0)
  })

  it('takes a partition that they do not name for one of which they have nothing', () => {
    const clock = manualClock()
    const tail = begin(openTail({ clock, minutes: 1 }))
    tail.noteCommitted(upTo({ 0: 100 }))
    append(tail, 3, 0, 0)
    append(tail, 2, 0, 1)
    clock.micros += 2 * MINUTE
    tail.trim()
    expect(tail.counts().held).toBe(2)
  })

  it('goes by time alone for topics that nobody is known to write, and for another life of a topic', () => {
    for (const vector of [[], upTo({}, { topic: 'market.equities.trades.cxa' }), upTo({}, { epoch: '7' })]) {
      const clock = manualClock()
      const tail = begin(openTail({ clock, minutes: 1 }))
      tail.noteCommitted(vector)
      append(tail, 3)
      clock.micros += 2 * MINUTE
      tail.trim()
      expect(tail.counts()).toMatchObject({ held: 0, evictedUncommitted: 0 })
    }
  })

  it('lets go of it when memory is at its end, and says how many and which are nowhere now', () => {
    const told: number[] = []
    const tail = begin(
      openTail({ clock: manualClock(), maxMegabytes: 0.05, onEvictedUncommitted: rows => told.push(rows) }),
    )
    tail.noteCommitted(upTo({ 0: 100, 1: 0 }))
    append(tail, 1000)
    const { held, evictedUncommitted, places } = tail.counts()
    expect(held).toBeLessThan(900)
    expect(evictedUncommitted).toBe(1000 - held - 100)
    expect(told.reduce((sum, rows) => sum + rows, 0)).toBe(evictedUncommitted)
    expect(tail.lost()).toEqual([{ topic: ASX, partition: 0, from: 100, to: 1000 - held }])
    expect(places[0]).toMatchObject({ firstOffset: 1000 - held, committed: 100 })
    // The writer has come past it: it is in the tables.
    tail.noteCommitted(upTo({ 0: 1000 - held, 1: 0 }))
    expect(tail.lost()).toEqual([])
  })

  it('lets go of what came from a topic that was made anew by its age, as nobody will ever write it', () => {
    const clock = manualClock()
    const tail = begin(openTail({ clock, minutes: 1 }))
    tail.noteCommitted(upTo({ 0: 0 }))
    append(tail, 3)
    tail.begin({ ...life, epoch: '1' }, new Map([[0, { offset: 0, isEarliest: true }]]))
    clock.micros += 2 * MINUTE
    tail.trim()
    expect(tail.counts()).toMatchObject({ held: 0, evictedUncommitted: 0 })
  })
})
