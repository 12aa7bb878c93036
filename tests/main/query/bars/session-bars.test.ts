// Bars, measures and joins in a replay session: as if nothing had happened from its clock on.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asofContract } from '../../../../src/contract/asof.ts'
import { barsContract } from '../../../../src/contract/bars.ts'
import type { Context } from '../../../../src/contract/capability.ts'
import { rowsOf, timestampText } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { systemClock } from '../../../../src/main/base/clock.ts'
import { asofHandlers } from '../../../../src/main/query/asof/handlers.ts'
import type { AsofPlace } from '../../../../src/main/query/asof/page.ts'
import { barsHandlers } from '../../../../src/main/query/bars/handlers.ts'
import { createBlocks } from '../../../../src/main/query/blocks/blocks.ts'
import { createCursors } from '../../../../src/main/query/cursor.ts'
import { seenIn } from '../../../../src/main/replay/guard.ts'
import type { SessionClock } from '../../../../src/main/replay/sessions.ts'
import { append, tempLake } from '../../../support/lake.ts'
import { queryParts } from '../../../support/query.ts'
import { quoteRows, tradeRows, type QuoteRow, type TradeRow } from '../../../support/rows.ts'

const context: Context = { signal: new AbortController().signal, correlationId: 'test', door: 'http' }
const SESSION = '5a0d1d6e-6f0e-4c5b-9a0e-2b1f0f6b7c11'
const at = (time: string) => Date.parse(`2026-03-10T${time}Z`) * 1000
const trade = (micros: number, price: string): TradeRow => ({ micros, price, quantity: '1' })

/** A session over what is in the tables now, whose clock stands where it is set; rows that come later are not in it. */
async function openSession(trades: readonly TradeRow[], quotes: readonly QuoteRow[] = []) {
  const lake = await tempLake()
  if (trades.length > 0) await append(lake, tradeRows(trades))
  if (quotes.length > 0) await append(lake, quoteRows(quotes), { table: 'quotes' })
  const { reads, pool } = await queryParts(lake)
  const tables = { trades: await reads.at('trades'), quotes: await reads.at('quotes') }
  const asOfMicros = Math.max(tables.trades.committedMicros ?? 0, tables.quotes.committedMicros ?? 0)
  let clock: SessionClock = { untilMicros: Infinity, order: 'event', tables, asOfMicros }
  const live = () => Promise.reject(new Failure('UNAVAILABLE', 'There is no live view here.'))
  const tools = { reads, pool, live, clock: systemClock }
  const blocks = createBlocks({ reads, pool, maxBytes: 64e6 })
  const seen = (asked: { replay_session?: string }) => seenIn({ clockOf: () => clock }, asked)
  const cursors = createCursors<AsofPlace>(Buffer.alloc(32, 7), 'asof')
  return {
    lake,
    stand: (untilMicros: number) => (clock = { ...clock, untilMicros }),
    handlers: { ...barsHandlers(tools, blocks, seen), ...asofHandlers(tools, blocks, cursors, seen) },
  }
}

type Session = Awaited<ReturnType<typeof openSession>>

async function barsIn({ handlers }: Session, more: object = { replay_session: SESSION }) {
  const input = barsContract['bars.list'].input.parse({ symbol: 'BHP', live: false, ...more })
  const { data, pagination } = await handlers['bars.list'](input, context)
  return { bars: rowsOf(data), hasMore: pagination?.has_more }
}

describe('bars in a replay session', () => {
  it('are those of the windows that have ended, at any place of the clock', { timeout: 90_000 }, async () => {
    const second = fc.integer({ min: 0, max: 900 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(second, { minLength: 1, maxLength: 80 }),
        fc.array(fc.integer({ min: -60e6, max: 1_000e6 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom('none', 'previous'),
        async (seconds, places, fill) => {
          const rows = seconds.map((at_, i) => trade(at('01:00:00') + at_ * 1e6, String(i + 1)))
          const session = await openSession(rows)
          // Of the same moments, but not in the session's snapshot.
          await append(session.lake, tradeRows(rows.map(row => ({ ...row, price: '9999' }))))
          for (const place of places) {
            const clock = at('01:00:00') + place
            session.stand(clock)
            const { bars } = await barsIn(session, { replay_session: SESSION, fill })
            const played = await openSession(rows.filter(({ micros }) => micros < clock))
            const all = (await barsIn(played, { fill: 'none' })).bars
            const ended = all.filter(bar => Date.parse(bar.window_end as string) * 1000 <= clock)
            expect(bars.filter(bar => bar.trade_count !== 0)).toEqual(ended)
            expect(bars.every(bar => Date.parse(bar.window_end as string) * 1000 <= clock)).toBe(true)
          }
        },
      ),
      { numRuns: 6 },
    )
  })

  it('are as many as asked for beside the one that forms, and say whether there are more', async () => {
    const session = await openSession(['01:00:30', '01:01:30', '01:02:30'].map(time => trade(at(time), '1')))
    session.stand(at('01:02:45'))
    expect(await barsIn(session, { replay_session: SESSION, limit: 2 })).toMatchObject({
      bars: [{ window_end: '2026-03-10T01:01:00.000000Z' }, { window_end: '2026-03-10T01:02:00.000000Z' }],
      hasMore: false,
    })
    session.stand(at('01:03:00'))
    expect((await barsIn(session, { replay_session: SESSION, limit: 2 })).hasMore).toBe(true)
  })

  it('are refused with a state of their own, and with what is live', async () => {
    const session = await openSession([trade(at('01:00:30'), '1')])
    session.stand(at('02:00:00'))
    const refused = { code: 'INVALID_INPUT' }
    await expect(barsIn(session, { replay_session: SESSION, live: true })).rejects.toMatchObject(refused)
    const asOf = { replay_session: SESSION, as_of: '2026-03-10T00:00:00Z' }
    await expect(barsIn(session, asOf)).rejects.toMatchObject(refused)
  })
})

it('has a summary of a day in a replay session once the day is over', async () => {
  const session = await openSession([trade(at('01:00:00'), '1'), trade(at('12:30:00'), '2')])
  const input = barsContract['summary.day'].input.parse({ symbol: 'BHP', date: '2026-03-10', replay_session: SESSION })
  const ask = () => Promise.resolve(session.handlers['summary.day'](input, context))
  session.stand(at('12:59:59'))
  await expect(ask()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  session.stand(at('13:00:00')) // midnight in Sydney
  expect((await ask()).data).toMatchObject({ open_price: '1', close_price: '2', trade_count: 2 })
})

it('measures a replay session up to its clock, and by window only what has ended', async () => {
  const session = await openSession(
    ['01:00:00', '01:00:30', '01:01:30'].map((time, i) => trade(at(time), String(i + 1))),
    [
      { micros: at('01:00:00'), bid: '1', ask: '2' },
      { micros: at('01:01:40'), bid: '5', ask: '9' },
    ],
  )
  session.stand(at('01:01:30'))
  const ask = async (more: object) => {
    const asked = { symbols: ['BHP'], metrics: ['trade_count', 'twap', 'spread'], replay_session: SESSION, ...more }
    return (await session.handlers['aggregations.run'](barsContract['aggregations.run'].input.parse(asked), context))
      .data
  }
  expect(await ask({})).toMatchObject([
    {
      window_end: '2026-03-10T01:01:30.000000Z',
      trade_count: 2,
      twap: '1.66666667',
      spread: { quotes: 1, greatest: '1' },
    },
  ])
  expect(await ask({ interval: '1m' })).toMatchObject([
    { window_end: '2026-03-10T01:01:00.000000Z', trade_count: 2, twap: '1.5', spread: { two_sided_seconds: 60 } },
  ])
})

it('joins in a replay session no trade, no quote and no middle from the clock on', async () => {
  const session = await openSession(
    ['01:00:00', '01:00:05', '01:00:20'].map((time, i) => trade(at(time), String(i + 1))),
    [
      { micros: at('01:00:00'), bid: '1', ask: '3' },
      { micros: at('01:00:10'), bid: '5', ask: '9' },
    ],
  )
  session.stand(at('01:00:10'))
  const asked = { symbol: 'BHP', replay_session: SESSION, horizons_ms: [4_000, 9_000], window_after_ms: 60_000 }
  const { data } = await session.handlers['asof.join'](asofContract['asof.join'].input.parse(asked), context)
  expect(rowsOf(data)).toMatchObject([
    { price: '1', mids: { 4000: '2', 9000: '2' }, window_trade_count: 2 },
    { price: '2', mids: { 4000: '2' }, window_trade_count: 1 },
  ])
  expect(rowsOf(data).every(row => (row.exchange_timestamp as string) < timestampText(at('01:00:10')))).toBe(true)
})
