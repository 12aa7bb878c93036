// The tail's capabilities as callers have them: checked inputs, answers that keep the contract, over a real log.
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Context } from '../../../src/contract/capability.ts'
import { rowsOf, type ColumnBatch } from '../../../src/contract/columns.ts'
import type { QueryMeta } from '../../../src/contract/fields.ts'
import { contract } from '../../../src/contract/index.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { FollowBatch } from '../../../src/main/tail/follow.ts'
import { tailHandlers } from '../../../src/main/tail/handlers.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { produced, type SampleRow } from '../../support/market-messages.ts'
import { manualClock, SECOND, START } from '../../support/tail.ts'

const names = ['trades.recent', 'quotes.recent', 'symbols.list', 'tail.follow'] as const
const share = Object.fromEntries(names.map(name => [name, contract[name]])) as Pick<
  typeof contract,
  (typeof names)[number]
>
const row = (id: number, changes: Partial<SampleRow> = {}): SampleRow => ({
  symbol: 'BHP',
  id,
  micros: START + id,
  ...changes,
})

interface Answer<D> {
  data: D
  query: QueryMeta
}

async function openEngine() {
  const clock = manualClock()
  const log = createEmbeddedLog({ maxBytes: 16e6, now: () => clock.micros })
  await log.createTopics(['trades', 'quotes'].map(kind => ({ name: `market.equities.${kind}.asx`, partitions: 4 })))
  const warnings: [string, object?][] = []
  const logger = { info: () => {}, warn: (...line: [string, object?]) => void warnings.push(line) }
  const engine = tailHandlers({ log, settings: { minutes: 5, maxPerSymbol: 10_000, maxMb: 16 }, logger, clock })
  onTestFinished(async () => {
    await engine.close()
    await log.close()
  })
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const context: Context = { signal: abort.signal, correlationId: 'test', door: 'direct' }
  const dispatch = createDispatch(share, engine.handlers, { checkAnswers: true })
  const ask = async <D>(name: string, input: object) => (await dispatch(name, input, context)) as Answer<D>

  async function append(dataType: 'trades' | 'quotes', rows: SampleRow[]): Promise<void> {
    const total = async () => (await engine.stats())[dataType].total_messages
    const before = await total()
    await log.append(`market.equities.${dataType}.asx`, produced(dataType, rows))
    await vi.waitFor(async () => expect(await total()).toBe(before + rows.length), { interval: 5 })
  }
  return { engine, log, clock, dispatch, context, ask, append, warnings }
}

describe('the tail answers', () => {
  it.each(['trades', 'quotes'] as const)(
    'the newest %s with where they come from, how fresh and how complete',
    async dataType => {
      const { ask, append, clock } = await openEngine()
      await append(dataType, [row(1), row(2), row(3)])
      clock.micros += 2 * SECOND
      const { data, query } = await ask<ColumnBatch>(`${dataType}.recent`, { symbol: 'BHP', exchange: 'asx', limit: 2 })
      expect(rowsOf(data).map(({ symbol, _offset }) => [symbol, _offset])).toEqual([
        ['BHP', '1'],
        ['BHP', '2'],
      ])
      expect(query).toEqual({
        ms: expect.any(Number) as number,
        engine: 'tail',
        snapshot_id: null,
        sources: { tail: { rows: 2, ms: expect.any(Number) as number } },
        watermark: '2026-11-21T10:00:00.000003Z',
        freshness_ms: 1999.997,
        partial: true,
        why: 'Only the last 5 minutes held in memory: the tables cannot be read at present.',
      })
    },
  )

  it('no rows for a symbol it does not know, and none at all while it is empty', async () => {
    const { ask, append } = await openEngine()
    const none = await ask<ColumnBatch>('trades.recent', { symbol: 'NONE', exchange: 'ASX' })
    expect(none).toMatchObject({ data: { rowCount: 0 }, query: { watermark: null, freshness_ms: null, partial: true } })
    await append('trades', [row(1)])
    expect((await ask<ColumnBatch>('trades.recent', { symbol: 'bhp', exchange: 'ASX' })).data.rowCount).toBe(0)
    expect((await ask<ColumnBatch>('trades.recent', { symbol: 'BHP', exchange: 'CXA' })).data.rowCount).toBe(0)
  })

  it('which instruments there are, with trades and quotes together', async () => {
    const { ask, append } = await openEngine()
    await append('trades', [row(1), row(5), row(3, { symbol: 'CBA' })])
    await append('quotes', [row(9), row(2, { symbol: 'BTCUSDT', exchange: 'BINANCE', assetClass: 'crypto' })])
    const { data } = await ask<object[]>('symbols.list', {})
    const common = { exchange: 'ASX', asset_class: 'equities', company_name: null }
    expect(data).toEqual([
      {
        ...common,
        symbol: 'BHP',
        first_seen: '2026-11-21T10:00:00.000001Z',
        last_seen: '2026-11-21T10:00:00.000009Z',
        trades: 2,
        quotes: 1,
      },
      {
        ...common,
        symbol: 'CBA',
        first_seen: '2026-11-21T10:00:00.000003Z',
        last_seen: '2026-11-21T10:00:00.000003Z',
        trades: 1,
        quotes: 0,
      },
      expect.objectContaining({ symbol: 'BTCUSDT', exchange: 'BINANCE', asset_class: 'crypto', trades: 0, quotes: 1 }),
    ])
    expect((await ask<object[]>('symbols.list', { exchange: 'binance' })).data).toHaveLength(1)
  })

  it('rows as they arrive', async () => {
    const { dispatch, context, append } = await openEngine()
    await append('quotes', [row(1), row(2)])
    const input = { data_type: 'quotes', symbols: ['BHP'], backlog: 1 }
    const batches = (dispatch('tail.follow', input, context) as AsyncIterable<FollowBatch>)[Symbol.asyncIterator]()
    const first = (await batches.next()).value as FollowBatch
    expect(rowsOf(first.rows).map(({ quote_id: id }) => id)).toEqual(['2'])
    await append('quotes', [row(3)])
    const second = (await batches.next()).value as FollowBatch
    expect(rowsOf(second.rows).map(({ quote_id: id }) => id)).toEqual(['3'])
    await batches.return?.()
  })

  it('with what it holds, in the words of the contract', async () => {
    const { engine, append } = await openEngine()
    await append('trades', [row(1), row(2)])
    await append('trades', [row(3, { symbol: 'CBA', logMicros: START + 60 * SECOND })])
    const { tail } = contract['stats.get'].output.shape
    const { trades, quotes } = tail.parse(await engine.stats())
    expect(trades).toMatchObject({
      is_running: true,
      symbols_count: 2,
      total_messages: 3,
      held_messages: 3,
      oldest: '2026-11-21T10:00:00.000001Z',
      newest: '2026-11-21T10:01:00.000000Z',
      undecodable: 0,
    })
    expect(trades.buffer_minutes).toBeCloseTo(1, 3)
    expect(trades.partitions).toHaveLength(4)
    expect(quotes).toMatchObject({ held_messages: 0, oldest: null, newest: null, buffer_minutes: 0 })
  })

  it('and names what it cannot read, ten times a second at most, but counts it all', async () => {
    const { engine, log, warnings, append } = await openEngine()
    const garbage = {
      count: 50,
      keys: new Array<string>(50).fill('BHP'),
      values: Buffer.alloc(50),
      ends: new Uint32Array(50).map((_, i) => i + 1),
    }
    await log.append('market.equities.trades.asx', garbage)
    await append('trades', [row(1)])
    expect((await engine.stats()).trades.undecodable).toBe(50)
    expect(warnings).toHaveLength(10)
    expect(warnings[0]).toEqual([
      'A message cannot be read: The message is not in Confluent wire format.',
      { topic: 'market.equities.trades.asx', partition: expect.any(Number) as number, offset: 0 },
    ])
  })
})
