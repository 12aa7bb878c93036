import fc from 'fast-check'
import { expect, it } from 'vitest'
import { barsContract } from '../../../../src/contract/bars.ts'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import type { TableId } from '../../../../src/contract/tables.ts'
import { createBlocks } from '../../../../src/main/query/blocks/blocks.ts'
import { barsHandlers } from '../../../../src/main/query/bars/handlers.ts'
import { openHybridPlace, type HybridPlace } from '../../../support/hybrid-place.ts'
import { noSession } from '../../../support/query.ts'

async function openBars() {
  const place = await openHybridPlace()
  const handlers = barsHandlers(place.tools, createBlocks({ ...place.tools, maxBytes: 64e6 }), noSession)
  const signal = new AbortController().signal
  const ask = async (live?: boolean, door: 'http' | 'cli' = 'http') => {
    const input = barsContract['bars.list'].input.parse({ symbol: 'BHP', live })
    return handlers['bars.list'](input, { signal, correlationId: 'test', door })
  }
  const bars = async (live: boolean) => rowsOf((await ask(live)).data)
  return { place, ask, bars }
}

function write({ write: to, clock }: HybridPlace, partition: number, ids: readonly number[]) {
  to(
    partition,
    ids.map(id => ({
      id: String(id),
      symbol: id % 4 === 0 ? 'RIO' : 'BHP',
      sequence: id % 3 === 0 ? null : id % 5,
      micros: clock.micros - (id % 7) * 20e6,
      price: BigInt(id) * 100_000_001n,
      logMicros: clock.micros,
    })),
  )
}

it('has a bar of what is live that is the same to the last digit once it is committed', async () => {
  const { place, ask, bars } = await openBars()
  write(place, 0, [1, 2, 3, 5, 6])
  place.readTo()
  const before = await bars(true)
  expect(before.reduce((sum, bar) => sum + Number(bar.trade_count), 0)).toBe(5)
  expect(await bars(false)).toEqual([])
  await place.commitTo([5, 0])
  expect(await bars(false)).toEqual(before)
  expect(await bars(true)).toEqual(before)
  expect((await ask()).query).toMatchObject({ engine: 'hybrid', partial: false, told_by: 'offsets' })
  expect((await ask(undefined, 'cli')).query).toMatchObject({ engine: 'lake' })
})

it('has the bars of the tables, and says why they may lack something, when the live view is away', async () => {
  const { place, ask } = await openBars()
  write(place, 0, [1, 2])
  place.readTo()
  await place.commitTo([2, 0])
  place.live.ask = () => Promise.reject(new Failure('UNAVAILABLE', 'It is being started.'))
  const { data, query } = await ask(true)
  expect(data.rowCount).toBeGreaterThan(0)
  expect(query).toMatchObject({ partial: true, why: expect.stringContaining('It is being started.') as string })
})

it('counts no trade twice where offsets cannot tell what is in the table', async () => {
  const { place, bars } = await openBars()
  write(place, 0, [1, 2, 3])
  write(place, 1, [5, 6])
  place.readTo()
  await place.commitTo([2, 1])
  const live = await bars(true)
  const reads = place.tools.reads
  place.tools.reads = {
    ...reads,
    head: async table => ({ ...(await reads.head(table)), knownOffsets: [], isCertain: false }),
  }
  const blocks = createBlocks({ ...place.tools, maxBytes: 64e6 })
  const input = barsContract['bars.list'].input.parse({ symbol: 'BHP', live: true })
  const context = { signal: new AbortController().signal, correlationId: 'test', door: 'http' } as const
  const { data, query } = await barsHandlers(place.tools, blocks, noSession)['bars.list'](input, context)
  expect(rowsOf(data)).toEqual(live)
  expect(query.told_by).toBe('place')
})

it('has live bars that equal those of everything committed, for any schedule', { timeout: 120_000 }, async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), partition: fc.nat(1), count: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ do: fc.constant('commit' as const), partition: fc.nat(1), count: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ do: fc.constant('compact' as const), partition: fc.nat(1), count: fc.constant(0) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async steps => {
      const { place, bars } = await openBars()
      let id = 0
      for (const one of steps) {
        if (one.do === 'write')
          write(
            place,
            one.partition,
            Array.from({ length: one.count }, () => ++id),
          )
        if (one.do === 'compact' && place.committed.some(next => next > 0)) await place.compact()
        if (one.do === 'commit') {
          const next = place.committed.map((from, i) =>
            i === one.partition ? Math.min(place.log[i].length, from + one.count) : from,
          )
          if (next.some((end, i) => end > place.committed[i])) await place.commitTo(next)
        }
        place.clock.micros += 7e6
      }
      place.readTo()
      const live = await bars(true)
      const all = place.log.map(rows => rows.length)
      if (all.some((end, i) => end > place.committed[i])) await place.commitTo(all)
      expect(await bars(false)).toEqual(live)
      const trades = place.log.flat().filter(row => row.symbol === 'BHP').length
      expect(live.reduce((sum, bar) => sum + Number(bar.trade_count), 0)).toBe(trades)
    }),
    { numRuns: 15 },
  )
})

it('counts a correction, which has the id of what it corrects', async () => {
  const { place, bars } = await openBars()
  write(place, 0, [1, 2])
  place.readTo()
  await place.commitTo([2, 0])
  const reads = place.tools.reads
  const uncertain = { ...reads, head: async (table: TableId) => ({ ...(await reads.head(table)), isCertain: false }) }
  write(place, 0, [2])
  place.readTo()
  const blocks = createBlocks({ ...place.tools, maxBytes: 64e6 })
  const input = barsContract['bars.list'].input.parse({ symbol: 'BHP', live: true })
  const context = { signal: new AbortController().signal, correlationId: 'test', door: 'http' } as const
  const handlers = barsHandlers({ ...place.tools, reads: uncertain }, blocks, noSession)
  const { data } = await handlers['bars.list'](input, context)
  const live = rowsOf(data)
  expect(live.reduce((sum, bar) => sum + Number(bar.trade_count), 0)).toBe(3)
  await place.commitTo([3, 0])
  expect(await bars(false)).toEqual(live)
})
