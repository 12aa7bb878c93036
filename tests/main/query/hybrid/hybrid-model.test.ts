// The law of hybrid answers: whatever the log, the tables and the live view do, an answer is the log's own prefix.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IMPORT_KEY } from '../../../../src/main/lake/load/import-marks.ts'
import {
  columnsOf,
  expectedIds,
  idsIn,
  openHybridPlace,
  withoutPlace,
  type HybridPlace,
} from '../../../support/hybrid-place.ts'
import { append } from '../../../support/lake.ts'
import type { SampleRow } from '../../../support/market-messages.ts'
import { MINUTE } from '../../../support/tail.ts'

const partition = fc.integer({ min: 0, max: 1 })
const share = fc.constantFrom(0, 0.3, 0.7, 1)
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      partition,
      count: fc.integer({ min: 1, max: 6 }),
      late: fc.nat(20),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), shares: fc.tuple(share, share) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const), shares: fc.tuple(share, share) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('load' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 30, 130, 600) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), shares: fc.tuple(share, share) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('ask' as const), limit: fc.constantFrom(1, 5, 1000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

it(
  'equals the log up to what is committed and read, at every moment of any schedule',
  { timeout: 240_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async steps => {
        const model: Model = { ...(await openHybridPlace()), loaded: [] }
        let id = 0
        for (const one of steps) await take(model, one, () => String(++id))
        await check(model, 1000)
      }),
      { numRuns: 25 },
    )
  },
)

/** With the rows of files, which no log has. */
type Model = HybridPlace & { loaded: SampleRow[] }

async function take(place: Model, one: Step, nextId: () => string): Promise<void> {
  const { log, read, committed, clock } = place
  const between = (from: number, partition: number, share: number) =>
    from + Math.floor((log[partition].length - from) * share)
  switch (one.do) {
    case 'write': {
      const rows = Array.from({ length: one.count }, (_, i): SampleRow => {
        const rowId = nextId()
        const sequence = Number(rowId) % 3 === 0 ? null : Number(rowId) % 5
        const symbol = Number(rowId) % 4 === 0 ? 'RIO' : 'BHP'
        return { id: rowId, symbol, sequence, micros: clock.micros - (i % 2) * one.late * 1e6, logMicros: clock.micros }
      })
      return place.write(one.partition, rows)
    }
    case 'read':
      return place.readTo(one.shares.map((share, i) => between(read[i], i, share)))
    case 'commit': {
      const next = one.shares.map((share, i) => between(committed[i], i, share))
      if (next.some((end, i) => end > committed[i])) await place.commitTo(next)
      return
    }
    case 'load': {
      const rows = Array.from({ length: one.count }, (): SampleRow => {
        const rowId = nextId()
        return { id: rowId, symbol: 'BHP', micros: clock.micros - Number(rowId) }
      })
      place.loaded.push(...rows)
      const batch = columnsOf('trades', { topic: 'file', partition: 0, offset: 0 }, rows)
      return void (await append(place.lake, withoutPlace(batch), { specId: 0, summary: { [IMPORT_KEY]: 'a.csv' } }))
    }
    case 'compact':
      return place.compact()
    case 'wait':
      clock.micros += one.seconds * 1e6
      return place.tail().trim()
    case 'restart':
      // Where the tables end or later, as when the memory does not hold all that is not in them.
      return place.restartTail(one.shares.map((share, i) => between(committed[i], i, share === 1 ? 1 : 0)))
    case 'ask':
      return check(place, one.limit)
  }
}

async function check(place: Model, limit: number): Promise<void> {
  const { log, read, committed, clock } = place
  const { data, query } = await place.ask({ limit })
  const whole = place.tail().wholeFrom()[0]?.next ?? {}
  const isIn = (partition: number, offset: number) =>
    partition === log.length ||
    offset < committed[partition] ||
    (offset < read[partition] && offset >= (whole[partition] ?? 0))
  const isMissing = read.some((end, i) => Math.min(whole[i] ?? 0, end) > committed[i])
  const expected = expectedIds([...log, place.loaded], isIn, { sinceMicros: clock.micros - 15 * MINUTE, limit })
  expect({ ids: idsIn(data), partial: query.partial }).toEqual({ ids: expected, partial: isMissing })
  expect(query.why === null).toBe(!isMissing)
}
