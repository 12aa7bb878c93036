// The tape and the quotes as a moment knew them, over the contract by a real port.
import { createStore } from 'zustand/vanilla'
import { expect, it, onTestFinished } from 'vitest'
import type { ColumnBatch } from '../../../src/contract/columns.ts'
import { timestampText } from '../../../src/contract/columns.ts'
import { Failure } from '../../../src/contract/failure.ts'
import { reversedRows } from '../../../src/contract/take-rows.ts'
import { followAsOf } from '../../../src/renderer/stores/as-of.ts'
import { createInstruments } from '../../../src/renderer/stores/instruments.ts'
import { createMoment } from '../../../src/renderer/stores/moment.ts'
import { createPast } from '../../../src/renderer/stores/past.ts'
import { heldRows } from '../../../src/renderer/stores/ring.ts'
import { createTapeView } from '../../../src/renderer/stores/tape-view.ts'
import { createTradeFeed } from '../../../src/renderer/stores/trades.ts'
import type { Focus } from '../../../src/renderer/stores/workspace.ts'
import { openTestLink, until } from '../../support/page-link.ts'
import { createSyntheticMarket } from '../../support/synthetic-market.ts'

const AT = 1_800_000_000_000_000
const QUERY = {
  ms: 1,
  engine: 'lake' as const,
  snapshot_id: '7',
  sources: {},
  watermark: null,
  freshness_ms: null,
  partial: false,
  why: null,
}

async function openAsOf() {
  const market = createSyntheticMarket(7)
  market.advance(2_000, 500)
  const newestFirst = (table: 'trades' | 'quotes', symbol: string | undefined): ColumnBatch =>
    reversedRows(market.batch(table, 0, market[table].time.length, symbol === undefined ? undefined : [symbol]))
  const asked: { table: string; symbol?: string; as_of?: string; snapshot_id?: string }[] = []
  let isFailing = false
  const list =
    (table: 'trades' | 'quotes') =>
    ({ symbol, as_of, snapshot_id }: { symbol?: string; as_of?: string; snapshot_id?: string }) => {
      asked.push({ table, symbol, as_of, snapshot_id })
      if (isFailing) throw new Failure('UNAVAILABLE', 'The tables cannot be read.')
      return { data: newestFirst(table, symbol), query: QUERY, pagination: { limit: 2_000, has_more: false } }
    }
  const { link, cut } = openTestLink({ answers: { 'trades.list': list('trades'), 'quotes.list': list('quotes') } })
  await until(() => link.store.getState().state === 'connected')
  const instruments = createInstruments()
  const moment = createMoment()
  const past = createPast(moment.state, () => createTradeFeed(instruments).feed)
  const focus = createStore<Focus>(() => ({ instrument: instruments.find(market.listings[0].symbol, 'ASX') }))
  const live = createTradeFeed(instruments).feed
  const tape = createTapeView(
    live,
    () => undefined,
    () => past.getState().trades,
  )
  const rows = followAsOf({ link, moment, past, focus, tape, instruments })
  onTestFinished(rows.close)
  const settled = () => until(() => !rows.state.getState().isAsking)
  return {
    market,
    moment,
    past,
    focus,
    instruments,
    tape,
    live,
    rows,
    asked,
    cut,
    settled,
    fail: (failing: boolean) => (isFailing = failing),
  }
}

it('shows what was known then, oldest first as a tape takes it, and nothing of it once live', async () => {
  const { market, moment, past, tape, live, rows, asked, settled } = await openAsOf()
  expect(tape.feed()).toBe(live)
  moment.goAsOf(AT)
  expect(heldRows(tape.feed().ring), 'rows of now never stand under a moment of the past').toBe(0)
  expect(tape.feed()).not.toBe(live)
  await settled()
  const { ring } = tape.feed()
  expect(heldRows(ring)).toBe(market.trades.time.length)
  expect(Array.from(ring.time.subarray(0, ring.end))).toEqual([...market.trades.time])
  expect(past.getState().quotes).toBeDefined()
  expect(asked.map(({ as_of }) => as_of)).toEqual([timestampText(AT), timestampText(AT)])
  expect(rows.state.getState().query?.snapshot_id).toBe('7')
  moment.goLive()
  expect(tape.feed()).toBe(live)
  expect(rows.state.getState()).toEqual({ isAsking: false, failure: undefined, query: undefined })
})

it('asks for the snapshot that was picked, and anew for another symbol or scope', async () => {
  const { market, moment, focus, instruments, tape, asked, settled } = await openAsOf()
  moment.goAsOf(AT, { snapshotId: '42', label: 'Snapshot 42' })
  await settled()
  expect(asked).toEqual([
    { table: 'trades', symbol: undefined, as_of: undefined, snapshot_id: '42' },
    { table: 'quotes', symbol: market.listings[0].symbol, as_of: undefined, snapshot_id: '42' },
  ])
  tape.show('one')
  await settled()
  expect(asked.at(-2)).toMatchObject({ table: 'trades', symbol: market.listings[0].symbol })
  focus.setState({ instrument: instruments.find(market.listings[1].symbol, 'ASX') })
  await settled()
  expect(asked.slice(-2).map(({ symbol }) => symbol)).toEqual([market.listings[1].symbol, market.listings[1].symbol])
})

it('shows only the last of two moments, whichever is answered first', async () => {
  const { moment, rows, asked, settled } = await openAsOf()
  moment.goAsOf(AT)
  moment.goAsOf(AT + 1_000_000)
  await settled()
  expect(rows.state.getState().failure).toBeUndefined()
  expect(asked.at(-1)?.as_of).toBe(timestampText(AT + 1_000_000))
})

it('says why it has nothing, and asks again by hand or when K2 is back', async () => {
  const { moment, rows, fail, cut, settled, tape } = await openAsOf()
  fail(true)
  moment.goAsOf(AT)
  await settled()
  expect(rows.state.getState().failure).toBe('The tables cannot be read.')
  rows.retry()
  await settled()
  expect(rows.state.getState().failure).toBe('The tables cannot be read.')
  fail(false)
  cut()
  await until(() => rows.state.getState().query !== undefined)
  expect(rows.state.getState().failure).toBeUndefined()
  expect(heldRows(tape.feed().ring)).toBeGreaterThan(0)
})
