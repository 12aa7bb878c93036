import { describe, expect, it } from 'vitest'
import { rowsOf, timestampText, type ColumnBatch } from '../../../../src/contract/columns.ts'
import { TABLES, type TableId } from '../../../../src/contract/tables.ts'
import { deadLetterRows } from '../../../../src/main/ingest/side-rows.ts'
import { append, START_MICROS, tempLake, tradesBatch } from '../../../support/lake.ts'
import { oneRow } from '../../../support/plain-handlers.ts'
import { testReads } from '../../../support/reads.ts'

/** One trade of ours with other cells. */
function oneTrade(n: number, cells: Record<string, string | bigint>): ColumnBatch {
  const { rowCount, columns } = tradesBatch(n, 1)
  const changed = Object.entries(cells).map(([name, cell]) => [
    name,
    typeof cell === 'bigint'
      ? { ...columns[name], values: BigInt64Array.of(cell) }
      : { ...columns[name], values: Uint8Array.of(0), words: [cell] },
  ])
  return { rowCount, columns: { ...columns, ...(Object.fromEntries(changed) as ColumnBatch['columns']) } }
}

const invalid = (message: RegExp) => ({ code: 'INVALID_INPUT', message: expect.stringMatching(message) as string })
const missing = (message: RegExp) => ({
  code: 'SNAPSHOT_NOT_FOUND',
  message: expect.stringMatching(message) as string,
})

describe('an empty lake', () => {
  it('answers with no rows, the columns that were asked for, and no snapshot', async () => {
    const client = await testReads(await tempLake())
    const { data, query, pagination } = await client['quotes.query']({ fields: ['ask_price', 'symbol'], min_price: 1 })
    expect(data.rowCount).toBe(0)
    expect(Object.keys(data.columns)).toEqual(['ask_price', 'symbol'])
    expect(query).toMatchObject({ snapshot_id: null, watermark: null, files: { total: 0, pruned: 0, read: 0 } })
    expect(pagination).toEqual({ limit: 1000, has_more: false, next_cursor: null })
    expect((await client['dates.range']({})).data).toEqual({
      ...{ data_type: 'trades', rows: 0, first: null, last: null, start_date: null, end_date: null },
    })
  })

  it('has no snapshot to be asked about', async () => {
    const client = await testReads(await tempLake())
    await expect(client['trades.list']({ as_of: '2020-01-01' })).rejects.toMatchObject(missing(/none yet/))
    await expect(client['snapshots.query']({ id: '12' })).rejects.toMatchObject(missing(/no snapshot 12/))
  })
})

describe('a lake of one row', () => {
  it('answers with it in every order, and with nothing behind it', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 1))
    const client = await testReads(lake)
    for (const order of ['asc', 'desc', 'sequence'] as const) {
      const { data, pagination } = await client['trades.list']({ order, limit: 1 })
      expect(data.rowCount).toBe(1)
      expect(pagination).toEqual({ limit: 1, has_more: false, next_cursor: null })
    }
    const first = timestampText(START_MICROS)
    expect((await client['dates.range']({ symbol: 'SYM0' })).data).toEqual({
      ...{ data_type: 'trades', rows: 1, first, last: first, start_date: '2014-03-10', end_date: '2014-03-10' },
    })
    expect((await client['dates.range']({ symbol: 'SYM1' })).data.rows).toBe(0)
  })
})

describe('times', () => {
  it('take rows from the start on and none from the end on, in any form of a time', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 3, { perDay: 1 }))
    const client = await testReads(lake)
    const count = async (start_time?: string, end_time?: string) =>
      (await client['trades.list']({ start_time, end_time })).data.rowCount
    expect(await count('2014-03-11', '2014-03-12')).toBe(1)
    expect(await count('2014-03-11T00:00:00.000001Z', '2014-03-12T00:00:00.000001')).toBe(1)
    expect(await count('2014-03-11 11:00+11:00', '2014-03-11T00:00:01Z')).toBe(1)
    expect(await count('2014-03-11', '2014-03-11')).toBe(0)
    expect(await count(undefined, '2999-01-01')).toBe(3)
    expect(await count('2999-01-01')).toBe(0)
    expect(await count('0001-01-01', '9999-12-31')).toBe(3)
    expect(await count('1901-01-01', '1950-01-01')).toBe(0)
  })

  it('are refused where the start is after the end, and where there is no such day', async () => {
    const client = await testReads(await tempLake())
    const turned = { start_time: '2014-03-12', end_time: '2014-03-11' }
    await expect(client['trades.list'](turned)).rejects.toMatchObject(
      invalid(/start_time: 2014-03-12 is after the end, 2014-03-11/),
    )
    await expect(client['trades.list']({ start_time: '2014-02-30' })).rejects.toMatchObject(invalid(/start_time/))
    await expect(client['trades.list']({ start_time: 'yesterday' })).rejects.toMatchObject(invalid(/start_time/))
  })
})

describe('states', () => {
  it('are what was committed by then, by id, tag or time, and nothing later', async () => {
    const lake = await tempLake()
    const first = await append(lake, tradesBatch(0, 10))
    const committedMs = first.table.metadata.snapshots.at(-1)!['timestamp-ms']
    while (Date.now() <= committedMs) await new Promise(resolve => setTimeout(resolve, 1))
    await append(lake, tradesBatch(10, 5))
    const client = await testReads(lake)
    const at = (past: object) =>
      client['trades.list'](past).then(({ data, query }) => [data.rowCount, query.snapshot_id])
    expect((await at({}))[0]).toBe(15)
    expect(await at({ snapshot_id: first.snapshotId })).toEqual([10, first.snapshotId])
    expect(await at({ as_of: timestampText(committedMs * 1000) })).toEqual([10, first.snapshotId])
    expect((await at({ as_of: '2999-01-01' }))[0]).toBe(15)
    await expect(at({ as_of: '2001-01-01' })).rejects.toMatchObject(missing(/or before; the first one kept is \d+/))
    await expect(at({ snapshot_id: '123' })).rejects.toMatchObject(missing(/no snapshot 123; it may have expired/))
    await expect(at({ snapshot_id: 'no-tag' })).rejects.toMatchObject(missing(/no tag or branch no-tag/))
    await expect(at({ snapshot_id: '123', as_of: '2014-01-01' })).rejects.toMatchObject(invalid(/exclude each other/))
  })

  it('of one table mean their moment for every other', async () => {
    const lake = await tempLake()
    await append(lake, oneRow(TABLES.quotes), { table: 'quotes' })
    await new Promise(resolve => setTimeout(resolve, 5))
    const ofTrades = await append(lake, tradesBatch(0, 10))
    await new Promise(resolve => setTimeout(resolve, 5))
    await append(lake, oneRow(TABLES.quotes), { table: 'quotes' })
    const client = await testReads(lake)
    const quotes = await client['snapshots.query']({ id: ofTrades.snapshotId, table: 'quotes' })
    expect(quotes.data.rowCount).toBe(1)
    expect((await client['quotes.list']({ snapshot_id: ofTrades.snapshotId })).data.rowCount).toBe(1)
    expect((await client['quotes.list']({})).data.rowCount).toBe(2)
    await expect(client['snapshots.query']({ id: ofTrades.snapshotId, table: 'reference_data' })).rejects.toMatchObject(
      missing(/none yet/),
    )
  })
})

describe('any table', () => {
  it.each(Object.keys(TABLES) as TableId[])('%s is answered with all of its columns', async table => {
    const lake = await tempLake()
    const { snapshotId } = await append(lake, oneRow(TABLES[table]), { table, specId: 0 })
    const client = await testReads(lake)
    const { data } = await client['snapshots.query']({ id: snapshotId, table, limit: 1 })
    expect(rowsOf(data)).toEqual(rowsOf(oneRow(TABLES[table])))
  })

  it('is walked page by page', async () => {
    const lake = await tempLake()
    const letters = Array.from({ length: 25 }, (_, offset) => ({
      ...{ topic: `t${offset % 2}`, partition: offset % 3, offset, logMicros: START_MICROS, key: null },
      ...{ bytes: Buffer.from(`'${offset}`), reason: 'undecodable', error: 'no message' },
    })) as Parameters<typeof deadLetterRows>[0]
    const { snapshotId } = await append(lake, deadLetterRows(letters), { table: 'dead_letters', specId: 0 })
    const client = await testReads(lake)
    const seen: unknown[] = []
    let cursor: string | undefined
    do {
      const page = await client['snapshots.query']({
        ...{ id: snapshotId, table: 'dead_letters', fields: ['offset'], order: 'asc', limit: 4, cursor },
      })
      seen.push(...rowsOf(page.data).map(row => row.offset))
      cursor = page.pagination!.next_cursor ?? undefined
    } while (cursor !== undefined)
    expect(seen).toHaveLength(25)
    expect(new Set(seen).size).toBe(25)
  })

  it('refuses filters on what it does not have, by name', async () => {
    const client = await testReads(await tempLake())
    const ask = (fields: object) => client['snapshots.query']({ id: 'x', ...fields })
    await expect(ask({ table: 'dead_letters', symbols: ['A'] })).rejects.toMatchObject(invalid(/no column symbol/))
    await expect(ask({ table: 'quotes', sides: ['BUY'] })).rejects.toMatchObject(invalid(/no column side/))
    await expect(ask({ table: 'reference_data', max_price: 1 })).rejects.toMatchObject(invalid(/no prices/))
    await expect(ask({ table: 'dead_letters', order: 'sequence' })).rejects.toMatchObject(invalid(/source_sequence/))
    await expect(ask({ table: 'trades', fields: ['price', 'bid_price'] })).rejects.toMatchObject(
      invalid(/there is no column bid_price. The columns of trades are message_id,/),
    )
  })
})

describe('prices', () => {
  it('are exact to both ends of decimal(18,8)', async () => {
    const [least, most] = [-999_999_999_999_999_999n, 999_999_999_999_999_999n]
    const lake = await tempLake()
    await append(lake, oneTrade(0, { price: most, quantity: 1n }))
    await append(lake, oneTrade(1, { price: least, quantity: most }))
    const client = await testReads(lake)
    const prices = async (bounds: object) =>
      rowsOf((await client['trades.query']({ ...bounds, order: 'asc' })).data).map(({ price }) => price)
    expect(await prices({})).toEqual(['9999999999.99999999', '-9999999999.99999999'])
    expect(await prices({ min_price: '9999999999.99999999' })).toEqual(['9999999999.99999999'])
    expect(await prices({ max_price: '9999999999.99999998' })).toEqual(['-9999999999.99999999'])
    expect(await prices({ min_quantity: '0.00000002' })).toEqual(['-9999999999.99999999'])
    expect(await prices({ min_quantity: 1e-8 })).toHaveLength(2)
  })

  it('are refused beyond them, and where the lower bound is above the upper one', async () => {
    const client = await testReads(await tempLake())
    for (const min_price of ['10000000000', '0.000000001', 'one', 1e10, 1e-9])
      await expect(client['trades.query']({ min_price })).rejects.toMatchObject(invalid(/min_price/))
    await expect(client['trades.query']({ min_price: 2, max_price: '1.5' })).rejects.toMatchObject(invalid(/above/))
  })

  it('of quotes pass where one side has both the price and the quantity', async () => {
    const lake = await tempLake()
    const row = oneRow(TABLES.quotes)
    const sided = (name: string, values: (bigint | null)[]) => {
      const nulls = Uint8Array.from(values, value => Number(value === null))
      row.columns[name] = { type: 'decimal', scale: 8, values: BigInt64Array.from(values, value => value ?? 0n), nulls }
    }
    sided('bid_price', [10_00000000n])
    sided('bid_quantity', [5_00000000n])
    sided('ask_price', [null])
    sided('ask_quantity', [null])
    await append(lake, row, { table: 'quotes' })
    const client = await testReads(lake)
    const count = async (bounds: object) => (await client['quotes.query'](bounds)).data.rowCount
    expect(await count({ min_price: 10, max_price: 10, min_quantity: 5 })).toBe(1)
    expect(await count({ min_price: 10, min_quantity: '5.00000001' })).toBe(0)
    expect(await count({ min_price: '10.00000001' })).toBe(0)
  })
})

describe('symbols', () => {
  const odd = ["O'Neil", '"quoted"', 'x; DROP TABLE trades', 'Ω–测试🙂', 'a%_b', '\\', '..', 'é', 'é']

  it.each(odd)('%s is found as it is, and walked past', async symbol => {
    const lake = await tempLake()
    const others = odd.filter(other => other !== symbol)
    await append(lake, oneTrade(0, { symbol, message_id: `m'${symbol}` }))
    await append(lake, oneTrade(1, { symbol: others[0], message_id: `m'${others[0]}` }))
    const client = await testReads(lake)
    const { data } = await client['trades.list']({ symbol })
    expect(rowsOf(data).map(row => row.symbol)).toEqual([symbol])
    const first = await client['trades.list']({ limit: 1 })
    const second = await client['trades.list']({ limit: 1, cursor: first.pagination!.next_cursor! })
    expect([...rowsOf(first.data), ...rowsOf(second.data)].map(row => row.symbol).sort()).toEqual(
      [symbol, others[0]].sort(),
    )
  })

  it('that nobody has seen are no error', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 5))
    const client = await testReads(lake)
    for (const symbol of odd) {
      const { data, query } = await client['trades.list']({ symbol, exchange: 'NYSE' })
      expect([data.rowCount, query.partial]).toEqual([0, false])
    }
  })

  it('are refused with control characters, too long or too many', async () => {
    const client = await testReads(await tempLake())
    await expect(client['trades.list']({ symbol: 'a\u0000b' })).rejects.toMatchObject(invalid(/symbol/))
    await expect(client['trades.list']({ symbol: 'x'.repeat(65) })).rejects.toMatchObject(invalid(/symbol/))
    const symbols = Array.from({ length: 101 }, (_, i) => `S${i}`)
    await expect(client['trades.query']({ symbols })).rejects.toMatchObject(invalid(/symbols/))
  })
})

it('finds rows whose time disagrees with their sequence, by the order of sequences', async () => {
  const lake = await tempLake()
  const batch = tradesBatch(0, 4)
  batch.columns.source_sequence = {
    type: 'long',
    values: Float64Array.of(3, 1, 2, 0),
    nulls: Uint8Array.of(0, 0, 0, 1),
  }
  await append(lake, batch)
  const client = await testReads(lake)
  const { data } = await client['trades.list']({ order: 'sequence' })
  expect(rowsOf(data).map(row => row.source_sequence)).toEqual(['1', '2', '3', null])
})

it('reads the newest rows of a large table from a part of its files’ time, the same as from all of it', async () => {
  const lake = await tempLake()
  const total = 120_000
  for (let from = 0; from < total; from += 40_000) await append(lake, tradesBatch(from, 40_000, { perDay: total }))
  const client = await testReads(lake)
  const newest = await client['trades.list']({ limit: 50 })
  const expected = Array.from({ length: 50 }, (_, i) => `m-${String(total - 1 - i).padStart(9, '0')}`)
  expect(rowsOf(newest.data).map(row => row.message_id)).toEqual(expected)
  expect(newest.query.files!.pruned).toBeGreaterThan(0)
  const oldest = await client['trades.list']({ limit: 50, order: 'asc', symbol: 'SYM3' })
  expect(rowsOf(oldest.data)[49].message_id).toBe(`m-${String(3 + 49 * 7).padStart(9, '0')}`)
  const rare = await client['trades.query']({ limit: 2_000, symbols: ['SYM0'], max_price: '10.005' })
  const wanted = Array.from({ length: total }, (_, n) => n).filter(n => n % 7 === 0 && n % 977 <= 1)
  expect(rare.data.rowCount).toBe(wanted.length)
})
