// A replay page by page: the cursor goes on exactly behind the page, in the snapshot that the first page was of.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../../src/contract/capability.ts'
import { rowsOf, timestampText, type Row } from '../../../src/contract/columns.ts'
import type { replay } from '../../../src/contract/replay.ts'
import { append, START_MICROS, tempLake, tradesBatch } from '../../support/lake.ts'
import { replayBatch } from '../../support/replay-rows.ts'
import { testReplay } from '../../support/replay.ts'

type ReplayClient = Client<typeof replay>
type Question = Parameters<ReplayClient['replay.read']>[0]

async function walk(client: ReplayClient, question: Question, sizes: readonly number[]): Promise<Row[]> {
  const rows: Row[] = []
  let cursor: string | undefined
  for (let page = 0; ; page++) {
    const { data, pagination } = await client['replay.read']({
      ...question,
      batch_size: sizes[page % sizes.length],
      cursor,
    })
    rows.push(...rowsOf(data))
    expect(pagination!.has_more).toBe(pagination!.next_cursor !== null)
    if (!pagination!.has_more) return rows
    expect(data.rowCount).toBe(sizes[page % sizes.length])
    cursor = pagination!.next_cursor!
  }
}

const idsOf = (rows: readonly Row[]) => rows.map(row => row.message_id)

describe('pages of a replay', () => {
  it('walk through the rows of one snapshot, whatever is committed meanwhile', { timeout: 60_000 }, async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 300, { perDay: 40 }))
    const client = await testReplay(lake)
    const { data } = await client['replay.read']({ batch_size: 10_000 })
    const expected = rowsOf(data)
    expect(expected.length).toBe(300)
    let next = 300
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 20, max: 130 }), { minLength: 1, maxLength: 4 }), async sizes => {
        const first = await client['replay.read']({ batch_size: sizes[0], as_of: '2100-01-01' })
        const { snapshot_id } = first.query
        await append(lake, tradesBatch(next, 5, { perDay: 40 }))
        next += 5
        const rows = await walk(client, { snapshot_id: snapshot_id! }, sizes)
        expect(rows.length).toBe(next - 5)
        expect(rows.slice(0, 300)).toEqual(expected)
      }),
      { numRuns: 4 },
    )
  })

  it('keep to the snapshot of the first page when a later one has rows among theirs', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 50))
    const client = await testReplay(lake)
    const first = await client['replay.read']({ batch_size: 20 })
    await append(lake, replayBatch('trades', [{ id: 'later', micros: START_MICROS + 1_000_000 }]))
    const second = await client['replay.read']({ batch_size: 100, cursor: first.pagination!.next_cursor! })
    expect(idsOf([...rowsOf(first.data), ...rowsOf(second.data)])).toEqual(
      Array.from({ length: 50 }, (_, n) => `m-${String(n).padStart(9, '0')}`),
    )
    expect(second.query.snapshot_id).toBe(first.query.snapshot_id)
  })

  it('go on only for the same question', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 50))
    const client = await testReplay(lake)
    const { pagination } = await client['replay.read']({ batch_size: 20, symbols: ['SYM1', 'SYM2'] })
    const refusal = { code: 'INVALID_INPUT', message: expect.stringContaining('cursor') as string }
    const next_cursor = (await client['replay.read']({ batch_size: 20 })).pagination!.next_cursor!
    await expect(client['replay.read']({ symbols: ['SYM1'], cursor: next_cursor })).rejects.toMatchObject(refusal)
    await expect(client['replay.read']({ data_type: 'quotes', cursor: next_cursor })).rejects.toMatchObject(refusal)
    const [payload, mac] = next_cursor.split('.')
    await expect(client['replay.read']({ cursor: `${payload}A.${mac}` })).rejects.toMatchObject(refusal)
    expect(pagination!.next_cursor).toBeNull()
  })

  it('end with rows of the range only, start included and end not', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 50, { perDay: 8 }))
    const client = await testReplay(lake)
    const { data } = await client['replay.read']({ start_time: '2014-03-11', end_time: '2014-03-12' })
    expect(rowsOf(data).map(row => row.exchange_timestamp)).toEqual(
      Array.from({ length: 8 }, (_, n) => timestampText(START_MICROS + (8 + n) * 10_800_000_000)),
    )
  })

  it('refuse a range that ends before it starts, and symbol beside symbols', async () => {
    const client = await testReplay(await tempLake())
    const backwards = { start_time: '2014-03-12', end_time: '2014-03-11' }
    await expect(client['replay.read'](backwards)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const both = { symbol: 'BHP', symbols: ['RIO'] }
    await expect(client['replay.read'](both)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('are empty, with their columns, where there is no table, no row or no such symbol', async () => {
    const lake = await tempLake()
    const client = await testReplay(lake)
    const empty = await client['replay.read']({})
    expect([empty.data.rowCount, Object.keys(empty.data.columns).length, empty.pagination]).toEqual([
      0,
      18,
      { limit: 1000, next_cursor: null, has_more: false },
    ])
    await append(lake, tradesBatch(0, 1))
    expect((await client['replay.read']({ symbol: "O'Neill 株" })).data.rowCount).toBe(0)
    expect((await client['replay.read']({ symbol: 'SYM0', end_time: '2199-01-01' })).data.rowCount).toBe(1)
  })

  it('say so when the snapshot is not there', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 1))
    const client = await testReplay(lake)
    await expect(client['replay.read']({ snapshot_id: '12345' })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
    await expect(client['replay.read']({ as_of: '2001-01-01' })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
  })
})
