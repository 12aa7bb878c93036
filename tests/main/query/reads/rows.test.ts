import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Client } from '../../../../src/contract/capability.ts'
import { rowsOf, timestampText, type Column, type ColumnBatch, type Row } from '../../../../src/contract/columns.ts'
import type { reads } from '../../../../src/contract/reads.ts'
import { trades } from '../../../../src/contract/tables.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { append, DAY_MICROS, readRows, START_MICROS, tempLake, tradesBatch } from '../../../support/lake.ts'
import { testReads } from '../../../support/reads.ts'
import { replayBatch } from '../../../support/replay-rows.ts'

type Reads = Client<typeof reads>
type Query = Parameters<Reads['trades.query']>[0]

/** Rows whose times, sequences and places are alike more often than not, and some of which are not there. */
function tangledTrades(from: number, count: number): ColumnBatch {
  const batch = tradesBatch(from, count, { symbols: 3 })
  const change = (name: string, of: (n: number) => number | null, values: new (n: number) => Column['values']) => {
    const cells = Array.from({ length: count }, (_, i) => of(from + i))
    const nulls = Uint8Array.from(cells, cell => Number(cell === null))
    const column = { ...batch.columns[name], values: new values(count), nulls }
    cells.forEach((cell, i) => (column.values[i] = cell ?? 0))
    batch.columns[name] = column
  }
  change('exchange_timestamp', n => START_MICROS + ((n * 7) % 5) * (DAY_MICROS / 2), Float64Array)
  change('source_sequence', n => (n % 4 === 0 ? null : n % 3), Float64Array)
  change('_partition', n => (n % 5 === 0 ? null : n % 2), Int32Array)
  change('_offset', n => (n % 5 === 0 ? null : n % 7), Float64Array)
  return batch
}

const KEYS = ['exchange_timestamp', 'source_sequence', '_partition', '_offset', 'message_id'] as const

/** The total order, as the product says it. */
function compare(a: Row, b: Row, keys: readonly string[] = KEYS): number {
  for (const key of keys) {
    const [x, y] = [a[key], b[key]]
    if (x === y) continue
    if (x === null) return 1
    if (y === null) return -1
    const isNumber = key !== 'message_id' && key !== 'exchange_timestamp'
    return (isNumber ? Number(x) - Number(y) : Buffer.compare(Buffer.from(x as string), Buffer.from(y as string))) > 0
      ? 1
      : -1
  }
  return 0
}

const ordered = {
  asc: (rows: Row[]) => rows.toSorted((a, b) => compare(a, b)),
  desc: (rows: Row[]) => rows.toSorted((a, b) => compare(b, a)),
  sequence: (rows: Row[]) =>
    rows.toSorted((a, b) => compare(a, b, ['source_sequence', 'exchange_timestamp', ...KEYS.slice(2)])),
}

async function walk(
  client: Reads,
  query: Query,
  between: (page: number) => Promise<unknown> = () => Promise.resolve(),
) {
  const rows: Row[] = []
  let { cursor } = query
  for (let page = 0; page < 1_000; page++) {
    const { data, pagination } = await client['trades.query']({ ...query, cursor })
    rows.push(...rowsOf(data))
    expect(pagination!.has_more).toBe(pagination!.next_cursor !== null)
    if (pagination!.next_cursor == null) return rows
    cursor = pagination!.next_cursor
    await between(page)
  }
  throw new Error('a walk without an end')
}

describe('of a lake with rows that are alike in time, sequence and place', () => {
  let lake: Lake
  let client: Reads
  let all: Row[]
  beforeEach(async () => {
    lake = await tempLake()
    await append(lake, tangledTrades(0, 60))
    await append(lake, tangledTrades(60, 40), { specId: 0 })
    client = await testReads(lake)
    all = await readRows(lake)
  })

  it.each(['asc', 'desc', 'sequence'] as const)('answers in the total order: %s', async order => {
    const { data, query, pagination } = await client['trades.list']({ order })
    expect(rowsOf(data)).toEqual(ordered[order](all))
    expect(pagination).toEqual({ limit: 100, has_more: false, next_cursor: null })
    expect(query).toMatchObject({ engine: 'lake', partial: false, why: null, sources: { lake: { rows: 100 } } })
    expect(query.files!.read).toBe(query.files!.total)
  })

  it('walks pages of any size to what one read gives, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('asc', 'desc', 'sequence'),
        fc.integer({ min: 1, max: 120 }),
        fc.subarray(['SYM0', 'SYM1', 'SYM2']),
        async (order, limit, symbols) => {
          const wanted = all.filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol as string))
          expect(await walk(client, { order, limit, symbols })).toEqual(ordered[order](wanted))
        },
      ),
      { numRuns: 12 },
    )
  })

  it('walks the rows of its first page’s snapshot while others commit, compact and the newest changes', async () => {
    let commits = 0
    const between = async (page: number) => {
      if (page === 4) await compactTable(lake, lake.table('trades'), { minFiles: 2 })
      else if (page % 2 === 0 && commits < 3) await append(lake, tangledTrades(1_000 + 10 * commits++, 10))
    }
    expect(await walk(client, { order: 'desc', limit: 9 }, between)).toEqual(ordered.desc(all))
    expect(commits).toBeGreaterThan(1)
    const { query } = await client['trades.list']({ limit: 1 })
    expect(rowsOf((await client['trades.list']({ limit: 1000 })).data)).toHaveLength(100 + 10 * commits)
    expect(query.snapshot_id).not.toBeNull()
  })

  it('gives the rows that are wanted by every filter at once, with the columns that are wanted', async () => {
    const decimal = (value: unknown) => Number(value)
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          symbols: fc.subarray(['SYM0', 'SYM1', 'SYM2', "it's", 'no–such']),
          exchanges: fc.constantFrom<string[]>([], ['asx'], ['Asx', 'NYSE'], ['NYSE']),
          sides: fc.subarray(['BUY', 'SELL'] as const),
          min_price: fc.option(fc.constantFrom('10', '10.1', 10.25), { nil: undefined }),
          max_price: fc.option(fc.constantFrom('10.4', 10.3, '10.3'), { nil: undefined }),
          min_quantity: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
          from: fc.integer({ min: 0, max: 5 }),
          to: fc.integer({ min: 0, max: 6 }),
          fields: fc.shuffledSubarray(trades.columns.map(({ name }) => name)),
          limit: fc.integer({ min: 1, max: 110 }),
          offset: fc.integer({ min: 0, max: 30 }),
        }),
        async ({ from, to, ...rest }) => {
          const [start, end] = [from, Math.max(from, to)].map(n => timestampText(START_MICROS + (n * DAY_MICROS) / 2))
          const { data, pagination } = await client['trades.query']({ ...rest, start_time: start, end_time: end })
          const passing = ordered
            .desc(all)
            .filter(
              row =>
                (rest.symbols.length === 0 || rest.symbols.includes(row.symbol as string)) &&
                (rest.exchanges.length === 0 || rest.exchanges.some(name => name.toUpperCase() === row.exchange)) &&
                (rest.sides.length === 0 || rest.sides.includes(row.side as 'BUY')) &&
                (rest.min_price === undefined || decimal(row.price) >= decimal(rest.min_price)) &&
                (rest.max_price === undefined || decimal(row.price) <= decimal(rest.max_price)) &&
                (rest.min_quantity === undefined || decimal(row.quantity) >= rest.min_quantity) &&
                (row.exchange_timestamp as string) >= start &&
                (row.exchange_timestamp as string) < end,
            )
          const wanted = passing.slice(rest.offset, rest.offset + rest.limit)
          const names = rest.fields.length > 0 ? rest.fields : trades.columns.map(({ name }) => name)
          expect(Object.keys(data.columns)).toEqual(names)
          expect(rowsOf(data)).toEqual(wanted.map(row => Object.fromEntries(names.map(name => [name, row[name]]))))
          expect(pagination!.has_more).toBe(passing.length > rest.offset + rest.limit)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('goes on after an offset, and refuses an offset beside a cursor', async () => {
    const first = await client['trades.query']({ limit: 5, offset: 10 })
    const cursor = first.pagination!.next_cursor!
    expect(rowsOf((await client['trades.query']({ limit: 5, cursor })).data)).toEqual(ordered.desc(all).slice(15, 20))
    await expect(client['trades.query']({ limit: 5, cursor, offset: 1 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('exclude each other') as string,
    })
  })

  it('keeps a cursor good for a client that comes back after a restart', async () => {
    const { pagination } = await client['trades.list']({ limit: 10, symbol: 'SYM1' })
    const again = await testReads(lake)
    const cursor = pagination!.next_cursor!
    const { data } = await again['trades.list']({ limit: 5, symbol: 'SYM1', cursor })
    const wanted = ordered.desc(all).filter(({ symbol }) => symbol === 'SYM1')
    expect(rowsOf(data)).toEqual(wanted.slice(10, 15))
  })

  it('refuses a cursor that was changed, made elsewhere or given with another query', async () => {
    const cursor = (await client['trades.list']({ limit: 10 })).pagination!.next_cursor!
    const refused = { code: 'INVALID_INPUT', message: expect.stringMatching(/^cursor: none of this query/) as string }
    const [place, mac] = cursor.split('.')
    const forged = JSON.parse(Buffer.from(place, 'base64url').toString()) as { passed: number }
    const changed = Buffer.from(JSON.stringify({ ...forged, passed: 7 })).toString('base64url')
    for (const text of [`${changed}.${mac}`, `${place}.${mac.slice(0, -2)}`, `${place}.AAAA`, 'a.b'])
      await expect(client['trades.list']({ cursor: text })).rejects.toMatchObject(refused)
    for (const other of [
      { symbol: 'SYM1' },
      { order: 'asc' as const },
      { end_time: '2014-03-11' },
      { as_of: '2100-01-01' },
    ])
      await expect(client['trades.list']({ ...other, cursor })).rejects.toMatchObject(refused)
    await expect(client['quotes.list']({ cursor })).rejects.toMatchObject(refused)
    const elsewhere = await testReads(lake, { cursorKey: Buffer.alloc(32, 8) })
    await expect(elsewhere['trades.list']({ cursor })).rejects.toMatchObject(refused)
    expect((await client['trades.list']({ limit: 3, cursor })).data.rowCount).toBe(3)
  })

  it('says that the snapshot a cursor goes on in has expired', async () => {
    const cursor = (await client['trades.list']({ limit: 10 })).pagination!.next_cursor!
    await append(lake, tangledTrades(500, 10))
    await expireSnapshots(lake.table('trades'), { retention: { keep: [], most: 1 } })
    await expect(client['trades.list']({ cursor })).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
      message: expect.stringMatching(/that the cursor goes on in has expired. Begin again without a cursor/) as string,
    })
  })

  it('keeps an answer for who asks the same again, and only for that snapshot', async () => {
    const looks: boolean[] = []
    const counted = await testReads(lake, { onLook: ({ hits }) => looks.push(hits === 1) })
    const first = await counted['trades.list']({ symbol: 'SYM1', exchange: 'asx' })
    const again = await counted['trades.query']({ symbols: ['SYM1'], exchanges: ['ASX'], limit: 100 })
    expect(rowsOf(again.data)).toEqual(rowsOf(first.data))
    expect(looks).toEqual([false, true])
    await append(lake, tangledTrades(600, 10))
    expect((await counted['trades.list']({ symbol: 'SYM1', exchange: 'asx' })).data.rowCount).toBe(
      first.data.rowCount + 3,
    )
    expect(looks).toEqual([false, true, false])
  })
})

describe('of a lake with rows from files that are alike in the whole order and differ in price', () => {
  /** So many rows at each of some moments, in no order of their prices. */
  async function lakeOfTies(counts: readonly number[]) {
    const lake = await tempLake()
    const rows = counts.flatMap((count, moment) =>
      Array.from({ length: count }, (_, i) => ({
        ...{ id: `M${moment}`, micros: START_MICROS + moment * 1_000 },
        price: 1 + ((i * 37) % count) + 1_000 * moment,
      })),
    )
    await append(lake, replayBatch('trades', rows))
    return { client: await testReads(lake), count: rows.length, prices: rows.map(({ price }) => price) }
  }
  const pricesOf = (rows: readonly Row[]) => rows.map(({ price }) => Number(price))
  const ascending = (prices: readonly number[]) => prices.toSorted((a, b) => a - b)

  it.each(['asc', 'desc', 'sequence'] as const)('gives each of them once on pages of any size: %s', async order => {
    const { client, prices } = await lakeOfTies([60])
    for (const limit of [1, 6, 7, 25, 59, 60])
      expect(ascending(pricesOf(await walk(client, { order, limit })))).toEqual(ascending(prices))
  })

  it('gives them in one order, however the pages are cut and from whatever offset on', async () => {
    const { client, count } = await lakeOfTies([1, 2, 40, 1, 1, 17, 3])
    for (const order of ['asc', 'desc', 'sequence'] as const) {
      const whole = pricesOf(await walk(client, { order, limit: 1_000, fields: ['price'] }))
      expect(new Set(whole).size).toBe(count)
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 50 }), async (limit, offset) => {
          const { data, pagination } = await client['trades.query']({ order, limit, offset, fields: ['price'] })
          expect(pricesOf(rowsOf(data))).toEqual(whole.slice(offset, offset + limit))
          const cursor = pagination!.next_cursor
          if (cursor == null) return
          const rest = await walk(client, { order, limit: limit + 1, fields: ['price'], cursor })
          expect(pricesOf(rest)).toEqual(whole.slice(offset + limit))
        }),
        { numRuns: 6, examples: [[6, 5]] },
      )
    }
  })
})
