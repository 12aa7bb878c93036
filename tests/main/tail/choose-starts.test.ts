// Where a tail begins: where the tables end or its minutes back.
import { describe, expect, it } from 'vitest'
import { chooseStarts, type StartFacts } from '../../../src/main/tail/choose-starts.ts'

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
