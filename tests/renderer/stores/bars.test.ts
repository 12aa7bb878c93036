// Bars of the chart against an engine of a thousand minutes: loaded for a width, further back, renewed, in a replay.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { bars as barsTable } from '../../../src/contract/bars.ts'
import { emptyBatch, timestampText, type ColumnBatch } from '../../../src/contract/columns.ts'
import { Failure } from '../../../src/contract/failure.ts'
import type { BarsStore } from '../../../src/renderer/stores/bars-state.ts'
import { createBars } from '../../../src/renderer/stores/bars.ts'
import type { ReplayEnd } from '../../../src/renderer/stores/bar-questions.ts'
import { createInstruments } from '../../../src/renderer/stores/instruments.ts'
import type { K2Client, Link, LinkState } from '../../../src/renderer/stores/link.ts'
import type { Moment } from '../../../src/renderer/stores/moment.ts'
import { until } from '../../support/page-link.ts'

const MINUTE = 60e6
const START = Date.UTC(2014, 2, 10) * 1000
type Question = Parameters<K2Client['bars.list']>[0]

function engine() {
  const at = { minutes: 1000, price: 36, arrived: 0, failure: undefined as Failure | undefined }
  const asked: Question[] = []
  const microsOf = (text: string) => Date.parse(text) * 1000
  const client = {
    'bars.list': async (question: Question) => {
      asked.push(question)
      await Promise.resolve()
      if (at.failure) throw at.failure
      const { start_time: from, end_time: to, limit = 1000 } = question
      const all = Array.from({ length: at.minutes }, (_, n) => START + n * MINUTE).filter(
        start => (!from || start >= microsOf(from)) && (!to || start < microsOf(to)),
      )
      const pagination = { limit, has_more: all.length > limit }
      return { data: batchOf(all.slice(-limit), at.price), query: undefined, pagination }
    },
  }
  return { at, asked, client: client as unknown as K2Client }
}

function batchOf(starts: readonly number[], price: number): ColumnBatch {
  const columns = emptyBatch(barsTable.columns).columns
  const decimals = { type: 'decimal' as const, scale: 2, values: Float64Array.from(starts, () => price * 100) }
  const times = (offset: number) => ({
    type: 'timestamp' as const,
    values: Float64Array.from(starts, start => start + offset),
  })
  for (const name of ['open_price', 'high_price', 'low_price', 'close_price', 'volume', 'vwap'])
    columns[name] = decimals
  const trade_count = { type: 'int' as const, values: Int32Array.from(starts, () => 1) }
  return {
    rowCount: starts.length,
    columns: { ...columns, window_start: times(0), window_end: times(MINUTE), trade_count },
  }
}

function open(moment: Moment = { mode: 'live' }) {
  const { at, asked, client } = engine()
  const instrument = createInstruments().find('BHP', 'ASX')
  const replay: { end?: ReplayEnd } = {}
  const moments = createStore<Moment>(() => moment)
  const store = createStore<LinkState>(() => ({ state: 'connected', client }))
  const bars = createBars({
    link: { store } as unknown as Link,
    instrument: () => instrument,
    moment: moments,
    replayEnd: () => replay.end,
    arrived: () => at.arrived,
  })
  onTestFinished(() => bars.close())
  bars.choose('1m')
  bars.setWidth(800)
  return { at, asked, bars, moments, replay }
}

const held = (bars: BarsStore) => bars.state.getState().bars.start
const last = (bars: BarsStore) => held(bars).at(-1)

describe('bars', () => {
  it('are asked for as many as are seen, with some in reserve', async () => {
    const { bars, asked } = open()
    await until(() => held(bars).length > 0)
    const { count } = bars.state.getState()
    expect(count).toBe(100)
    expect(held(bars)).toHaveLength(200)
    expect(asked).toHaveLength(1)
    expect(last(bars)).toBe(START + 999 * MINUTE)
  })

  it('are loaded further back as one goes there, every one of them once', async () => {
    const { bars } = open()
    await until(() => held(bars).length > 0)
    for (let i = 0; i < 40; i++) {
      const before = held(bars).length
      bars.pan(100)
      const { behind, hasOlder, count } = bars.state.getState()
      if (hasOlder && before < behind + count * 1.5) await until(() => held(bars).length > before)
    }
    expect(held(bars)).toEqual(Array.from({ length: 1000 }, (_, n) => START + n * MINUTE))
    expect(bars.state.getState()).toMatchObject({ hasOlder: false, behind: 900 })
    bars.toNewest()
    expect(bars.state.getState().behind).toBe(0)
  })

  it('are renewed from the one that was forming, when trades have come', async () => {
    const { bars, at, asked } = open()
    await until(() => held(bars).length > 0)
    Object.assign(at, { minutes: 1003, price: 37, arrived: 5 })
    await until(() => last(bars) === START + 1002 * MINUTE, 5000)
    expect(asked.at(-1)!.start_time).toBe(timestampText(START + 999 * MINUTE))
    const { close, start } = bars.state.getState().bars
    expect(close.slice(-5)).toEqual([36e8, 37e8, 37e8, 37e8, 37e8])
    expect(start).toHaveLength(203)
  })

  it('of a past state are asked as of it, and once', async () => {
    const { bars, asked } = open({ mode: 'as_of', atMicros: START, snapshotId: '8123' })
    await until(() => held(bars).length > 0)
    expect(asked[0]).toMatchObject({ snapshot_id: '8123' })
    bars.wake()
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(asked).toHaveLength(1)
  })

  it('follow the clock of a replay there and back', async () => {
    const { bars, replay } = open({ mode: 'replay', session: 's' })
    const go = async (minute: number) => {
      replay.end = { untilMicros: START + minute * MINUTE, snapshotId: '7' }
      bars.wake()
      await until(() => last(bars) === START + (Math.ceil(minute) - 1) * MINUTE)
    }
    for (const minute of [300, 300.5, 301, 420, 250, 900, 40.5, 1]) await go(minute)
    expect(held(bars)).toEqual([START])
  })

  it('stay when an answer fails, which is said, and come when it is tried again', async () => {
    const { bars, at } = open()
    await until(() => held(bars).length > 0)
    at.failure = new Failure('TIMEOUT', 'It took too long.')
    bars.choose('5m')
    await until(() => bars.state.getState().failure !== undefined)
    expect(bars.state.getState()).toMatchObject({ failure: 'It took too long.', subject: { interval: '1m' } })
    expect(held(bars).length).toBe(200)
    at.failure = undefined
    bars.retry()
    await until(() => bars.state.getState().subject?.interval === '5m')
    expect(bars.state.getState().failure).toBeUndefined()
  })
})
