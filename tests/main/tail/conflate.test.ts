// Under load followers get the newest row of the symbols that matter least, and are told how many were left out.
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import type { LoadLevel } from '../../../src/main/tail/conflate.ts'
import type { FollowBatch, FollowQuery } from '../../../src/main/tail/follow.ts'
import { createTail, type Tail, type TailOptions } from '../../../src/main/tail/tail.ts'
import { logBatch } from '../../support/market-messages.ts'
import { idsOf, manualClock, openTail, START } from '../../support/tail.ts'

const tiers = { by: 'list', tiers: [['BHP'], ['RIO']] } as const

function appender(tail: Tail) {
  let id = 0
  return (symbols: readonly string[]) => {
    const rows = symbols.map((symbol, i) => ({ symbol, id: id + i, micros: START + id + i }))
    tail.append(logBatch('trades', rows, { offset: id }))
    id += symbols.length
  }
}

function loaded(level: LoadLevel, options: Partial<TailOptions> = {}) {
  const shed: [number, number][] = []
  const onShed = (tier: number, rows: number) => void shed.push([tier, rows])
  const tail = openTail({ clock: manualClock(), level: () => level, tiers, onShed, ...options })
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const next = async (query: FollowQuery = { backlog: 10_000 }) => {
    for await (const batch of tail.follow(query, abort.signal)) return batch
    throw new Error('The follower ended.')
  }
  return { tail, append: appender(tail), next, shed }
}

describe('a follower under load', () => {
  const symbols = ['BHP', 'RIO', 'CBA', 'BHP', 'RIO', 'CBA', 'CBA']

  it.each([
    { level: 0, ids: [0, 1, 2, 3, 4, 5, 6], conflated: undefined },
    { level: 1, ids: [0, 1, 3, 4, 6], conflated: 2 },
    { level: 2, ids: [0, 3, 4, 6], conflated: 3 },
    { level: 3, ids: [3, 4, 6], conflated: 4 },
    { level: 4, ids: [3, 4, 6], conflated: 4 },
  ] as const)('at level $level gets the rows $ids', async ({ level, ids, conflated }) => {
    const { append, next, shed } = loaded(level)
    append(symbols)
    const batch = await next()
    expect(idsOf(batch.rows)).toEqual(ids)
    expect(batch.conflated).toBe(conflated)
    expect(batch.missed).toBe(0)
    expect(shed.reduce((sum, [, rows]) => sum + rows, 0)).toBe(conflated ?? 0)
  })

  it('costs the least important symbols first, and it is told which', async () => {
    const { append, next, shed } = loaded(2)
    append(['RIO', 'RIO', 'CBA', 'CBA', 'CBA'])
    await next()
    const byTier = [1, 2].map(tier => shed.filter(([one]) => one === tier).reduce((sum, [, rows]) => sum + rows, 0))
    expect(byTier).toEqual([1, 2])
  })

  it('that asks for every row gets every row', async () => {
    const { append, next, shed } = loaded(4)
    append(symbols)
    const batch = await next({ backlog: 10_000, conflate: 'never' })
    expect(batch.rows.rowCount).toBe(7)
    expect(shed).toEqual([])
  })

  it('takes far more at once than a batch has rows, as most of it falls together', async () => {
    const { tail, append, next } = loaded(3)
    for (let k = 0; k < 30; k++) append(Array.from({ length: 1000 }, (_, i) => `S${i % 50}`))
    const batch = await next({ backlog: 10_000 })
    expect(batch).toMatchObject({ conflated: 9950, rows: { rowCount: 50 } })
    expect(tail.counts().held).toBe(30_000)
    expect(rowsOf(batch.rows).every(row => Number(row.trade_id) >= 29_950)).toBe(true)
  })

  it('of any stream at any levels has the newest row of each symbol, and every row or its number', async () => {
    const level = fc.constantFrom<LoadLevel[]>(0, 1, 2, 3, 4)
    const step = fc.tuple(level, fc.array(fc.constantFrom('BHP', 'RIO', 'CBA', 'WES'), { minLength: 1, maxLength: 40 }))
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async steps => {
        let now: LoadLevel = 0
        const tail = createTail({
          ...{ dataType: 'trades', minutes: 5, maxPerSymbol: 10, maxMegabytes: 4 },
          ...{ clock: manualClock(), level: () => now, tiers },
        })
        const append = appender(tail)
        const abort = new AbortController()
        const batches = tail.follow({}, abort.signal)[Symbol.asyncIterator]()
        let sent = 0
        for (const [wanted, symbols] of steps) {
          now = wanted
          append(symbols)
          const { rows, conflated = 0, missed } = (await batches.next()).value as FollowBatch
          expect([rows.rowCount + conflated, missed]).toEqual([symbols.length, 0])
          const ids = idsOf(rows)
          expect(ids).toEqual([...ids].sort((a, b) => a - b))
          for (const symbol of symbols) expect(ids).toContain(sent + symbols.lastIndexOf(symbol))
          sent += symbols.length
        }
        abort.abort()
        tail.close()
      }),
      { numRuns: 100 },
    )
  })
})
