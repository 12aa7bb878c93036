import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FileSpan } from '../../../../src/main/lake/reads.ts'
import { timeWindows } from '../../../../src/main/query/reads/time-windows.ts'

const ALWAYS = { fromMicros: -Infinity, toMicros: Infinity }
const span = (rows: number, fromMicros: number, toMicros: number): FileSpan => ({ rows, fromMicros, toMicros })

describe('the windows that the first rows are looked for in', () => {
  it('begin with the newest time that should hold the rows, and grow to all of it', () => {
    const day = 86_400_000_000
    const windows = [...timeWindows([span(20_000_000, 0, day - 1)], ALWAYS, 100, true)]
    const hours = windows.map(({ fromMicros }) => (day - fromMicros) / day)
    expect(windows.every(({ toMicros }) => toMicros === Infinity)).toBe(true)
    expect(hours[0]).toBeCloseTo(500 / 20_000_000, 8)
    expect(hours[1]).toBeCloseTo((64 * 500) / 20_000_000, 7)
    expect(windows.at(-1)).toEqual(ALWAYS)
  })

  it('grow by how many rows were in the one before', () => {
    const sized = (found: number) => {
      const windows = timeWindows([span(20_000_000, 0, 20_000_000 - 1)], ALWAYS, 1_000, false)
      windows.next()
      return (windows.next(found).value as { toMicros: number }).toMicros / 4_000
    }
    expect([990, 100, 1, 0].map(found => Math.round(sized(found)))).toEqual([4, 20, 64, 64])
  })

  it('are one where there is little to read, where a file does not say its times, and where there are no files', () => {
    for (const spans of [[span(40_000, 0, 1_000)], [span(1e6, 0, 10), span(1e6, -Infinity, Infinity)], []])
      expect([...timeWindows(spans, ALWAYS, 100, true)]).toEqual([ALWAYS])
  })

  it('are one where nearly all is wanted', () => {
    expect([...timeWindows([span(100_000, 0, 1_000_000)], ALWAYS, 50_000, false)]).toEqual([ALWAYS])
  })

  it('each hold the one before, lie at their end of the range, and the last is the range', () => {
    const spans = fc.array(
      fc
        .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: -1e6, max: 1e6 }), fc.nat(1e6))
        .map(([rows, from, length]) => span(rows, from, from + length)),
      { maxLength: 30 },
    )
    const range = fc
      .tuple(fc.integer({ min: -2e6, max: 2e6 }), fc.nat(3e6))
      .map(([fromMicros, length]) => ({ fromMicros, toMicros: fromMicros + length }))
    fc.assert(
      fc.property(
        spans,
        fc.oneof(range, fc.constant(ALWAYS)),
        fc.integer({ min: 1, max: 1e6 }),
        fc.boolean(),
        (...of) => {
          const [files, whole, wanted, isBackwards] = of
          const windows = [...timeWindows(files, whole, wanted, isBackwards)]
          expect(windows.at(-1)).toEqual(whole)
          expect(windows.length).toBeLessThan(12)
          windows.forEach((window, i) => {
            if (isBackwards) expect(window.toMicros).toBe(whole.toMicros)
            else expect(window.fromMicros).toBe(whole.fromMicros)
            const before = windows[i - 1] ?? window
            expect(window.fromMicros).toBeLessThanOrEqual(before.fromMicros)
            expect(window.toMicros).toBeGreaterThanOrEqual(before.toMicros)
          })
        },
      ),
      { numRuns: 300 },
    )
  })
})
