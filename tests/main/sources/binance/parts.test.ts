// The parts that decide without any network: what a message says, which trades have come, what a pair is quoted in.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quoteAssetOf } from '../../../../src/main/sources/binance/quote-asset.ts'
import { NotUnderstood, readEvent } from '../../../../src/main/sources/binance/read-event.ts'
import { restBaseOf } from '../../../../src/main/sources/binance/rest.ts'
import { addressOf, streamsOf } from '../../../../src/main/sources/binance/streams.ts'
import { countIds, createTradeIds } from '../../../../src/main/sources/binance/trade-ids.ts'

describe('a message', () => {
  const trade = {
    e: 'trade',
    E: 1,
    s: 'BTCUSDT',
    t: 12345,
    p: '0.00100000',
    q: '100',
    T: 1672515782136,
    m: true,
    M: true,
  }

  it('is a trade, with times in milliseconds or microseconds, alone or in its stream', () => {
    const expected = {
      kind: 'trade',
      symbol: 'BTCUSDT',
      id: 12345,
      micros: 1672515782136000,
      price: 100_000,
      quantity: 1e10,
      isBuyerMaker: true,
    }
    expect(readEvent(JSON.stringify(trade))).toEqual(expected)
    expect(readEvent(JSON.stringify({ stream: 'btcusdt@trade', data: trade }))).toEqual(expected)
    const inMicros = { ...trade, T: 1672515782136789, b: 88, a: 50 }
    const orders = { buyerOrder: '88', sellerOrder: '50' }
    expect(readEvent(JSON.stringify(inMicros))).toEqual({ ...expected, ...orders, micros: 1672515782136789 })
  })

  it('is a best quote, whose side without a price is empty', () => {
    const quote = { u: 400900217, s: 'BNBUSDT', b: '25.3519', B: '31.21', a: '0.00000000', A: '0.00000000' }
    expect(readEvent(JSON.stringify({ stream: 'bnbusdt@bookTicker', data: quote }))).toEqual({
      kind: 'quote',
      symbol: 'BNBUSDT',
      id: 400900217,
      bidPrice: 2_535_190_000,
      bidQuantity: 3_121_000_000,
      askPrice: NaN,
      askQuantity: NaN,
    })
  })

  it.each([
    ['{"result":null,"id":1}', { kind: 'answer' }],
    ['{"error":{"code":2,"msg":"Invalid request"},"id":1}', { kind: 'answer', problem: 'Invalid request' }],
    ['{"code":0,"msg":"Unknown property"}', { kind: 'answer', problem: 'Unknown property' }],
    ['{"e":"serverShutdown","E":1770123456789}', { kind: 'shutdown' }],
  ])('%s is no market data', (text, event) => expect(readEvent(text)).toEqual(event))

  it.each([
    ['', 'bad_json'],
    ['"text"', 'bad_json'],
    ['{"e":"kline"}', 'unknown_event'],
    ['{"stream":"x","data":null}', 'unknown_event'],
    [JSON.stringify({ ...trade, p: 0.001 }), 'bad_value'],
    [JSON.stringify({ ...trade, p: '1,5' }), 'bad_value'],
    [JSON.stringify({ ...trade, p: '0.000000001' }), 'bad_value'],
    [JSON.stringify({ ...trade, q: '12345678901' }), 'bad_value'],
    [JSON.stringify({ ...trade, t: '5' }), 'bad_value'],
    [JSON.stringify({ ...trade, t: undefined }), 'bad_value'],
    [JSON.stringify(trade).replace('12345', '9007199254740993'), 'bad_value'],
    [JSON.stringify({ ...trade, m: 1 }), 'bad_value'],
    [JSON.stringify({ ...trade, s: 'A B' }), 'bad_value'],
  ])('%s is not understood: %s', (text, reason) => {
    expect(() => readEvent(text)).toThrow(expect.objectContaining({ reason }) as NotUnderstood)
  })

  it('is read or not understood, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.dictionary(fc.constantFrom(...'estTpqmubBaA'), fc.jsonValue()).map(v => JSON.stringify(v)),
        ),
        text => {
          try {
            readEvent(text)
          } catch (error) {
            expect(error).toBeInstanceOf(NotUnderstood)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('ids of trades', () => {
  it('say what is new, what is missing, and what repeats', () => {
    const ids = createTradeIds()
    expect(ids.take('A', 10)).toEqual({ isNew: true })
    expect(ids.take('A', 11)).toEqual({ isNew: true })
    expect(ids.take('A', 11)).toEqual({ isNew: false })
    expect(ids.take('A', 15)).toEqual({ isNew: true, gap: { from: 12, to: 14 } })
    expect(ids.take('B', 15)).toEqual({ isNew: true })
    expect(ids.take('A', 13)).toEqual({ isNew: true })
    expect(ids.take('A', 13)).toEqual({ isNew: false })
    expect(ids.take('A', 9)).toEqual({ isNew: false })
    expect(ids.missingIn('A', { from: 0, to: 100 })).toEqual([
      { from: 12, to: 12 },
      { from: 14, to: 14 },
    ])
    expect(ids.giveUp('A', { from: 0, to: 13 })).toBe(1)
    expect(ids.take('A', 12)).toEqual({ isNew: false })
    expect(ids.take('A', 14)).toEqual({ isNew: true })
  })

  it('begin anew when the exchange does', () => {
    const ids = createTradeIds()
    ids.take('A', 5_000_000)
    expect(ids.take('A', 3)).toEqual({ isNew: true, isReset: true })
    expect(ids.take('A', 4)).toEqual({ isNew: true })
  })

  it('go on where an earlier run has stopped', () => {
    const earlier = createTradeIds()
    for (const id of [10, 13]) earlier.take('A', id)
    earlier.take('B', 70)
    const ids = createTradeIds(earlier.state())
    // Fetched before anything comes live.
    expect(ids.take('A', 12)).toEqual({ isNew: true })
    expect(ids.take('A', 20)).toEqual({ isNew: true, gap: { from: 14, to: 19 } })
    expect(ids.take('A', 13)).toEqual({ isNew: false })
    expect(countIds(ids.missingIn('A', { from: 0, to: 100 }))).toBe(7)
    expect(ids.take('B', 3)).toEqual({ isNew: true, isReset: true })
    expect(ids.take('B', 4)).toEqual({ isNew: true })
    expect(earlier.state().A.last).toBe(13)
  })

  it('let each trade in once, in any order, with any repeats', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 200 }), sent => {
        const ids = createTradeIds()
        const taken = sent.filter(id => ids.take('A', id).isNew)
        const [first] = sent
        const wanted = new Set(sent.filter(id => id >= first))
        expect(taken.length).toBe(wanted.size)
        expect(new Set(taken)).toEqual(wanted)
        const highest = Math.max(...sent)
        expect(countIds(ids.missingIn('A', { from: 0, to: 1000 }))).toBe(highest - first + 1 - wanted.size)
      }),
    )
  })
})

it.each([
  ['BTCUSDT', 'USDT'],
  ['BTCFDUSD', 'FDUSD'],
  ['ETHBTC', 'BTC'],
  ['BNBETH', 'ETH'],
  ['USDTTRY', 'TRY'],
  ['USDCUSDT', 'USDT'],
  ['BTCEURI', 'EURI'],
  ['1000SATSUSDC', 'USDC'],
  ['USDT', undefined],
  ['ABCXYZ', undefined],
])('%s is quoted in %s', (symbol, asset) => expect(quoteAssetOf(symbol)).toBe(asset))

it('the longest ending of all decides, and the exchange’s own word before it', () => {
  expect(quoteAssetOf('XXXBUSD')).toBe('BUSD')
  expect(quoteAssetOf('ABCXYZ', new Map([['ABCXYZ', 'XYZ']]))).toBe('XYZ')
  expect(quoteAssetOf('BTCUSDT', new Map([['ABCXYZ', 'XYZ']]))).toBe('USDT')
})

it.each([
  ['wss://stream.binance.com:9443', 'https://api.binance.com'],
  ['wss://stream.binance.us:9443/ws', 'https://api.binance.us'],
  ['wss://data-stream.binance.vision', 'https://data-api.binance.vision'],
  ['wss://stream.testnet.binance.vision', 'https://testnet.binance.vision'],
  ['ws://127.0.0.1:5000', 'http://127.0.0.1:5000'],
  ['wss://example.org/stream', 'https://example.org'],
])('the stream at %s has its history at %s', (stream, rest) => expect(restBaseOf(stream)).toBe(rest))

it.each(['ws://h:1', 'ws://h:1/', 'ws://h:1/ws', 'ws://h:1/stream/'])('%s is asked for the combined stream', base => {
  expect(addressOf(base, streamsOf(['BTCUSDT']))).toBe('ws://h:1/stream?streams=btcusdt@trade/btcusdt@bookTicker')
})
