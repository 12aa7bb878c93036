// Receipts of bars, measures, joins, instruments, date ranges and pages of a replay: what an answer had again, whatever
// came since.
import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { z } from 'zod'
import { contract } from '../../../../src/contract/index.ts'
import type { Context } from '../../../../src/contract/capability.ts'
import { isColumnBatch, rowsOf } from '../../../../src/contract/columns.ts'
import type { Receipt } from '../../../../src/contract/fields.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { asofHandlers } from '../../../../src/main/query/asof/handlers.ts'
import type { AsofPlace } from '../../../../src/main/query/asof/page.ts'
import { barsHandlers } from '../../../../src/main/query/bars/handlers.ts'
import { createBlocks } from '../../../../src/main/query/blocks/blocks.ts'
import { createCursors } from '../../../../src/main/query/cursor.ts'
import { choiceOf, microsOf, resolveState, type SeenIn } from '../../../../src/main/query/moments.ts'
import { dateRangeHandlers } from '../../../../src/main/query/reads/date-range.ts'
import { readHandlers } from '../../../../src/main/query/reads/handlers.ts'
import { symbolHandlers } from '../../../../src/main/query/reads/list-symbols.ts'
import { receiptHandlers } from '../../../../src/main/query/receipts/handlers.ts'
import { repeatable } from '../../../../src/main/query/receipts/repeatable.ts'
import { lakeMeta } from '../../../../src/main/query/tools.ts'
import { pageHandler } from '../../../../src/main/replay/read-page.ts'
import type { PagePlace } from '../../../../src/main/replay/tools.ts'
import { tailContract } from '../../../../src/main/tail/relay-contract.ts'
import { relayTailHandlers } from '../../../../src/main/tail/relay-handlers.ts'
import { createTail } from '../../../../src/main/tail/tail.ts'
import { connectDirect } from '../../../../src/main/wire/direct.ts'
import { createDispatch } from '../../../../src/main/wire/dispatch.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { openHybridPlace } from '../../../support/hybrid-place.ts'
import { append } from '../../../support/lake.ts'
import { noSession } from '../../../support/query.ts'
import { quoteRows } from '../../../support/rows.ts'
import { MINUTE } from '../../../support/tail.ts'

const SESSION = '5a0d1d6e-6f0e-4c5b-9a0e-2b1f0f6b7c11'
type Name =
  'bars.list' | 'summary.day' | 'aggregations.run' | 'asof.join' | 'symbols.list' | 'dates.range' | 'replay.read'
type Input<N extends Name> = z.input<(typeof contract)[N]['input']>

/** Trades in the table up to the sixth, read up to the tenth; quotes in the table only. */
async function openPlace(seenIn: SeenIn = noSession) {
  const place = await openHybridPlace()
  const base = Math.floor(place.clock.micros / MINUTE) * MINUTE - 10 * MINUTE
  const noQuotes = createTail({ dataType: 'quotes', minutes: 2, maxPerSymbol: 10, maxMegabytes: 1, clock: place.clock })
  onTestFinished(() => noQuotes.close())
  place.live.ask = () => {
    const tails = { trades: place.tail(), quotes: noQuotes }
    const caughtUp = () => Promise.resolve(true)
    const dispatch = createDispatch(tailContract, relayTailHandlers({ tails, isRunning: () => true, caughtUp }))
    return Promise.resolve(connectDirect(tailContract, dispatch))
  }
  const trade = (id: number) => ({
    symbol: id % 5 === 0 ? 'RIO' : 'BHP',
    id,
    micros: base + id * 20e6,
    price: BigInt(10 + (id % 4)) * 100_000_000n,
  })
  const write = (from: number, to: number) => {
    place.write(
      0,
      Array.from({ length: to - from }, (_, i) => trade(from + i)),
    )
    place.readTo()
  }
  const quote = (seconds: number, bid: number) =>
    quoteRows([{ micros: base + seconds * 1e6, bid: String(bid), ask: String(bid + 2) }])
  write(0, 10)
  await place.commitTo([6, 0])
  await append(place.lake, quote(-5, 9), { table: 'quotes' })
  await append(place.lake, quote(45, 11), { table: 'quotes' })

  const blocks = createBlocks({ ...place.tools, maxBytes: 64e6 })
  const cursors = createCursors<AsofPlace>(Buffer.alloc(32, 7), 'asof')
  const metaOf = (share: Parameters<typeof lakeMeta>[1]) => lakeMeta(place.tools, share)
  const pages = createCursors<PagePlace>(Buffer.alloc(32, 7), 'replay')
  const replayed = { cursors: pages, microsOf, choiceOf, stateOf: resolveState, metaOf }
  const { handlers, again } = repeatable({ tools: place.tools, seenIn }, contract, ({ tools, seenIn }) => ({
    ...barsHandlers(tools, blocks, seenIn),
    ...asofHandlers(tools, blocks, cursors, seenIn),
    ...symbolHandlers(tools, seenIn),
    ...dateRangeHandlers(tools, seenIn),
    'replay.read': pageHandler({ ...replayed, ...tools }),
  }))
  const lists = readHandlers(place.tools, { cursorKey: Buffer.alloc(32) })
  const { 'receipts.read': readAgain } = receiptHandlers(place.tools, lists, again)
  const context = (door: Context['door']): Context => ({
    signal: new AbortController().signal,
    correlationId: 'test',
    door,
  })
  async function ask<N extends Name>(name: N, input: Input<N>, door: Context['door'] = 'http') {
    const asked = contract[name].input.parse(input) as never
    const answer = await handlers[name](asked, context(door))
    return { data: plain(answer.data), query: answer.query, pagination: answer.pagination }
  }
  /** As a client sends it. */
  const repeat = async (receipt: Receipt | null | undefined) => {
    const sent = contract['receipts.read'].input.parse(JSON.parse(JSON.stringify(receipt)))
    const { data, query } = await readAgain(sent, context('http'))
    contract['receipts.read'].output.parse({ data, query })
    return { data: plain(data), query }
  }
  /** More trades, quotes before and among what there was, late and corrected ones; and all files anew. */
  async function letMoreHappen() {
    write(10, 20)
    await place.commitTo([14, 0])
    await append(place.lake, quote(10, 20), { table: 'quotes' })
    await place.commitTo([20, 0])
    await place.compact()
    place.restartTail([20, 0])
    place.clock.micros += 30 * MINUTE
  }
  return { place, base, ask, repeat, letMoreHappen }
}

const plain = (data: unknown): unknown => (isColumnBatch(data) ? rowsOf(data) : data)

const QUESTIONS: { [N in Name]?: Input<N>[] } & Record<string, object[]> = {
  'bars.list': [
    { symbol: 'BHP' },
    { symbol: 'BHP', interval: '5m', fill: 'previous', live: true },
    { symbol: 'BHP', live: false },
  ],
  'aggregations.run': [{ symbols: ['BHP', 'RIO'], metrics: ['ohlcv', 'vwap', 'twap', 'volume_profile', 'spread'] }],
  'asof.join': [
    { symbols: ['BHP', 'RIO'], horizons_ms: [1_000, 3_600_000] },
    { symbol: 'BHP', window_before_ms: 60_000 },
  ],
  'symbols.list': [{}, { exchange: 'asx' }],
  'dates.range': [{}, { data_type: 'quotes' }],
  'replay.read': [{}, { data_type: 'quotes', symbol: 'BHP' }],
}

describe('a receipt of what is no plain list', () => {
  for (const [name, inputs] of Object.entries(QUESTIONS))
    it.each(inputs)(`gives it again after commits and a compaction, when memory is empty: ${name} %j`, async input => {
      const { ask, repeat, letMoreHappen } = await openPlace()
      const question = { ...input, receipt: true } as never
      const answer = await ask(name as Name, question)
      expect(answer.query).toMatchObject({ partial: false, receipt: { query: { name } } })
      expect((await repeat(answer.query.receipt)).data).toEqual(answer.data)
      await letMoreHappen()
      expect((await ask(name as Name, question)).data).not.toEqual(answer.data)
      const second = await repeat(answer.query.receipt)
      expect(second.data).toEqual(answer.data)
      expect(second.query).toMatchObject({ snapshot_id: answer.query.snapshot_id, receipt: answer.query.receipt })
    })

  it('gives it while the rows are in no table yet, and says so when they are gone from memory', async () => {
    const { place, ask, repeat } = await openPlace()
    const answers = [
      await ask('bars.list', { symbol: 'BHP', receipt: true }),
      await ask('symbols.list', { receipt: true }),
    ]
    for (const { data, query } of answers) {
      expect(query.sources.tail!.rows).toBeGreaterThan(0)
      expect((await repeat(query.receipt)).data).toEqual(data)
    }
    place.restartTail([10, 0])
    for (const { query } of answers) await expect(repeat(query.receipt)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await place.commitTo([10, 0])
    for (const { data, query } of answers) expect((await repeat(query.receipt)).data).toEqual(data)
  })

  it('gives a day again, the pages of a join, and what the command line was told', async () => {
    const { base, ask, repeat, letMoreHappen } = await openPlace()
    const date = new Date(base / 1000 + 11 * 3_600_000).toISOString().slice(0, 10)
    const day = await ask('summary.day', { symbol: 'BHP', date, receipt: true })
    const first = await ask('asof.join', { symbol: 'BHP', limit: 2 })
    const cursor = first.pagination!.next_cursor!
    const page = await ask('asof.join', { symbol: 'BHP', limit: 2, cursor, receipt: true })
    const told = await ask('bars.list', { symbol: 'BHP', receipt: true }, 'cli')
    expect(told.query).toMatchObject({ engine: 'lake', receipt: { offsets: [] } })
    await letMoreHappen()
    for (const { data, query } of [day, page, told]) expect((await repeat(query.receipt)).data).toEqual(data)
  })

  it('gives each page of a replay again, also one that a cursor went on to when more had come', async () => {
    const { ask, repeat, letMoreHappen } = await openPlace()
    const first = await ask('replay.read', { batch_size: 2, receipt: true })
    await letMoreHappen()
    const cursor = first.pagination!.next_cursor!
    const second = await ask('replay.read', { batch_size: 10, cursor, receipt: true })
    expect(second.query.receipt).toMatchObject({ snapshot: first.query.snapshot_id, query: { input: { cursor } } })
    expect([first, second].map(({ data }) => (data as unknown[]).length)).toEqual([2, 4])
    for (const { data, query } of [first, second]) expect((await repeat(query.receipt)).data).toEqual(data)
  })

  it('stands on what a snapshot, a time or a replay session said, when that has gone on', async () => {
    let untilMicros = Infinity
    const { place, base, ask, repeat, letMoreHappen } = await openPlace(() => () => ({ past: {}, untilMicros }))
    untilMicros = base + 70e6
    const asOf = new Date(place.clock.micros / 1000).toISOString()
    const answers = [
      await ask('bars.list', { symbol: 'BHP', replay_session: SESSION, receipt: true }),
      await ask('symbols.list', { replay_session: SESSION, receipt: true }),
      await ask('dates.range', { replay_session: SESSION, receipt: true }),
      await ask('asof.join', { symbol: 'BHP', as_of: asOf, horizons_ms: [1_000], receipt: true }),
      await ask('replay.read', { symbol: 'BHP', as_of: asOf, receipt: true }),
    ]
    untilMicros = Infinity
    await letMoreHappen()
    for (const { data, query } of answers) expect((await repeat(query.receipt)).data).toEqual(data)
  })

  it('says that a snapshot has expired', async () => {
    const { place, ask, repeat, letMoreHappen } = await openPlace()
    const answers = [
      await ask('aggregations.run', { symbols: ['BHP'], metrics: ['spread', 'vwap'], receipt: true }),
      await ask('symbols.list', { receipt: true }),
      await ask('replay.read', { data_type: 'quotes', receipt: true }),
    ]
    await letMoreHappen()
    await expireSnapshots(place.lake.table('quotes'), { retention: ONLY_HEAD })
    for (const { query } of answers)
      await expect(repeat(query.receipt)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
  })

  it('has a hash of rows with maps that a script makes of them, also where their keys are numbers', async () => {
    const { ask } = await openPlace()
    const { data, query } = await ask('asof.join', { symbol: 'BHP', horizons_ms: [9_000, 10_000], receipt: true })
    const rows = data as Record<string, unknown>[]
    const cell = (value: unknown) =>
      typeof value === 'object' && value !== null
        ? `{${['10000', '9000'].map(key => `"${key}":${JSON.stringify((value as Record<string, unknown>)[key])}`).join(',')}}`
        : JSON.stringify(value)
    expect(rows.some(({ mids }) => mids !== null)).toBe(true)
    const lines = [
      JSON.stringify(Object.keys(rows[0])),
      ...rows.map(row => `[${Object.values(row).map(cell).join(',')}]`),
    ]
    const text = lines.map(line => `${line}\n`).join('')
    expect(query.receipt!.hash).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`)
  })

  it('has a hash of objects that a script makes of them', async () => {
    const { ask } = await openPlace()
    const { data, query } = await ask('symbols.list', { receipt: true })
    const inOrder = (one: object) => Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
    const text = (data as object[]).map(one => `${JSON.stringify(inOrder(one))}\n`).join('')
    expect(query.receipt!.hash).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`)
  })

  it('is refused when it was changed, and not given where something is missing', async () => {
    const { place, ask, repeat } = await openPlace()
    const { query } = await ask('bars.list', { symbol: 'BHP', receipt: true })
    const receipt = query.receipt!
    const changed = (input: object) => ({
      ...receipt,
      query: { ...receipt.query, input: { ...receipt.query.input, ...input } },
    })
    const page = await ask('replay.read', { batch_size: 2, receipt: true })
    for (const one of [receipt, page.query.receipt!])
      await expect(repeat({ ...one, hash: `sha256:${'0'.repeat(64)}` })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(repeat(changed({ symbol: 'RIO' }))).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(repeat(changed({ interval: '7m' }))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const [pinned] = Object.values(receipt.query.input.tables as object) as { to: object[] }[]
    for (const trades of [
      { until_micros: 0.5 },
      { until_micros: 1e300 },
      { to: [{ ...pinned.to[0], next: { x: 1 } }] },
    ]) {
      const bad = changed({ tables: { trades: { ...pinned, ...trades } } })
      await expect(repeat(bad)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    }
    await expect(repeat(changed({ tables: undefined }))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    place.restartTail([8, 0])
    place.readTo()
    const later = await ask('bars.list', { symbol: 'BHP', receipt: true })
    expect(later.query).toMatchObject({ partial: true, receipt: null })
  })
})
