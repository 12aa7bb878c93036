import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText } from '../../../src/contract/columns.ts'
import { beginDraft, createDraft, wordOf } from '../../../src/main/market/forms/draft.ts'
import { createJsonReader } from '../../../src/main/market/forms/read-json.ts'
import { createStandardizer, noRegistry } from '../../../src/main/market/standardize.ts'
import { keyOf, valueOf } from '../../../src/main/market/log-batch.ts'
import { messageBatch, type MessageBatchOptions } from '../../support/message-batch.ts'
import { decodedRows } from '../../support/decoded-rows.ts'

const standardize = createStandardizer({ schemas: noRegistry })

function read(values: readonly (string | Uint8Array)[], options: Partial<MessageBatchOptions> = {}) {
  const batch = messageBatch(values, { topic: 'market.equities.trades.asx', ...options })
  return decodedRows(standardize(batch) as Awaited<ReturnType<typeof standardize>>)
}

const trade = { symbol: 'BHP', exchange_timestamp_ms: 1_412_319_434_754, price: 36.18, quantity: 400 }
/** A trade of which some of the JSON is given as text. */
function tradeWith(fields: Readonly<Record<string, string>>): string {
  const all = {
    ...Object.fromEntries(Object.entries(trade).map(([name, value]) => [name, JSON.stringify(value)])),
    ...fields,
  }
  return `{${Object.entries(all)
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    .join(',')}}`
}
const readTrade = (fields: Readonly<Record<string, string>>) => read([tradeWith(fields)])[0]

/** Names and texts of the values, by our own reader and by JSON.parse; nothing where it is no JSON object. */
function byOurs(text: string | Buffer): Record<string, string | undefined> | undefined {
  const draft = createDraft([])
  const bytes = Buffer.from(text)
  beginDraft(draft, bytes, 0, bytes.length)
  try {
    createJsonReader(draft, new Map())()
  } catch (error) {
    expect((error as { reason?: string }).reason).toBe('undecodable')
    return undefined
  }
  return Object.fromEntries(draft.names.map((name, slot) => [name, wordOf(draft, slot)]))
}

function isObject(text: string): boolean {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

describe('JSON', () => {
  const name = fc.string({ unit: 'grapheme' }).filter(text => text !== '__proto__')
  const anyObject = fc.dictionary(name, fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' }))

  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(anyObject, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        const expected = JSON.parse(text) as Record<string, unknown>
        const ours = Object.entries(byOurs(text) ?? {}).map(([name, word]) => {
          if (word === undefined) return [name, null]
          return [name, typeof expected[name] === 'string' ? word : (JSON.parse(word) as unknown)]
        })
        expect(Object.fromEntries(ours)).toEqual(expected)
      }),
    )
  })

  it('is told from what is none exactly as JSON.parse does, whatever a byte is changed into', () => {
    const texts = fc.oneof(
      anyObject.map(value => JSON.stringify(value)),
      fc.constant(tradeWith({ x: '[1,{"a":[]}]', y: '-1.5e+3' })),
    )
    const change = fc.record({ text: texts, at: fc.nat(), to: fc.constantFrom(...'{}[]",:\\0-.eE+ntfu \n\u0001x') })
    fc.assert(
      fc.property(change, ({ text, at, to }) => {
        const place = at % text.length
        const changed = text.slice(0, place) + to + text.slice(place + 1)
        expect(byOurs(changed) !== undefined).toBe(isObject(changed) && !/\\ud[89a-f]/i.test(changed))
      }),
      { numRuns: 2000 },
    )
  })

  it('with escapes is the text they mean, and half a character is none', () => {
    expect(byOurs('{"a\\u0041":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"}')).toEqual({ aA: '"\\/\b\f\n\r\té😀' })
    expect(byOurs('{"a":"\\ud83d"}')).toBeUndefined()
    expect(byOurs(Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]))).toBeUndefined()
  })

  it('of which a name comes twice has the later value, as JSON.parse has it', () => {
    expect(readTrade({ price: '1', ' price': '2' })).toMatchObject({ price: '1', vendor_data: { ' price': '2' } })
    expect(read(['{"symbol":"A",' + tradeWith({ symbol: '"B"' }).slice(1)])[0]).toMatchObject({ symbol: 'B' })
  })

  it('may begin with white space or a byte order mark', () => {
    expect(read([`\n\t ${tradeWith({})}`, `\ufeff${tradeWith({})}`])).toMatchObject([
      { symbol: 'BHP' },
      { symbol: 'BHP' },
    ])
  })

  it('nested without end, or of a million brackets, is refused at once', () => {
    const deep = `{"a":${'['.repeat(500_000)}`
    const wide = `{"a":[${'[],'.repeat(300_000)}[]]}`
    const begun = performance.now()
    expect(read([deep])).toMatchObject([{ reason: 'undecodable' }])
    expect(read([wide])).toMatchObject([{ reason: 'missing_field' }])
    expect(performance.now() - begun).toBeLessThan(2000)
  })

  it.each(['[]', '"text"', '1', 'null', '', ' ', '{', '{}x', '{"a":1}{"b":2}'])('that is %s is undecodable', text => {
    expect(read([text])).toMatchObject([{ reason: 'undecodable' }])
  })
})

describe('numbers', () => {
  it.each([
    ['36.18', '36.18'],
    ['-0.00000001', '-0.00000001'],
    ['9999999999.99999999', '9999999999.99999999'],
    ['"9007199254.74099301"', '9007199254.74099301'],
    ['1e3', '1000'],
    ['3.618E+1', '36.18'],
    ['0.10000000000000001', '0.1'],
    ['36.179999999999999716', '36.18'],
    ['36.1800000000000', '36.18'],
    ['"36.180000000000000000000"', '36.18'],
  ])('%s as a price is %s', (given, expected) => {
    expect(readTrade({ price: given })).toMatchObject({ price: expected })
  })

  it.each([
    ['0.123456789', 'has more than 8 decimals'],
    ['"0.10000000000000001"', 'has more than 8 decimals'],
    ['0.30000000000000004', 'has more than 8 decimals'],
    ['10000000000', 'has 11 integer digits, 10 at most'],
    ['1e11', 'has 12 integer digits, 10 at most'],
  ])('%s as a price is out of range', (given, why) => {
    expect(readTrade({ price: given })).toEqual({ reason: 'out_of_range', error: `price ${given} ${why}.` })
  })

  it.each(['"abc"', 'true', '{}', '[36]', '"1,000"', '"0x10"', '"NaN"'])('%s as a price is no number', given => {
    expect(readTrade({ price: given })).toMatchObject({ reason: 'invalid_value' })
  })

  it('are any double, by its shortest decimal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99_999_999 }), fc.integer({ min: 0, max: 6 }), (digits, places) => {
        const exact = decimalText(digits, places)
        expect(readTrade({ price: Number(exact).toPrecision(17) })).toMatchObject({ price: exact })
      }),
    )
  })

  it('are whole where they have to be', () => {
    expect(readTrade({ source_sequence: '5.0' })).toMatchObject({ source_sequence: '5' })
    expect(readTrade({ sequence_number: '"7"' })).toMatchObject({ source_sequence: '7' })
    expect(readTrade({ source_sequence: '5.5' })).toMatchObject({ reason: 'invalid_value' })
    expect(readTrade({ source_sequence: '9223372036854775808' })).toMatchObject({ reason: 'out_of_range' })
  })
})

describe('times', () => {
  const at = (fields: Readonly<Record<string, string>>) => readTrade({ exchange_timestamp_ms: 'null', ...fields })

  it.each([
    ['exchange_timestamp', '"2014-10-03T07:57:14.754123Z"', '2014-10-03T07:57:14.754123Z'],
    ['exchange_timestamp', '"2014-10-03T07:57:14.754123+10:00"', '2014-10-02T21:57:14.754123Z'],
    ['exchange_timestamp', '"2014-10-03 07:57:14"', '2014-10-03T07:57:14.000000Z'],
    ['exchange_timestamp', '1412319434754', '2014-10-03T06:57:14.754000Z'],
    ['exchange_timestamp', '1412319434754123', '2014-10-03T06:57:14.754123Z'],
    ['exchange_timestamp_ms', '1412319434754', '2014-10-03T06:57:14.754000Z'],
    ['exchange_timestamp_ms', '1412319434754.1239', '2014-10-03T06:57:14.754123Z'],
    ['exchange_timestamp_ms', '1.412319434754E12', '2014-10-03T06:57:14.754000Z'],
    ['exchange_timestamp_ms', '"1412319434754"', '2014-10-03T06:57:14.754000Z'],
    ['exchange_timestamp_ms', '0', '1970-01-01T00:00:00.000000Z'],
  ])('as %s %s', (name, given, expected) => {
    expect(at({ [name]: given })).toMatchObject({ exchange_timestamp: expected })
  })

  it('that is finer goes before the one in milliseconds', () => {
    expect(readTrade({ exchange_timestamp: '1412319434754123' })).toMatchObject({
      exchange_timestamp: '2014-10-03T06:57:14.754123Z',
    })
  })

  it.each([
    ['exchange_timestamp', '"yesterday"', 'invalid_value'],
    ['exchange_timestamp', '1412319434', 'invalid_value'],
    ['exchange_timestamp', 'true', 'invalid_value'],
    ['exchange_timestamp', '"2300-01-01T00:00:00Z"', 'out_of_range'],
    ['exchange_timestamp_ms', '1e20', 'invalid_value'],
    ['exchange_timestamp_ms', '99999999999999', 'out_of_range'],
  ])('as %s %s is none', (name, given, reason) => {
    expect(at({ [name]: given })).toMatchObject({ reason })
  })

  it('that are missing are said so', () => {
    expect(at({})).toEqual({
      reason: 'missing_field',
      error: 'exchange_timestamp is missing, and every row needs one.',
    })
  })
})

describe('what a message leaves out', () => {
  it('comes from its topic, the table of exchanges and its place', () => {
    const [row] = read([tradeWith({})], {
      topic: 'market.crypto.trades.binance',
      partition: 2,
      offset: 9,
      logMicros: 5,
    })
    expect(row).toMatchObject({
      message_id: 'BINANCE:1412319434754:BHP:2-9',
      trade_id: '2-9',
      exchange: 'BINANCE',
      asset_class: 'crypto',
      currency: 'USDT',
      ingestion_timestamp: '1970-01-01T00:00:00.000005Z',
    })
  })

  it('is not taken from there when it says it itself', () => {
    const own = {
      exchange: '"xetra"',
      currency: '"EUR"',
      asset_class: '"Futures"',
      trade_id: '12',
      ingestion_timestamp_ms: '1',
    }
    expect(readTrade(own)).toMatchObject({
      message_id: 'XETRA:1412319434754:BHP:12',
      exchange: 'XETRA',
      currency: 'EUR',
      asset_class: 'futures',
      ingestion_timestamp: '1970-01-01T00:00:00.001000Z',
    })
  })

  it('has the currency of the exchange it names', () => {
    expect(readTrade({ exchange: '"binance"' })).toMatchObject({ currency: 'USDT' })
  })

  it.each([
    ['symbol', 'symbol'],
    ['price', 'price'],
    ['quantity', 'quantity'],
  ])('and cannot be known is missed: %s', (name, said) => {
    for (const none of ['null', '""'])
      expect(readTrade({ [name]: none })).toEqual({
        reason: 'missing_field',
        error: `${said} is missing, and every row needs one.`,
      })
  })

  it('is a company’s id where its message has it as its key', () => {
    const options = { topic: 'market.equities.reference_data.asx', keys: [Buffer.from('7078')] }
    const company = '{"symbol":"BHP","company_name":"BHP Group","start_date":"2001-02-03","end_date":""}'
    expect(read([company], options)[0]).toMatchObject({
      message_id: 'ASX:7078:0-0',
      company_id: '7078',
      listing_date: '2001-02-03',
      delisting_date: null,
      is_active: true,
    })
  })

  it('of a company that was delisted before its message came says that it is not active', () => {
    const options = { topic: 'market.equities.reference_data.asx', logMicros: Date.UTC(2020, 5, 15, 12) * 1000 }
    const until = (day: string) => `{"symbol":"A","company_id":1,"company_name":"A","delisting_date":"${day}"}`
    const rows = read([until('2020-06-14'), until('2020-06-15')], options)
    expect(rows).toMatchObject([{ is_active: false }, { is_active: true }])
  })
})

describe('a quote', () => {
  const quote = (fields: string) =>
    read([`{"symbol":"BHP","exchange_timestamp_ms":1412319434754${fields}}`], {
      topic: 'market.equities.quotes.asx',
    })[0]

  it('may have one side only, or say that it has none', () => {
    expect(quote(',"bid_price":36.18,"bid_size":5')).toMatchObject({
      bid_price: '36.18',
      bid_quantity: '5',
      ask_price: null,
      ask_quantity: null,
    })
    expect(quote(',"bid_price":null,"ask_price":null')).toMatchObject({ bid_price: null, ask_price: null })
  })

  it('that knows of no sides is something else', () => {
    expect(quote(',"price":36.18')).toMatchObject({
      reason: 'missing_field',
      error: expect.stringContaining('bid_price or ask_price') as string,
    })
  })
})

describe('a value of the wrong kind', () => {
  it.each([
    ['symbol', '5', 'symbol 5 is not a text.'],
    ['side', '"LONG"', 'side "LONG" is none of BUY, SELL, SELL_SHORT, UNKNOWN.'],
    ['asset_class', '"bonds"', 'asset_class "bonds" is none of equities, crypto, futures, options.'],
    ['exchange', '"a b"', 'exchange "a b" is not the name of an exchange.'],
    ['trade_conditions', '"XT"', 'trade_conditions "XT" is not a list of texts.'],
    ['trade_conditions', '[["XT"]]', 'trade_conditions [["XT"]] is not a list of texts.'],
    ['vendor_data', '"x"', 'vendor_data "x" is not an object.'],
    ['price', `"${'9'.repeat(80)}x"`, `price "${'9'.repeat(60)}…" is not a number.`],
  ])('is said: %s %s', (name, given, error) => {
    expect(readTrade({ [name]: given })).toEqual({ reason: 'invalid_value', error })
  })

  it.each([
    ['side', '"b"', 'BUY'],
    ['side', '"ss"', 'SELL_SHORT'],
    ['side', '"Unknown"', 'UNKNOWN'],
    ['side', '""', null],
    ['trade_conditions', '["XT", 3]', ['XT', '3']],
    ['trade_conditions', '[]', []],
  ])('is not %s %s', (name, given, expected) => {
    expect(readTrade({ [name]: given })).toMatchObject({ [name]: expected })
  })
})

describe('what a message says beyond the columns', () => {
  it('is kept in vendor_data as it was written, and its own vendor_data goes first', () => {
    const row = readTrade({
      venue: '"X"',
      flags: '[1, 2]',
      depth: '1.50',
      odd: 'true',
      nothing: 'null',
      vendor_data: '{"venue": "Y", "lot": 10, "none": null, "more": {"a": 1}}',
    })
    expect(row).toMatchObject({
      vendor_data: { venue: 'Y', flags: '[1, 2]', depth: '1.50', odd: 'true', lot: '10', more: '{"a": 1}' },
    })
    expect(row).not.toHaveProperty('vendor_data.nothing')
  })

  it('does not fill the memory when its names are always new', () => {
    const values = Array.from({ length: 10_000 }, (_, i) => tradeWith({ [`name${i}`]: '1' }))
    const rows = read(values)
    expect(rows).toHaveLength(10_000)
    expect(rows[9_999]).toMatchObject({ vendor_data: { name9999: '1' } })
  })
})

describe('bad messages among good ones', () => {
  it('are told by their place, keep their bytes and key, and leave no trace in the next', async () => {
    const good = tradeWith({ venue: '"X"' })
    const values = [good, tradeWith({ price: '"x"', venue: '"Y"' }), good, '\u0001', tradeWith({})]
    const batch = messageBatch(values, {
      topic: 'market.equities.trades.asx',
      keys: values.map(() => Buffer.from('BHP')),
    })
    const standard = await standardize(batch)
    expect([...standard.problems!.keys()]).toEqual([1, 3])
    expect(valueOf(standard, 1)?.toString()).toBe(values[1])
    expect(valueOf(standard, 3)?.toString()).toBe('\u0001')
    expect(keyOf(standard, 3)?.toString()).toBe('BHP')
    const rows = decodedRows(standard)
    expect(rows[2]).toMatchObject({ vendor_data: { venue: 'X' }, trade_id: '0-2' })
    expect(rows[4]).toMatchObject({ vendor_data: null })
  })

  it('share nothing with the log once one was written anew', async () => {
    const batch = messageBatch([tradeWith({}), 'bad'], {
      topic: 'market.equities.trades.asx',
      keys: [Buffer.from('k')],
    })
    const standard = await standardize(batch)
    batch.bytes.fill(0)
    expect(decodedRows(standard)[0]).toMatchObject({ symbol: 'BHP' })
    expect(valueOf(standard, 1)?.toString()).toBe('bad')
    expect(keyOf(standard, 0)?.toString()).toBe('k')
  })
})
