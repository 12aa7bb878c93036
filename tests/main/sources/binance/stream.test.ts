// The stream against a server that speaks the exchange's protocol, and fails as the real one does.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../../../src/main/market/avro-schemas.ts'
import { startBinanceServer } from '../../../support/binance-server.ts'
import { collectMemory } from '../../../support/collect-memory.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { ascending, idsOf, quotesIn, tradesIn, upTo } from './read-messages.ts'
import { connected, held, openLog, openServer, SOON, start } from './run-stream.ts'

describe('what comes in', () => {
  it('is in the log as it was said, exact, with the side of the aggressor and the times of the exchange', async () => {
    const [server, log] = [await openServer(), openLog()]
    const running = start(server, log)
    await connected(server)
    server.trade('BTCUSDT', 3)
    server.trade('ETHUSDT', 2)
    server.quote('BTCUSDT', { ask: '0.00000000' })
    server.quote('BTCUSDT', { bid: '1234567890.12345678' })
    await vi.waitFor(() => expect(running.now()).toMatchObject({ state: 'connected', messages: 7 }), SOON)
    expect(await running.stop()).toMatchObject({
      state: 'stopped',
      trades: 5,
      quotes: 2,
      errors: 0,
      gaps: 0,
      why: null,
    })
    const rows = await tradesIn(log)
    for (const trade of server.trades) {
      const row = rows.find(({ symbol, trade_id }) => symbol === trade.symbol && trade_id === String(trade.id))!
      expect(row).toMatchObject({
        message_id: `BINANCE:${trade.time}:${trade.symbol}:${trade.id}`,
        exchange: 'BINANCE',
        asset_class: 'crypto',
        exchange_timestamp: new Date(trade.time).toISOString().replace('Z', '000Z'),
        price: trade.price.replace(/\.?0+$/, ''),
        quantity: trade.quantity.replace(/\.?0+$/, ''),
        currency: 'USDT',
        side: trade.isBuyerMaker ? 'SELL' : 'BUY',
        source_sequence: String(trade.id),
        vendor_data: null,
      })
    }
    const [oneSided, wide] = await quotesIn(log)
    expect(oneSided).toMatchObject({ quote_id: '1', bid_price: '9.5', ask_price: null, ask_quantity: null })
    expect(wide).toMatchObject({ quote_id: '2', bid_price: '1234567890.12345678', ask_price: '9.6', ask_quantity: '2' })
    // The exchange tells no time of a quote: it is ours, and says so.
    expect(wide).toMatchObject({ vendor_data: { time: 'received' }, source_sequence: null })
    expect(wide.exchange_timestamp).toBe(wide.ingestion_timestamp)
  })

  it('is exactly so many when a number is given', async () => {
    const [server, log] = [await openServer(), openLog()]
    const running = start(server, log, { maxMessages: 10 })
    await connected(server)
    server.trade('BTCUSDT', 25)
    expect(await running.ended).toMatchObject({ state: 'stopped', messages: 10, trades: 10 })
    expect(idsOf(await tradesIn(log), 'BTCUSDT')).toEqual(upTo(10))
    expect(server.open()).toBe(0)
  })

  it('that is not understood is counted and kept with its text, and nothing else suffers', async () => {
    const [server, log, folder] = [await openServer(), openLog(), makeTempFolder()]
    const running = start(server, log, { folder })
    await connected(server)
    server.trade('BTCUSDT')
    const price = '{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":9,"T":1,"p":"1e","q":"1","m":true}}'
    for (const text of ['{"half', '[1]', '{"e":"depthUpdate","s":"BTCUSDT"}', price]) server.send(text)
    server.sendInFrames(JSON.stringify({ e: 'trade', s: 'BTCUSDT', t: 2, T: 1, p: '1', q: '1', m: true }), 7)
    server.trade('BTCUSDT', 0)
    await vi.waitFor(() => expect(running.now()).toMatchObject({ messages: 2, errors: 4, reconnects: 0 }), SOON)
    await running.stop()
    const kept = readFileSync(join(folder, 'not-understood.jsonl'), 'utf8').trimEnd().split('\n')
    expect(kept.map(line => JSON.parse(line) as object)).toMatchObject([
      { reason: 'bad_json', text: '{"half' },
      { reason: 'bad_json', text: '[1]' },
      { reason: 'unknown_event' },
      { reason: 'bad_value', error: 'p "1e" is not a number', text: price },
    ])
    expect(running.counted.get('k2_binance_message_errors_total bad_json')).toBe(2)
  })
})

describe('a connection', () => {
  it('that drops again and again loses and doubles nothing: what was missed is fetched', async () => {
    const [server, log] = [await openServer(), openLog()]
    const running = start(server, log)
    await connected(server)
    server.trade('BTCUSDT')
    server.trade('ETHUSDT')
    await held(log, 2)
    for (let round = 0; round < 8; round++) {
      server.trade('BTCUSDT', 20)
      if (round % 3 === 0) server.sendHalfFrame()
      else if (round % 3 === 1) server.drop()
      else server.close(1001, '24 hours are over')
      await vi.waitFor(() => expect(server.open()).toBe(0), SOON)
      server.trade('BTCUSDT', 1500)
      server.trade('ETHUSDT', 3)
      await connected(server)
      server.trade('BTCUSDT', 5)
      server.trade('ETHUSDT', 1)
    }
    await held(log, server.trades.length)
    const rows = await tradesIn(log)
    expect(ascending(idsOf(rows, 'BTCUSDT'))).toEqual(upTo(1 + 8 * 1525))
    expect(ascending(idsOf(rows, 'ETHUSDT'))).toEqual(upTo(1 + 8 * 4))
    const totals = await running.stop()
    expect(totals).toMatchObject({ reconnects: 8, trades: server.trades.length })
    expect(totals.backfilled).toBe(totals.gaps)
    expect(totals.gaps).toBeGreaterThanOrEqual(8 * 1503)
  })

  it('that is refused is tried again, each time later', async () => {
    const [server, log] = [await openServer(), openLog()]
    server.refuse(true)
    const running = start(server, log)
    await vi.waitFor(() => expect(running.now().reconnects).toBeGreaterThan(3), SOON)
    expect(running.now()).toMatchObject({ state: 'connecting' })
    expect(running.now().why).toMatch(/^Not connected: .*503.* The next attempt is in/)
    server.refuse(false)
    await connected(server)
    await vi.waitFor(() => expect(running.now()).toMatchObject({ state: 'connected', why: null }), SOON)
    expect(running.counted.get('k2_binance_connection_errors_total refused')).toBeGreaterThan(3)
  })

  it('that falls silent is left for another one', async () => {
    const [server, log] = [await openServer(), openLog()]
    const running = start(server, log, { timing: { silenceMs: 200 } })
    await connected(server)
    server.trade('BTCUSDT')
    await held(log, 1)
    server.stall()
    server.trade('BTCUSDT', 10)
    await vi.waitFor(() => expect(running.now().reconnects).toBe(1), SOON)
    await vi.waitFor(() => expect(server.connections.length).toBe(2), SOON)
    await setTimeout(50)
    server.trade('BTCUSDT')
    await held(log, 12)
    expect(running.counted.get('k2_binance_reconnects_total silent')).toBe(1)
  })

  it('that is only quiet stays, as its pings are answered, and the server’s are', async () => {
    const [server, log] = [await openServer(), openLog()]
    const running = start(server, log, { timing: { silenceMs: 200 } })
    await connected(server)
    expect(await server.ping()).toBe(1)
    await setTimeout(800)
    expect(server.connections.length).toBe(1)
    expect((await running.stop()).reconnects).toBe(0)
  })

  it('whose stream has dried up is left, though it answers', async () => {
    const [server, log] = [await openServer(), openLog()]
    start(server, log, { timing: { silenceMs: 1000, quietMs: 200 } })
    await vi.waitFor(() => expect(server.connections.length).toBeGreaterThan(2), SOON)
  })

  it('is replaced though memory is collected meanwhile', async () => {
    const [server, log] = [await openServer(), openLog()]
    start(server, log, { timing: { rotateMs: 200, overlapMs: 20 } })
    await connected(server)
    for (let i = 0; i < 5; i++) {
      await setTimeout(10)
      collectMemory()
    }
    await vi.waitFor(() => expect(server.connections.length).toBeGreaterThan(1), SOON)
  })

  it('is replaced before the exchange ends it, and the overlap doubles nothing', async () => {
    const [server, log] = [await openServer(), openLog()]
    const running = start(server, log, { timing: { rotateMs: 200, overlapMs: 100 } })
    await connected(server)
    const until = performance.now() + 12_000
    let overlaps = 0
    while ((overlaps <= 10 || server.connections.length <= 4) && performance.now() < until) {
      server.trade('BTCUSDT', 3)
      server.quote('BTCUSDT')
      if (server.open() === 2) overlaps++
      await setTimeout(5)
    }
    await held(log, server.trades.length)
    expect(overlaps).toBeGreaterThan(10)
    const totals = await running.stop()
    expect(totals.reconnects).toBeGreaterThan(2)
    expect(totals).toMatchObject({ gaps: 0, backfilled: 0 })
    expect(idsOf(await tradesIn(log), 'BTCUSDT')).toEqual(upTo(server.trades.length))
    const quoted = idsOf(await quotesIn(log), 'BTCUSDT')
    expect(quoted).toEqual(upTo(server.quotes.length))
  })

  it('of which the exchange says that it will close it is replaced at once', async () => {
    const [server, log] = [await openServer(), openLog()]
    start(server, log)
    await connected(server)
    server.send('{"e":"serverShutdown","E":1}')
    await vi.waitFor(() => expect(server.connections.length).toBeGreaterThan(1), SOON)
    await connected(server, 1)
  })

  it('asks for many symbols within the limits', async () => {
    const [server, log] = [await openServer(), openLog()]
    const symbols = Array.from({ length: 200 }, (_, i) => `S${i}USDT`)
    start(server, log, { symbols })
    await vi.waitFor(() => expect(server.connections[0]?.inMessages.length).toBe(3), SOON)
    const [{ inAddress, inMessages, messageMs }] = server.connections
    const asked = [...inAddress, ...inMessages.flat()]
    expect(new Set(asked)).toEqual(
      new Set(symbols.flatMap(symbol => [`${symbol.toLowerCase()}@trade`, `${symbol.toLowerCase()}@bookTicker`])),
    )
    expect(inAddress.join('/').length).toBeLessThan(4000)
    expect(messageMs[2] - messageMs[0]).toBeGreaterThan(500)
    server.trade('S199USDT')
    await held(log, 1)
  })
})

describe('a gap', () => {
  it('is filled from the exchange’s history, also when that is busy at first', async () => {
    const [server, log] = [await openServer(), openLog()]
    let refusals = 3
    server.rest.answer = ({ pathname }) =>
      pathname.endsWith('historicalTrades') && refusals-- > 0
        ? { status: refusals === 1 ? 500 : 429, headers: { 'retry-after': '0' }, body: '{"msg":"Too many requests"}' }
        : undefined
    const running = start(server, log)
    await connected(server)
    server.trade('BTCUSDT')
    await held(log, 1)
    server.trade('BTCUSDT', 10, true)
    server.trade('BTCUSDT')
    await held(log, 12)
    await vi.waitFor(() => expect(running.now()).toMatchObject({ gaps: 10, backfilled: 10, reconnects: 0 }), SOON)
    // Live ones are not held up: they come first.
    expect(idsOf(await tradesIn(log), 'BTCUSDT')).toEqual([1, 12, ...upTo(11).slice(1)])
  })

  it('over a restart is filled like any other', async () => {
    const [server, log, folder] = [await openServer(), openLog(), makeTempFolder()]
    const first = start(server, log, { folder })
    await connected(server)
    server.trade('BTCUSDT', 5)
    server.trade('ETHUSDT', 3)
    await held(log, 8)
    await first.stop()
    server.trade('BTCUSDT', 20)
    const second = start(server, log, { folder })
    await connected(server)
    server.trade('BTCUSDT')
    server.trade('ETHUSDT')
    await held(log, 30)
    await vi.waitFor(() => expect(second.now()).toMatchObject({ gaps: 20, backfilled: 20 }), SOON)
    const trades = await tradesIn(log)
    expect(ascending(idsOf(trades, 'BTCUSDT'))).toEqual(upTo(26))
    expect(ascending(idsOf(trades, 'ETHUSDT'))).toEqual(upTo(4))
  })

  it('that was not filled when the stream stopped is filled by the next', async () => {
    const [server, log, folder] = [await openServer(), openLog(), makeTempFolder()]
    server.rest.answer = ({ pathname }) =>
      pathname.endsWith('historicalTrades') ? { status: 500, body: '{"msg":"not now"}' } : undefined
    const first = start(server, log, { folder })
    await connected(server)
    server.trade('BTCUSDT')
    await held(log, 1)
    server.trade('BTCUSDT', 5, true)
    server.trade('BTCUSDT')
    await held(log, 2)
    await first.stop()
    server.rest.answer = undefined
    start(server, log, { folder })
    await held(log, 7)
    expect(ascending(idsOf(await tradesIn(log), 'BTCUSDT'))).toEqual(upTo(7))
  })

  it('is none when the exchange counts anew, or another one is followed', async () => {
    const [server, log, folder] = [await openServer(), openLog(), makeTempFolder()]
    const first = start(server, log, { folder })
    await connected(server)
    server.trade('BTCUSDT', 50)
    await held(log, 50)
    await first.stop()
    await server.stop()
    const emptied = await startBinanceServer({ port: Number(new URL(server.url).port) })
    onTestFinished(() => emptied.stop())
    const second = start(emptied, log, { folder })
    await connected(emptied)
    emptied.trade('BTCUSDT', 10)
    await held(log, 60)
    await second.stop()
    const other = await startBinanceServer({ firstId: 1000 })
    onTestFinished(() => other.stop())
    const third = start(other, log, { folder })
    await connected(other)
    other.trade('BTCUSDT', 2)
    await held(log, 62)
    expect([await second.ended, await third.stop()]).toMatchObject([{ gaps: 0 }, { gaps: 0 }])
    expect([...emptied.rest.requests, ...other.rest.requests].join()).not.toContain('historicalTrades')
  })

  it('is none where what was kept of the run before is spoilt', async () => {
    const [server, log] = [await openServer(), openLog()]
    for (const text of [
      '',
      '{',
      'null',
      `{"source":"${server.url}"}`,
      `{"source":"${server.url}","symbols":{"BTCUSDT":{"last":"1"}}}`,
    ]) {
      const folder = makeTempFolder()
      writeFileSync(join(folder, 'trade-ids.json'), text)
      const running = start(server, log, { folder })
      await connected(server)
      server.trade('BTCUSDT', 2)
      await vi.waitFor(() => expect(running.now()).toMatchObject({ trades: 2, gaps: 0 }), SOON)
      await running.stop()
    }
  })

  it('that nobody can fill is counted, and the stream goes on', async () => {
    const [server, log] = [await openServer(), openLog()]
    server.rest.answer = () => ({ status: 403, body: '{"msg":"not here"}' })
    const running = start(server, log)
    await connected(server)
    server.trade('BTCUSDT')
    await held(log, 1)
    server.trade('BTCUSDT', 5, true)
    server.trade('BTCUSDT')
    await vi.waitFor(() => expect(running.now()).toMatchObject({ gaps: 5, backfilled: 0, messages: 2 }), SOON)
    const asked = server.rest.requests.length
    server.trade('BTCUSDT')
    await held(log, 3)
    expect(server.rest.requests.length).toBe(asked)
  })
})

describe('pairs', () => {
  it('have the currency that the exchange says, and refuse what it does not know', async () => {
    const [server, log] = [await openServer(), openLog()]
    const running = start(server, log, { symbols: ['ABCXYZ'] })
    await connected(server)
    server.trade('ABCXYZ')
    await held(log, 1)
    expect((await tradesIn(log))[0].currency).toBe('XYZ')
    await running.stop()
    const refused = start(server, log, { symbols: ['BTCUSDT', 'NOSUCH', 'ETHUSDT'] }).ended
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await expect(refused).rejects.toThrow('Binance does not know NOSUCH.')
  })

  it('have that of their name where it cannot be asked', async () => {
    const [server, log] = [await openServer(), openLog()]
    server.rest.answer = () => ({ status: 503, body: '' })
    start(server, log, { symbols: ['ETHFDUSD'] })
    await connected(server)
    server.trade('ETHFDUSD')
    await held(log, 1)
    expect((await tradesIn(log))[0].currency).toBe('FDUSD')
  })
})

it('waits for the registry before it connects', async () => {
  const [server, log] = [await openServer(), openLog()]
  let isAway = true
  const running = start(server, log, {
    schemaIdOf: (_, table) => {
      if (isAway) throw new Failure('UNAVAILABLE', 'The registry does not answer.')
      return EMBEDDED_SCHEMA_IDS[table]
    },
  })
  await vi.waitFor(() => expect(running.now()).toMatchObject({ why: 'The registry does not answer.' }), SOON)
  expect(server.connections).toEqual([])
  isAway = false
  await connected(server)
})
