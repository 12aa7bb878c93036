import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { validThrough } from '../../../src/main/ingest/valid-through.ts'

describe('up to when the table has everything', () => {
  it('is the time of the last record of the partition that is furthest behind', () => {
    const partitions = [
      { lastMicros: 50, isAtEnd: false },
      { lastMicros: 20, isAtEnd: false },
    ]
    expect(validThrough(partitions)).toBe(20)
  })

  it('is not held back by a partition in which nothing more came', () => {
    const partitions = [
      { lastMicros: 50, isAtEnd: false },
      { lastMicros: 20, isAtEnd: true },
      { lastMicros: undefined, isAtEnd: true },
    ]
    expect(validThrough(partitions)).toBe(50)
  })

  it('is the newest record when all is read', () => {
    const partitions = [50, 20, undefined].map(lastMicros => ({ lastMicros, isAtEnd: true }))
    expect(validThrough(partitions)).toBe(50)
  })

  it('is not known while a partition has records of which none is in the table', () => {
    const partitions = [
      { lastMicros: 50, isAtEnd: true },
      { lastMicros: undefined, isAtEnd: false },
    ]
    expect(validThrough(partitions)).toBeUndefined()
    expect(validThrough([])).toBeUndefined()
  })

  it('is never beyond a record that is not in the table, and never beyond the newest that is', () => {
    const partition = fc
      .record({ steps: fc.array(fc.nat(10), { maxLength: 12 }), committed: fc.nat(12) })
      .map(({ steps, committed }) => {
        let time = 100
        const times = steps.map(step => (time += step))
        return { times, committed: Math.min(committed, times.length) }
      })
    fc.assert(
      fc.property(fc.array(partition, { maxLength: 5 }), log => {
        const through = validThrough(
          log.map(({ times, committed }) => ({
            lastMicros: committed > 0 ? times[committed - 1] : undefined,
            isAtEnd: committed === times.length,
          })),
        )
        const inTable = log.flatMap(({ times, committed }) => times.slice(0, committed))
        const missing = log.flatMap(({ times, committed }) => times.slice(committed))
        if (through === undefined) {
          expect(log.some(({ times, committed }) => committed === 0 && times.length > 0) || inTable.length === 0).toBe(
            true,
          )
          return
        }
        for (const time of missing) expect(through).toBeLessThanOrEqual(time)
        expect(inTable).toContain(through)
      }),
    )
  })
})
