import { expect, it } from 'vitest'
import { rowsOf } from '../../src/contract/columns.ts'
import { systemClock } from '../../src/main/base/clock.ts'
import { readHandlers } from '../../src/main/query/reads/handlers.ts'
import { resolveState } from '../../src/main/query/moments.ts'
import { readAgain } from '../../src/main/read-again.ts'
import { append, tempLake, tradesBatch } from '../support/lake.ts'
import { queryParts } from '../support/query.ts'

type Lists = ReturnType<typeof readAgain>
type Input = Parameters<Lists['trades.list']>[0]

async function openLists() {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, 50))
  const parts = await queryParts(lake)
  const tools = { ...parts, clock: systemClock, live: () => Promise.reject(new Error('no live view')) }
  const handlers = readHandlers(tools, { cursorKey: Buffer.alloc(32, 7) })
  const read: string[] = []
  const again = readAgain({
    'trades.list': (input, context) => (read.push('trades'), handlers['trades.list'](input, context)),
    'quotes.list': (input, context) => (read.push('quotes'), handlers['quotes.list'](input, context)),
    'reads.version': async ({ table, ...past }, { signal }) => ({
      snapshot_id: (await resolveState(parts.reads, table, past, signal)).snapshotId ?? null,
    }),
  })
  const context = { signal: new AbortController().signal, correlationId: 'a test', door: 'direct' as const }
  const ask = async (input: Partial<Input> = {}, list: keyof Lists = 'trades.list') =>
    again[list]({ order: 'desc', limit: 10, receipt: false, ...input }, context)
  return { lake, read, ask }
}

it('answers what is asked again from here, with the same rows, until somebody commits', async () => {
  const { lake, read, ask } = await openLists()
  const first = await ask({ symbol: 'SYM1' })
  const second = await ask({ symbol: 'SYM1' })
  expect(rowsOf(second.data)).toEqual(rowsOf(first.data))
  expect(second).toMatchObject({ pagination: first.pagination, query: { snapshot_id: first.query.snapshot_id } })
  expect(read).toEqual(['trades'])
  await append(lake, tradesBatch(50, 14))
  expect(rowsOf((await ask({ symbol: 'SYM1' })).data)[0].message_id).toBe('m-000000057')
  expect(read).toEqual(['trades', 'trades'])
  await ask({ symbol: 'SYM1', snapshot_id: first.query.snapshot_id! })
  await ask({ symbol: 'SYM1', snapshot_id: first.query.snapshot_id! })
  expect(read).toHaveLength(3)
})

it('keeps apart what differs in anything, and the tables', async () => {
  const { read, ask } = await openLists()
  const questions = [
    {},
    { symbol: 'SYM1' },
    { limit: 9 },
    { order: 'asc' as const },
    { end_time: '2014-03-10T00:30:00Z' },
  ]
  const counts = async () => Promise.all(questions.map(async input => rowsOf((await ask(input)).data)))
  const once = await counts()
  expect(new Set(once.map(rows => JSON.stringify(rows))).size).toBe(questions.length)
  expect((await ask({}, 'quotes.list')).data.rowCount).toBe(0)
  expect(await counts()).toEqual(once)
  expect(read.filter(table => table === 'trades')).toHaveLength(questions.length)
})

it('keeps no answer that goes on from a cursor, has the log in it or comes with a receipt', async () => {
  const { read, ask } = await openLists()
  const { pagination } = await ask()
  for (const input of [{ cursor: pagination!.next_cursor! }, { window_minutes: 5 }, { receipt: true }]) {
    await ask(input)
    await ask(input)
  }
  expect(read).toHaveLength(7)
})

it('refuses what the tables refuse', async () => {
  const { ask } = await openLists()
  await expect(ask({ snapshot_id: '12' })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
  await expect(ask({ start_time: '2014-03-12', end_time: '2014-03-11' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  })
})
