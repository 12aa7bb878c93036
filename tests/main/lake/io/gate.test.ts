import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../../../src/main/lake/io/gate.ts'
import { failureOf } from '../../../support/file-contract.ts'

describe('a gate', () => {
  it('lets all through, in order, never more at once than it may, whatever fails on the way', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(3), { maxLength: 30 }),
      async (limit, turns) => {
        const gate = createGate(limit)
        const started: number[] = []
        let inside = 0
        const ends = await Promise.allSettled(
          turns.map((ticks, i) =>
            gate(async () => {
              started.push(i)
              expect(++inside).toBeLessThanOrEqual(limit)
              for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
              inside--
              if (ticks === 3) throw new Error('failed inside')
              return i
            }),
          ),
        )
        expect(started).toEqual(turns.map((_, i) => i))
        expect(ends.map(end => (end.status === 'fulfilled' ? end.value : (end.reason as unknown)))).toEqual(
          turns.map((ticks, i) => (ticks === 3 ? new Error('failed inside') : i)),
        )
      },
    )
    await fc.assert(property)
  })

  it('lets one that waits leave, and gives its place to the next', async () => {
    const gate = createGate(1)
    const leaving = new AbortController()
    let finish = () => {}
    const inside = gate(() => new Promise<void>(resolve => (finish = resolve)))
    const waiting = failureOf(gate(async () => 'never', leaving.signal))
    const last = gate(async () => 'last')
    leaving.abort()
    expect((await waiting).code).toBe('CANCELLED')
    finish()
    await inside
    expect(await last).toBe('last')
    expect((await failureOf(gate(async () => 'never', leaving.signal))).code).toBe('CANCELLED')
  })
})
