import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MOST_ROWS_A_PART, planFlush, type Held } from '../../../src/main/ingest/plan-flush.ts'

const timing = { batchSize: 1000, batchMs: 5000, leastMs: 1000 }
const held = (changes: Partial<Held> = {}): Held => ({
  rows: 0,
  bytes: 0,
  stagedRows: 0,
  stagedParts: 0,
  waitedMs: 0,
  lag: 0,
  sinceCommitMs: 60_000,
  isLast: false,
  ...changes,
})
const plan = (changes: Partial<Held>) => planFlush(held(changes), timing)

describe('a flush', () => {
  it('comes with the batch size, and not before', () => {
    expect(plan({ rows: 999 })).toEqual({ do: 'wait', ms: 5000 })
    expect(plan({ rows: 1000 })).toEqual({ do: 'commit' })
  })

  it('comes with the time, whatever there is: also when it is nothing but how far the log is', () => {
    expect(plan({ rows: 1, waitedMs: 4999 })).toEqual({ do: 'wait', ms: 1 })
    expect(plan({ rows: 1, waitedMs: 5000 })).toEqual({ do: 'commit' })
    expect(plan({ rows: 0, waitedMs: 5000 })).toEqual({ do: 'commit' })
  })

  it('never comes when nothing came in', () => {
    expect(plan({ waitedMs: undefined, isLast: true })).toMatchObject({ do: 'wait' })
  })

  it('comes at most once a second', () => {
    expect(plan({ rows: 5000, sinceCommitMs: 300 })).toEqual({ do: 'wait', ms: 700 })
    expect(plan({ rows: 5000, waitedMs: 9000, sinceCommitMs: 300 })).toEqual({ do: 'wait', ms: 700 })
  })

  it('grows by itself while the log has enough for a whole file, but not beyond its time', () => {
    const behind = { rows: 5000, lag: 1_000_000 }
    expect(plan(behind)).toEqual({ do: 'wait', ms: 5000 })
    expect(plan({ ...behind, rows: MOST_ROWS_A_PART })).toEqual({ do: 'commit' })
    expect(plan({ ...behind, waitedMs: 5000 })).toEqual({ do: 'commit' })
    expect(plan({ rows: 5000, lag: MOST_ROWS_A_PART - 5001 })).toEqual({ do: 'commit' })
  })

  it('puts whole files in place while it waits for the second to be over, and commits them together', () => {
    const full = { rows: MOST_ROWS_A_PART, lag: 1_000_000, sinceCommitMs: 400 }
    expect(plan(full)).toEqual({ do: 'stage' })
    expect(plan({ ...full, stagedParts: 2, stagedRows: 2 * MOST_ROWS_A_PART })).toEqual({ do: 'stage' })
    expect(plan({ ...full, stagedParts: 6, stagedRows: 6 * MOST_ROWS_A_PART })).toEqual({ do: 'wait', ms: 600 })
    expect(plan({ ...full, sinceCommitMs: 1000, stagedParts: 1 })).toEqual({ do: 'commit' })
  })

  it('of more rows than a file may have is put in place file by file, and is one commit', () => {
    const large = { ...timing, batchSize: 2 * MOST_ROWS_A_PART + 40_000 }
    const full = { rows: MOST_ROWS_A_PART, lag: 1_000_000 }
    expect(planFlush(held(full), large)).toEqual({ do: 'stage' })
    const one = { stagedParts: 1, stagedRows: MOST_ROWS_A_PART }
    expect(planFlush(held({ ...one, rows: 10 }), large)).toEqual({ do: 'wait', ms: 5000 })
    expect(planFlush(held({ ...one, ...full }), large)).toEqual({ do: 'stage' })
    const two = { stagedParts: 2, stagedRows: 2 * MOST_ROWS_A_PART }
    expect(planFlush(held({ ...two, rows: 39_999 }), large)).toEqual({ do: 'wait', ms: 5000 })
    expect(planFlush(held({ ...two, rows: 40_000 }), large)).toEqual({ do: 'commit' })
    expect(planFlush(held({ ...two, rows: 10, waitedMs: 5000 }), large)).toEqual({ do: 'commit' })
  })

  it('takes dead letters and long messages by their bytes', () => {
    expect(plan({ rows: 3, bytes: 100e6 })).toEqual({ do: 'commit' })
    const large = { ...timing, batchSize: 200_000 }
    expect(planFlush(held({ rows: 3, bytes: 100e6 }), large)).toEqual({ do: 'commit' })
  })

  it('comes at once when nothing more will', () => {
    expect(plan({ rows: 1, isLast: true, sinceCommitMs: 0 })).toEqual({ do: 'commit' })
  })

  it('never leaves anything waiting for longer than its time and the second between commits', () => {
    const state = fc.record({
      rows: fc.nat(300_000),
      bytes: fc.nat(100e6),
      stagedRows: fc.nat(600_000),
      stagedParts: fc.nat(3),
      waitedMs: fc.nat(20_000),
      lag: fc.nat(2_000_000),
      sinceCommitMs: fc.nat(20_000),
      isLast: fc.constant(false),
    })
    fc.assert(
      fc.property(state, now => {
        const planned = planFlush(now, timing)
        if (planned.do !== 'wait') return
        expect(planned.ms).toBeGreaterThan(0)
        const later = { ...now, waitedMs: now.waitedMs + planned.ms, sinceCommitMs: now.sinceCommitMs + planned.ms }
        const next = planFlush(later, timing)
        // Waiting once more can only be for the second to be over.
        if (next.do === 'wait') expect(next.ms).toBeLessThanOrEqual(timing.leastMs)
        expect(planFlush({ ...later, sinceCommitMs: timing.leastMs, waitedMs: later.waitedMs + 1000 }, timing).do).toBe(
          'commit',
        )
      }),
    )
  })
})
