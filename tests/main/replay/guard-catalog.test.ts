// What a session sees beside rows of trades and quotes: instruments, names, snapshots, gaps and dates.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf, timestampText, type Column, type ColumnBatch } from '../../../src/contract/columns.ts'
import { TABLES, type TableId } from '../../../src/contract/tables.ts'
import { lakeHandlers } from '../../../src/main/lake/handlers.ts'
import type { Lake } from '../../../src/main/lake/lake.ts'
import { openExports } from '../../../src/main/query/export/handlers.ts'
import { microsOf } from '../../../src/main/query/moments.ts'
import { dateRangeHandlers } from '../../../src/main/query/reads/date-range.ts'
import { readHandlers } from '../../../src/main/query/reads/handlers.ts'
import { symbolHandlers } from '../../../src/main/query/reads/list-symbols.ts'
import { snapshotsWithinSession } from '../../../src/main/replay/guard-snapshots.ts'
import { seenIn, withinSession } from '../../../src/main/replay/guard.ts'
import { ONLY_HEAD } from '../../support/failing-operations.ts'
import { append, tempLake } from '../../support/lake.ts'
import { oneRow } from '../../support/plain-handlers.ts'
import { replayBatch } from '../../support/replay-rows.ts'
import { replayTools, testReplay } from '../../support/replay.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'
import { manualClock } from '../../support/tail.ts'

const context = { signal: new AbortController().signal, correlationId: 'c', door: 'direct' as const }
const SECOND = 1e6
/** An hour from now: the catalog takes no commit from before the one that made its tables. */
const FIRST_MICROS = Math.ceil(Date.now() / 1000 + 3_600) * SECOND

async function guarded(lake: Lake) {
  const client = await testReplay(lake)
  const tools = await replayTools(lake)
  const lists = readHandlers(tools, { cursorKey: Buffer.alloc(32, 7) })
  const tool = { clockOf: client.clockOf, microsOf }
  const lakes = lakeHandlers(lake, { retention: ONLY_HEAD })
  const files = openExports(tools, makeTempFolder())
  return {
    client,
    ...snapshotsWithinSession(tool, { ...lakes, ...lists, ...files.handlers }),
    ...symbolHandlers(tools, input => seenIn(tool, input)),
    ...dateRangeHandlers(tools, input => seenIn(tool, input)),
    'trades.export': withinSession(tool, 'trades', files.handlers['trades.export']),
  }
}

/** A row of a table with some of its cells changed. */
function cells(table: TableId, micros: Record<string, number>, texts: Record<string, string> = {}): ColumnBatch {
  const { rowCount, columns } = oneRow(TABLES[table])
  const all: Record<string, Column> = { ...columns }
  for (const [name, value] of Object.entries(micros)) all[name] = { type: 'timestamp', values: Float64Array.of(value) }
  for (const [name, word] of Object.entries(texts))
    all[name] = { type: 'string', values: Uint8Array.of(0), words: [word] }
  return { rowCount, columns: all }
}

/**
 * One trade a second, each committed as it happens, and beside it a company that changes its name each time and a gap that
 * is found.
 */
async function lakeAsItHappens() {
  const clock = manualClock(FIRST_MICROS - SECOND)
  const lake = await tempLake({ clock })
  const committed: string[] = []
  for (let i = 0; i < SECONDS; i++) {
    const micros = (clock.micros = FIRST_MICROS + i * SECOND)
    const offset = BigInt64Array.of(BigInt(i))
    const name = cells(
      'reference_data',
      { ingestion_timestamp: micros },
      { company_name: `name ${i}`, symbol: 'S0', exchange: 'ASX' },
    )
    name.columns._offset = { type: 'long', values: offset }
    await append(lake, name, { table: 'reference_data', specId: 0 })
    await append(lake, cells('sequence_gaps', { detected_at: micros }), { table: 'sequence_gaps', specId: 0 })
    const row = { id: `r${i}`, micros, sequence: i, symbol: `S${i % 3}` }
    committed.push((await append(lake, replayBatch('trades', [row]))).snapshotId)
  }
  return { lake, committed }
}

const SECONDS = 7
const timeOf = (i: number) => timestampText(FIRST_MICROS + i * SECOND)

describe('in a session', () => {
  it('instruments, names, dates, gaps and snapshots are those of before its clock, wherever that is', async () => {
    const { lake, committed } = await lakeAsItHappens()
    const ask = await guarded(lake)
    const { session: replay_session } = await ask.client['replay.open']({})
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: SECONDS }), async played => {
        await ask.client['replay.control']({ session: replay_session, action: 'seek', to: timeOf(0) })
        await ask.client['replay.control']({ session: replay_session, action: 'step', count: played })
        const past = Array.from({ length: played }, (_, i) => i)

        const symbols = await ask['symbols.list']({ replay_session }, context)
        expect(symbols.data).toEqual(
          ['S0', 'S1', 'S2'].slice(0, played).map(symbol => {
            const own = past.filter(i => `S${i % 3}` === symbol)
            const company_name = symbol === 'S0' ? `name ${played - 1}` : null
            const seen = { first_seen: timeOf(own[0]), last_seen: timeOf(own.at(-1)!), trades: own.length, quotes: 0 }
            return { symbol, exchange: 'ASX', asset_class: 'equities', ...seen, company_name }
          }),
        )

        const dates = await ask['dates.range']({ data_type: 'trades', replay_session }, context)
        expect(dates.data).toMatchObject({ rows: played, last: timeOf(played - 1) })

        const { data, pagination } = await ask['snapshots.list']({ table: 'trades', limit: 2, replay_session }, context)
        const known = committed.slice(0, played).reverse()
        expect(data.map(({ snapshot_id }) => snapshot_id)).toEqual(known.slice(0, 2))
        expect(pagination).toEqual({ limit: 2, has_more: played > 2, total: played })
        const current = await ask['snapshots.current']({ table: 'trades', replay_session }, context)
        expect(current.data.snapshot_id).toBe(known[0])

        const page = { order: 'asc', limit: 100, id: committed.at(-1)!, replay_session } as const
        const gaps = await ask['snapshots.query']({ ...page, table: 'sequence_gaps' }, context)
        expect(rowsOf(gaps.data).map(row => row.detected_at)).toEqual(past.map(timeOf))
        const names = await ask['snapshots.query']({ ...page, table: 'reference_data' }, context)
        expect(names.data.rowCount).toBe(played)
      }),
      { numRuns: 6 },
    )
  })

  it('nothing is there before its first row', async () => {
    const { lake } = await lakeAsItHappens()
    const ask = await guarded(lake)
    const { session: replay_session } = await ask.client['replay.open']({})
    expect((await ask['symbols.list']({ replay_session }, context)).data).toEqual([])
    expect((await ask['snapshots.list']({ table: 'trades', limit: 9, replay_session }, context)).data).toEqual([])
    expect((await ask['snapshots.list']({ table: 'quotes', limit: 9, replay_session }, context)).data).toEqual([])
    await expect(ask['snapshots.current']({ table: 'trades', replay_session }, context)).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
      message: expect.stringContaining('No snapshot of trades had been committed') as string,
    })
  })

  it('a snapshot from after its clock, or after the state it stands on, is not found', async () => {
    const { lake, committed } = await lakeAsItHappens()
    const ask = await guarded(lake)
    const { session: replay_session } = await ask.client['replay.open']({ snapshot_id: committed[4] })
    await ask.client['replay.control']({ session: replay_session, action: 'step', count: 3 })
    const query = (id: string) =>
      ask['snapshots.query']({ id, table: 'trades', order: 'asc', limit: 9, replay_session }, context)
    const diff = (a: string, b: string) =>
      ask['snapshots.diff']({ a, b, table: 'trades', limit: 9, offset: 0, replay_session }, context)
    const countOf = async (id: string) => (await query(id)).data.rowCount
    expect([await countOf(committed[1]), await countOf(committed[4])]).toEqual([2, 3])
    expect((await diff(committed[0], committed[2])).data.added).toBe(2)
    const missing = { code: 'SNAPSHOT_NOT_FOUND' }
    await expect(query(committed[3])).rejects.toMatchObject(missing)
    await expect(diff(committed[0], committed[3])).rejects.toMatchObject(missing)
    await ask.client['replay.control']({ session: replay_session, action: 'step', count: 9 })
    expect(await countOf(committed[3])).toBe(4)
    await expect(query(committed[5])).rejects.toMatchObject(missing)
    const { data } = await ask['snapshots.list']({ table: 'trades', limit: 99, replay_session }, context)
    expect(data.map(({ snapshot_id }) => snapshot_id)).toEqual(committed.slice(0, 5).reverse())
  })

  it('pages of a snapshot go on as the first one began, while the clock moves', async () => {
    const { lake, committed } = await lakeAsItHappens()
    const ask = await guarded(lake)
    const { session } = await ask.client['replay.open']({ snapshot_id: committed[4] })
    const step = (count: number) => ask.client['replay.control']({ session, action: 'step', count })
    await step(4)
    const page = async (id: string, cursor?: string) => {
      const input = { id, table: 'trades', order: 'asc', limit: 2, replay_session: session, cursor } as const
      const { data, pagination } = await ask['snapshots.query'](input, context)
      return { rows: data.rowCount, cursor: pagination?.next_cursor ?? undefined }
    }
    const first = await page(committed[4])
    await step(1)
    expect(first.rows).toBe(2)
    expect(await page(committed[4], first.cursor)).toEqual({ rows: 2, cursor: undefined })
    await expect(page(committed[2], first.cursor)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('a difference has no row from after its clock, also where it was committed before', async () => {
    const clock = manualClock(FIRST_MICROS)
    const lake = await tempLake({ clock })
    const commit = async (...seconds: number[]) => {
      const rows = seconds.map(i => ({ id: `r${i}`, micros: FIRST_MICROS + i * SECOND, sequence: i }))
      clock.micros += SECOND / 2
      return (await append(lake, replayBatch('trades', rows))).snapshotId
    }
    const [a, b] = [await commit(0), await commit(1, 4)]
    await commit(2, 3, 5)
    const ask = await guarded(lake)
    const { session: replay_session } = await ask.client['replay.open']({})
    const seen = async (played: number) => {
      await ask.client['replay.control']({ session: replay_session, action: 'step', count: played })
      const question = { a, b, table: 'trades', limit: 9, offset: 0 } as const
      const { data, pagination } = await ask['snapshots.diff']({ ...question, replay_session }, context)
      expect(pagination!.total).toBe(data.added)
      return rowsOf(data.rows).map(({ message_id }) => message_id)
    }
    expect(await seen(3)).toEqual(['r1'])
    expect(await seen(2)).toEqual(['r1', 'r4'])
  })

  it('files have the rows up to its clock, and another state is refused', async () => {
    const { lake, committed } = await lakeAsItHappens()
    const ask = await guarded(lake)
    const { session: replay_session } = await ask.client['replay.open']({})
    await ask.client['replay.control']({ session: replay_session, action: 'step', count: 4 })
    const linesOf = async (chunks: AsyncIterable<Uint8Array>) => {
      const parts: Uint8Array[] = []
      for await (const chunk of chunks) parts.push(chunk)
      return Buffer.concat(parts).toString().trim().split('\r\n')
    }
    const wanted = { order: 'asc' as const, format: 'csv' as const, fields: ['trade_id'], replay_session }
    const csv = ['trade_id', 'r0', 'r1', 'r2', 'r3']
    expect(await linesOf(ask['trades.export'](wanted, context))).toEqual(csv)
    const ofSnapshot = { ...wanted, table: 'trades' as const, id: committed.at(-1)! }
    expect(await linesOf(ask['snapshots.export'](ofSnapshot, context))).toEqual(csv)
    const other = { ...ofSnapshot, id: committed[5] }
    await expect(linesOf(ask['snapshots.export'](other, context))).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_FOUND',
    })
    await expect(ask['symbols.list']({ replay_session, as_of: timeOf(2) }, context)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })
})

it('tells the instruments and names of a snapshot or a time', async () => {
  const { lake, committed } = await lakeAsItHappens()
  const ask = await guarded(lake)
  const at = async (past: { snapshot_id?: string; as_of?: string }) =>
    (await ask['symbols.list'](past, context)).data.map(row => [row.symbol, row.trades, row.company_name])
  const expected = [
    ['S0', 2, 'name 3'],
    ['S1', 1, null],
    ['S2', 1, null],
  ]
  expect(await at({ snapshot_id: committed[3] })).toEqual(expected)
  expect(await at({ as_of: timeOf(3) })).toEqual(expected)
  await expect(at({ snapshot_id: '123' })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
  await expect(at({ as_of: '2001-01-01' })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
})
