import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { timestampText } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { referenceData } from '../../../../src/contract/tables.ts'
import { symbolHandlers } from '../../../../src/main/query/reads/list-symbols.ts'
import { tailContract } from '../../../../src/main/tail/relay-contract.ts'
import { relayTailHandlers } from '../../../../src/main/tail/relay-handlers.ts'
import { createTail } from '../../../../src/main/tail/tail.ts'
import { connectDirect } from '../../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { openHybridPlace, type HybridPlace } from '../../../support/hybrid-place.ts'
import { append } from '../../../support/lake.ts'
import { oneRow } from '../../../support/plain-handlers.ts'

/** Trades in the log, in the table and in memory as far as a test says; no quotes anywhere. */
async function openPlace() {
  const place = await openHybridPlace()
  const quotes = createTail({ dataType: 'quotes', minutes: 2, maxPerSymbol: 100, maxMegabytes: 1 })
  onTestFinished(() => quotes.close())
  place.live.ask = () => {
    const tails = { trades: place.tail(), quotes }
    const dispatch = createDispatch(
      tailContract,
      relayTailHandlers({ tails, isRunning: () => true, caughtUp: () => Promise.resolve(true) }),
    )
    return Promise.resolve(connectDirect(tailContract, dispatch))
  }
  const handlers = symbolHandlers(place.tools, () => () => ({ past: {} }))
  const context = { signal: new AbortController().signal, correlationId: 'a test', door: 'direct' as const }
  return { place, list: (exchange?: string) => Promise.resolve(handlers['symbols.list']({ exchange }, context)) }
}

function write(place: HybridPlace, partition: number, symbols: readonly string[]): void {
  const rows = symbols.map(symbol => ({ id: `${Math.random()}`, symbol, sequence: null, micros: place.clock.micros++ }))
  place.write(partition, rows)
}

/** By the model alone: what either has of the log. */
function expected({ log, read, committed }: HybridPlace) {
  const seen = new Map<string, { first: number; last: number; trades: number }>()
  log.forEach((rows, partition) => {
    for (const { symbol, micros } of rows.slice(0, Math.max(read[partition], committed[partition]))) {
      const one = seen.get(symbol) ?? { first: Infinity, last: -Infinity, trades: 0 }
      const [first, last] = [Math.min(one.first, micros), Math.max(one.last, micros)]
      seen.set(symbol, { first, last, trades: one.trades + 1 })
    }
  })
  return [...seen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, { first, last, trades }]) => ({
      ...{ symbol, exchange: 'ASX', asset_class: 'equities', trades, quotes: 0, company_name: null },
      ...{ first_seen: timestampText(first), last_seen: timestampText(last) },
    }))
}

const share = fc.constantFrom(0, 0.5, 1)
const step = fc.oneof(
  fc.record({
    do: fc.constant('write' as const),
    partition: fc.nat(1),
    symbols: fc.array(fc.constantFrom('BHP', 'RIO', 'CBA'), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ do: fc.constant('read' as const), shares: fc.tuple(share, share) }),
  fc.record({ do: fc.constant('commit' as const), shares: fc.tuple(share, share) }),
  fc.record({ do: fc.constant('compact' as const) }),
  fc.record({ do: fc.constant('ask' as const) }),
)

it('counts every row of the log once that is in the tables or in memory, at every moment of any schedule', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 20 }), async steps => {
      const { place, list } = await openPlace()
      const upTo = (from: readonly number[], shares: readonly number[]) =>
        place.log.map((rows, i) => from[i] + Math.floor((rows.length - from[i]) * shares[i]))
      for (const one of [...steps, { do: 'ask' as const }]) {
        if (one.do === 'write') write(place, one.partition, one.symbols)
        else if (one.do === 'read') place.readTo(upTo(place.read, one.shares))
        else if (one.do === 'compact') await place.compact()
        else if (one.do === 'commit') {
          const next = upTo(place.committed, one.shares)
          if (next.some((end, i) => end > place.committed[i])) await place.commitTo(next)
        } else {
          const { data, query } = await list()
          expect(data).toEqual(expected(place))
          expect(query).toMatchObject({ engine: 'hybrid', partial: false, why: null })
        }
      }
    }),
    { numRuns: 12 },
  )
})

describe('the list of instruments', () => {
  it('reads only the files that came since it was asked before', async () => {
    const { place, list } = await openPlace()
    const opened: number[] = []
    const open = place.tools.reads.open.bind(place.tools.reads)
    place.tools.reads.open = async (...of) => {
      const rows = await open(...of)
      if (of[0].table === 'trades') opened.push(rows.files.read)
      return rows
    }
    for (let commits = 0; commits < 3; commits++) {
      write(place, 0, ['BHP', 'RIO'])
      await place.commitTo([place.log[0].length, 0])
      await list()
      await list()
    }
    expect(opened).toEqual([1, 1, 1])
    await place.compact()
    expect((await list()).data.map(({ trades }) => trades)).toEqual([3, 3])
    expect(opened).toEqual([1, 1, 1, 2]) // one a bucket
  })

  it('has the names of companies as the reference data has them now', async () => {
    const { place, list } = await openPlace()
    write(place, 0, ['BHP', 'RIO'])
    await place.commitTo([2, 0])
    const company = async (offset: number, cells: Record<string, string>, isActive = 1) => {
      const { rowCount, columns } = oneRow(referenceData)
      const texts = { exchange: 'ASX', symbol: 'BHP', company_id: '7', company_name: 'BHP', ...cells }
      for (const [name, text] of Object.entries(texts)) columns[name] = { ...columns[name], words: [text] }
      columns._offset = { type: 'long', values: Float64Array.of(offset) }
      columns.is_active = { type: 'boolean', values: Uint8Array.of(isActive) }
      await append(place.lake, { rowCount, columns }, { table: 'reference_data', specId: 0 })
    }
    const name = async () => (await list('asx')).data.map(row => row.company_name)
    await company(5, { company_name: 'BHP Group' })
    expect(await name()).toEqual(['BHP Group', null])
    await company(3, { company_name: 'An older name' })
    expect(await name()).toEqual(['BHP Group', null])
    await company(9, { company_id: '8', company_name: 'Gone' }, 0)
    expect(await name()).toEqual(['BHP Group', null])
    await company(10, { symbol: 'RIO', company_name: 'Renamed' })
    expect(await name()).toEqual(['Gone', 'Renamed'])
    expect((await list('NYSE')).data).toEqual([])
  })

  it('says what is missing where one of the two is away, and fails where both are', async () => {
    const { place, list } = await openPlace()
    write(place, 0, ['BHP', 'RIO'])
    await place.commitTo([1, 0])
    place.readTo()
    const { live, tools } = place
    const ask = live.ask
    live.ask = () => Promise.reject(new Failure('UNAVAILABLE', 'The live view is being started.'))
    const alone = await list()
    expect(alone.data.map(({ symbol }) => symbol)).toEqual(['BHP'])
    expect(alone.query).toMatchObject({
      partial: true,
      why: expect.stringMatching(/^Of trades only what is in the table is counted: The live view is being/) as string,
    })
    const away = () => Promise.reject(new Failure('UNAVAILABLE', 'The catalog does not answer.'))
    tools.reads.head = away
    await expect(list()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'The catalog does not answer.' })
    live.ask = ask
    const inMemory = await list()
    expect(inMemory.data.map(({ symbol }) => symbol)).toEqual(['BHP', 'RIO'])
    expect(inMemory.query.why).toMatch(/^The table trades cannot be read, only what is held in memory: The catalog/)
  })

  it('counts the table alone where another engine wrote rows that may be of the log', async () => {
    const { place, list } = await openPlace()
    write(place, 0, ['BHP'])
    await place.commitTo([1, 0])
    write(place, 0, ['BHP'])
    place.readTo()
    const { reads } = place.tools
    const head = reads.head.bind(reads)
    reads.head = async (...of) => ({ ...(await head(...of)), isCertain: of[0] === 'quotes' })
    const { data, query } = await list()
    expect(data.map(({ trades }) => trades)).toEqual([1])
    expect(query.why).toMatch(/^Of trades only what is in the table is counted: Another engine has written to trades/)
  })
})
