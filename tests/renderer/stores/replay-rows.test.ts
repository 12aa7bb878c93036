// The tape of a replay against a session of a hundred rows: whatever is stepped, sought and turned, and however late its
// batches are, the tape shows the rows before the clock.
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { emptyBatch, type ColumnBatch } from '../../../src/contract/columns.ts'
import { REPLAYED } from '../../../src/contract/replay-sessions.ts'
import { createInstruments } from '../../../src/renderer/stores/instruments.ts'
import type { K2Client } from '../../../src/renderer/stores/link.ts'
import { createReplayRows, type Followed } from '../../../src/renderer/stores/replay-rows.ts'
import { heldRows, slotOf } from '../../../src/renderer/stores/ring.ts'
import type { TradeFeed } from '../../../src/renderer/stores/trades.ts'
import { until } from '../../support/page-link.ts'

const COUNT = 100
/** Three rows of each time, told apart by their quantity. */
const timeOf = (row: number) => (1 + Math.floor(row / 3)) * 1e6

function batch(rows: readonly number[]): ColumnBatch {
  const { columns } = emptyBatch(REPLAYED.trades.columns)
  const words = (list: readonly string[]) => ({
    type: 'string' as const,
    values: Uint32Array.from(list.keys()),
    words: list,
  })
  const plain = (type: 'timestamp' | 'int' | 'long', list: readonly number[]) => ({
    type,
    values: Float64Array.from(list),
  })
  const of = {
    message_id: words(rows.map(row => `m${row}`)),
    symbol: words(rows.map(() => 'BHP')),
    exchange: words(rows.map(() => 'ASX')),
    side: words(rows.map(() => 'BUY')),
    trade_conditions: { type: 'list' as const, values: Uint32Array.from(rows, () => 0), words: [[]] },
    exchange_timestamp: plain('timestamp', rows.map(timeOf)),
    price: { type: 'decimal' as const, scale: 0, values: Float64Array.from(rows, () => 1) },
    quantity: { type: 'decimal' as const, scale: 0, values: Float64Array.from(rows) },
    _partition: plain('int', rows.map(() => 0)), // prettier-ignore
    _offset: plain('long', rows),
    source_sequence: plain('long', rows),
  }
  return { rowCount: rows.length, columns: { ...columns, ...of } }
}

/** Its batches reach the reader when `deliver` is called; its lists are answered at once, of the clock as it is then. */
function session() {
  const now = { place: 30, turns: 0, direction: 'forward' as 'forward' | 'backward' }
  const underWay: Followed[] = []
  const quotes = emptyBatch(REPLAYED.quotes.columns)
  const list = async (rows: ColumnBatch) => {
    await Promise.resolve()
    return { data: rows }
  }
  const before = () => Array.from({ length: now.place }, (_, row) => now.place - 1 - row)
  const client = {
    'trades.list': () => list(batch(before())),
    'quotes.list': () => list(emptyBatch(REPLAYED.quotes.columns)),
  }
  return {
    now,
    underWay,
    client: client as unknown as K2Client,
    step(by: number) {
      const to = Math.min(COUNT, Math.max(0, now.place + by))
      if (to === now.place) return
      const direction = to > now.place ? 'forward' : 'backward'
      if (direction !== now.direction) now.turns++
      now.direction = direction
      const rows = Array.from({ length: Math.abs(to - now.place) }, (_, i) =>
        by > 0 ? now.place + i : now.place - 1 - i,
      )
      now.place = to
      const { turns } = now
      underWay.push({
        trades: batch(rows),
        quotes,
        clock: null,
        state: 'playing',
        cursor: '',
        missed: 0,
        turns,
        direction,
      })
    },
    seek(to: number) {
      now.place = to
      now.turns++
      now.direction = 'forward'
    },
  }
}

const quantities = ({ ring }: TradeFeed) =>
  Array.from(
    { length: heldRows(ring) },
    (_, i) => ring.decimals.quantity.unscaled[slotOf(ring, ring.end - heldRows(ring) + i)],
  )

describe('the tape of a replay', () => {
  it('shows the rows before the clock after any steps, jumps and turns', { timeout: 60_000 }, async () => {
    const step = fc.record({ kind: fc.constant('step' as const), by: fc.integer({ min: -12, max: 12 }) })
    const seek = fc.record({ kind: fc.constant('seek' as const), to: fc.integer({ min: 0, max: COUNT }) })
    const deliver = fc.constant({ kind: 'deliver' as const })
    const wait = fc.constant({ kind: 'wait' as const })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(step, seek, deliver, wait), { maxLength: 25 }), async moves => {
        const played = session()
        const instruments = createInstruments()
        let shown: TradeFeed | undefined
        const rows = createReplayRows({
          client: played.client,
          session: 's',
          instrument: instruments.find('BHP', 'ASX'),
          instruments,
          show: trades => (shown = trades),
          failed: message => {
            throw new Error(message)
          },
        })
        const deliverAll = () => played.underWay.splice(0).forEach(rows.take)
        rows.turned(0)
        for (const move of moves) {
          if (move.kind === 'step') played.step(move.by)
          else if (move.kind === 'seek') {
            played.seek(move.to)
            rows.turned(played.now.turns)
          } else if (move.kind === 'deliver') deliverAll()
          else await new Promise(resolve => setTimeout(resolve, 1))
        }
        deliverAll()
        const expected = JSON.stringify(Array.from({ length: played.now.place }, (_, row) => row))
        await until(() => shown !== undefined && JSON.stringify(quantities(shown)) === expected)
        rows.close()
      }),
      { numRuns: 60 },
    )
  })

  it('says what the tables answered when they could not give the rows before', async () => {
    const instruments = createInstruments()
    const failures: string[] = []
    const fail = () => Promise.reject(new Error('The tables cannot be read.'))
    const rows = createReplayRows({
      client: { 'trades.list': fail, 'quotes.list': fail } as unknown as K2Client,
      session: 's',
      instrument: instruments.find('BHP', 'ASX'),
      instruments,
      show: () => {},
      failed: message => failures.push(message),
    })
    onTestFinished(() => rows.close())
    rows.turned(0)
    await until(() => failures.length > 0)
    expect(failures).toEqual(['The tables cannot be read.'])
  })
})
