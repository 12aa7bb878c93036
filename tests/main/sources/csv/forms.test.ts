import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText } from '../../../../src/contract/columns.ts'
import { rowSchema } from '../../../../src/contract/fields.ts'
import { TABLES } from '../../../../src/contract/tables.ts'
import { messageIdOf } from '../../../../src/main/market/message-id.ts'
import { formatAnswer } from '../../../../src/main/wire/cli/print.ts'
import { readCsv } from '../../../support/csv-files.ts'

const K2_TRADES = 'symbol,exchange_timestamp,price,quantity,side,sequence_number,trade_id\n'
const K2_QUOTES = 'symbol,exchange_timestamp,bid_price,ask_price,bid_size,ask_size,sequence_number\n'

describe('the k2 form', () => {
  it('reads trades by the names in the header', async () => {
    const { table, rows, bad } = await readCsv(
      'any.csv',
      `${K2_TRADES}BHP,2014-03-10T10:00:00.123+11:00,36.667,20000,BUY,17,T-1\nRIO,1394398867532,65.1,3,,,\n`,
      { exchange: 'asx' },
    )
    expect({ table, bad }).toEqual({ table: 'trades', bad: [] })
    expect(rows[0]).toEqual({
      message_id: 'ASX:1394406000123:BHP:T-1',
      trade_id: 'T-1',
      symbol: 'BHP',
      exchange: 'ASX',
      asset_class: 'equities',
      exchange_timestamp: '2014-03-09T23:00:00.123000Z',
      price: '36.667',
      quantity: '20000',
      currency: 'AUD',
      side: 'BUY',
      trade_conditions: null,
      source_sequence: '17',
      ingestion_timestamp: '2026-11-06T21:20:00.000000Z',
      platform_sequence: null,
      vendor_data: null,
      _topic: null,
      _partition: null,
      _offset: null,
    })
    expect(rows[1]).toMatchObject({ trade_id: '2', message_id: 'ASX:1394398867532:RIO:2', side: null })
    expect(rows[1].source_sequence).toBeNull()
    for (const row of rows) expect(rowSchema(TABLES.trades).safeParse(row).error).toBeUndefined()
  })

  it('lets a row say itself what flags say for rows that do not', async () => {
    const { rows } = await readCsv(
      'any.csv',
      'symbol,exchange_timestamp,price,quantity,exchange,asset_class\n' +
        'X,1394398867532,1,1,BINANCE,\nX,1394398867532,1,1,,crypto\nX,1394398867532,1,1,ASX,equities\nX,1394398867532,1,1,,\n',
      { exchange: 'LSE', assetClass: 'futures' },
    )
    expect(rows.map(({ exchange, asset_class }) => [exchange, asset_class])).toEqual([
      ['BINANCE', 'futures'],
      ['LSE', 'crypto'],
      ['ASX', 'equities'],
      ['LSE', 'futures'],
    ])
  })

  it('reads quotes, each side on its own', async () => {
    const { table, rows } = await readCsv(
      'q.csv',
      `${K2_QUOTES}BHP,2014-03-10,36.1,,500,,1\nBHP,2014-03-10,,36.2,,7,2\n`,
      {
        exchange: 'ASX',
      },
    )
    expect(table).toBe('quotes')
    expect(rows.map(row => [row.bid_price, row.bid_quantity, row.ask_price, row.ask_quantity])).toEqual([
      ['36.1', '500', null, null],
      [null, null, '36.2', '7'],
    ])
    expect(rows[0]).toMatchObject({ quote_id: '1', message_id: 'ASX:1394409600000:BHP:1' })
    for (const row of rows) expect(rowSchema(TABLES.quotes).safeParse(row).error).toBeUndefined()
  })

  it('takes columns in any order, and what it does not know to vendor_data', async () => {
    const { rows } = await readCsv(
      'a.csv',
      'venue,Price,QUANTITY,qualifiers,symbol,exchange_timestamp,company_id\nX,1.5,2,3,BHP,2014-03-10,7078\n,1.5,2,,BHP,2014-03-10,\n',
      { exchange: 'ASX' },
    )
    expect(rows.map(({ price, quantity, vendor_data }) => ({ price, quantity, vendor_data }))).toEqual([
      { price: '1.5', quantity: '2', vendor_data: { venue: 'X', qualifiers: '3', company_id: '7078' } },
      { price: '1.5', quantity: '2', vendor_data: null },
    ])
  })

  it('takes exchange, asset class and currency from the file before the flag and the exchange table', async () => {
    const header = 'symbol,exchange_timestamp,price,quantity,exchange,asset_class,currency\n'
    const lines = 'BTCUSDT,2024-01-01,1,1,binance,,\nX,2024-01-01,1,1,,FUTURES,EUR\nY,2024-01-01,1,1,nowhere,,\n'
    const { rows, bad } = await readCsv('a.csv', header + lines, { exchange: 'ASX' })
    expect(rows.map(({ exchange, asset_class, currency }) => [exchange, asset_class, currency])).toEqual([
      ['BINANCE', 'crypto', 'USDT'],
      ['ASX', 'futures', 'EUR'],
    ])
    expect(bad.map(({ line, reason }) => [line, reason])).toEqual([
      [4, 'asset_class is missing, and is not known from the exchange'],
    ])
  })

  it('reads times without an offset in the zone that was said, in UTC else', async () => {
    const content = `${K2_TRADES}BHP,2014-03-10 10:00:00,1,1,,,\n`
    const sydney = await readCsv('a.csv', content, { exchange: 'ASX', timezone: 'Australia/Sydney' })
    const utc = await readCsv('a.csv', content, { exchange: 'ASX' })
    expect(sydney.rows[0].exchange_timestamp).toBe('2014-03-09T23:00:00.000000Z')
    expect(utc.rows[0].exchange_timestamp).toBe('2014-03-10T10:00:00.000000Z')
  })

  it('hands out every bad row with its line, its text and a reason, and reads the rest', async () => {
    const lines = [
      'BHP,2014-03-10,36.5,1,,,',
      'BHP,2014-03-10,abc,1,,,',
      'BHP,2014-03-10,36.5,-1,,,',
      ',2014-03-10,36.5,1,,,',
      'BHP,10:00,36.5,1,,,',
      'BHP,2014-03-10,36.5,1,MAYBE,,',
      'BHP,2014-03-10,36.5,1,,,,,',
      'BHP,2014-03-10,,1,,,',
      'BHP,2014-03-10,12345678901,1,,,',
      'B\u0000P,2014-03-10,36.5,1,,,',
      'BHP,2014-03-10,36.5,1,,1.5,',
      'RIO,2014-03-10,36.5,1,sell,,',
    ]
    const { rows, bad } = await readCsv('a.csv', K2_TRADES + lines.join('\n'), { exchange: 'ASX' })
    expect(rows.map(({ symbol, side, trade_id }) => [symbol, side, trade_id])).toEqual([
      ['BHP', null, '1'],
      ['RIO', 'SELL', '12'],
    ])
    expect(bad.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(bad.map(({ text }) => text)).toEqual(lines.slice(1, -1))
    expect(bad.map(({ reason }) => reason)).toEqual([
      'price "abc" is not a number',
      'quantity "-1" is negative',
      'symbol is missing',
      expect.stringContaining('exchange_timestamp "10:00" is neither an ISO 8601 time') as string,
      'side "MAYBE" is none of BUY, SELL, SELL_SHORT, UNKNOWN',
      'has 9 fields where 7 are expected',
      'price is missing',
      'price "12345678901" has 11 integer digits, 10 at most',
      'symbol "B\u0000P" has a control character',
      'sequence_number "1.5" is not a whole number',
    ])
  })

  it('refuses invalid UTF-8 in a text, and reads names in any script', async () => {
    const invalid = Buffer.concat([
      Buffer.from(`${K2_TRADES}A`),
      Buffer.from([0xff]),
      Buffer.from(',2014-03-10,1,1,,,\n'),
    ])
    const { bad, rows } = await readCsv('a.csv', Buffer.concat([invalid, Buffer.from('日本,2014-03-10,1,1,,,ü-1\n')]), {
      exchange: 'ASX',
    })
    expect(bad.map(({ reason }) => reason)).toEqual(['symbol "A�" is not UTF-8'])
    expect(rows[0]).toMatchObject({ symbol: '日本', trade_id: 'ü-1', message_id: 'ASX:1394409600000:日本:ü-1' })
  })

  it.each([
    ['symbol,exchange_timestamp,price\nA,2014-03-10,1\n', { table: 'trades' }, 'lacks quantity'],
    ['symbol,price\nA,1\n', { table: 'trades' }, 'lacks exchange_timestamp, quantity'],
    ['symbol,symbol,price\n', { table: 'trades' }, 'names the column symbol twice'],
    [`${K2_TRADES}A,2014-03-10,1,1,,,\n`, { exchange: undefined }, 'say the exchange with --exchange'],
    [`${K2_TRADES}A,2014-03-10,1,1,,,\n`, { exchange: 'NOWHERE' }, 'say it with --asset-class'],
  ] as const)('says once what the file lacks: %j', async (content, options, message) => {
    await expect(readCsv('a.csv', content, { exchange: 'ASX', format: 'k2', ...options })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message) as string,
    })
  })

  it('gives every row the id that the market rule gives it, and its numbers to the last digit', async () => {
    const trade = fc.record({
      symbol: fc.string({ unit: fc.constantFrom('A', 'b', 'ß', '.', '1'), minLength: 1, maxLength: 5 }),
      ms: fc.integer({ min: 10 ** 11, max: 4 * 10 ** 12 }),
      price: fc.bigInt(-(10n ** 18n) + 1n, 10n ** 18n - 1n),
      id: fc.string({ unit: fc.constantFrom('x', 'é', '7', '-'), maxLength: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(trade, { minLength: 1, maxLength: 20 }), async trades => {
        const lines = trades.map(
          ({ symbol, ms, price, id }) => `${symbol},${ms}000,${decimalText(price, 8)},1,,,${id}\n`,
        )
        const { rows } = await readCsv('a.csv', K2_TRADES + lines.join(''), { exchange: 'ASX' })
        expect(rows.map(({ message_id, price }) => [message_id, price])).toEqual(
          trades.map(({ symbol, ms, price, id }, i) => [
            messageIdOf('ASX', ms * 1000, symbol, id || String(i + 1)),
            decimalText(price, 8),
          ]),
        )
      }),
      { numRuns: 30 },
    )
  })
})

it('reads back what K2 itself exports as CSV', async () => {
  const lines = '03/10/2014,07:57:14.754,36.667,20000,3,X,\r\n03/10/2014,10:00:00,1,2,,A,"a ""b"" c"\r\n'
  const first = await readCsv('7078.csv', lines)
  const second = await readCsv('export.csv', formatAnswer(first.rows, 'csv'), { loadedAtMicros: 0 })
  expect(second.bad).toEqual([])
  expect(second.rows).toEqual(first.rows)
})

it('takes conditions and vendor data as text or JSON, and says what is neither', async () => {
  const header = 'symbol,exchange_timestamp,price,quantity,trade_conditions,vendor_data,venue\n'
  const fields = ['[1],,', ',[],', 'XT,{},', ',"{""a"":""b""}",X']
  const content = header + fields.map(text => `A,2014-03-10,1,1,${text}\n`).join('')
  const { rows, bad } = await readCsv('a.csv', content, { exchange: 'ASX' })
  expect(bad.map(({ reason }) => reason)).toEqual([
    'trade_conditions "[1]" is not a JSON list of texts',
    'vendor_data "[]" is not a JSON object of texts',
  ])
  expect(rows.map(row => [row.trade_conditions, row.vendor_data])).toEqual([
    [['XT'], null],
    [null, { a: 'b', venue: 'X' }],
  ])
})

describe('the asx-raw form', () => {
  const trades = [
    '03/10/2014,07:57:14.754,36.667,20000,3,X,',
    '03/10/2014,10:05:44.516,36.7,12,,A,112',
    '03/10/2014,10:05:44.516,36.7,12,,A,112',
    '03/10/2014,10:05:44.516,36.7,12,0,A,',
  ]

  it('reads trades: Sydney time, symbol by the file name, qualifier, venue and buyer kept', async () => {
    const ofFile = { company_id: '7078', source_sequence: 'row number' }
    const { table, rows, bad } = await readCsv('7078_trades.csv', trades.join('\r\n') + '\r\n')
    expect({ table, bad }).toEqual({ table: 'trades', bad: [] })
    expect(rows[0]).toMatchObject({
      message_id: 'ASX:1394398634754:BHP:1',
      trade_id: '1',
      symbol: 'BHP',
      exchange: 'ASX',
      currency: 'AUD',
      exchange_timestamp: '2014-03-09T20:57:14.754000Z',
      price: '36.667',
      quantity: '20000',
      side: null,
      trade_conditions: ['3'],
      source_sequence: '1',
      vendor_data: { ...ofFile, qualifiers: '3', venue: 'X' },
    })
    expect(rows.map(row => row.trade_conditions)).toEqual([['3'], null, null, null])
    expect(rows[1].vendor_data).toEqual({ ...ofFile, venue: 'A', buyer_id: '112' })
    expect(rows[3].vendor_data).toEqual({ ...ofFile, qualifiers: '0', venue: 'A' })
    for (const row of rows) expect(rowSchema(TABLES.trades).safeParse(row).error).toBeUndefined()
  })

  it('keeps rows that repeat to the letter, told apart by their place', async () => {
    const { rows } = await readCsv('7078.csv', trades.join('\r\n'))
    expect(rows.map(row => [row.source_sequence, row.message_id])).toEqual([
      ['1', 'ASX:1394398634754:BHP:1'],
      ['2', 'ASX:1394406344516:BHP:2'],
      ['3', 'ASX:1394406344516:BHP:3'],
      ['4', 'ASX:1394406344516:BHP:4'],
    ])
  })

  it('counts bad rows too, so that mending one changes no other', async () => {
    const { rows, bad } = await readCsv('7078.csv', [trades[0], '03/10/2014,x,1,1,,A,', trades[1]].join('\r\n'))
    expect(bad).toEqual([
      { line: 2, text: '03/10/2014,x,1,1,,A,', reason: 'time "x" is not a time of day as HH:MM:SS.sss' },
    ])
    expect(rows.map(row => row.source_sequence)).toEqual(['1', '3'])
  })

  it('reads quotes, 0.0 being no quote on that side, whatever its volume', async () => {
    const lines = ['36.1,36.2,500,70', '0.0,36.2,500,70', '36.1,0,500,0', '0.0,0.0,0,0']
    const content = lines.map(line => `03/10/2014,10:00:00.001,${line}\r\n`).join('')
    const { table, rows } = await readCsv('7458_quotes.csv', content)
    expect(table).toBe('quotes')
    expect(rows.map(row => [row.bid_price, row.bid_quantity, row.ask_price, row.ask_quantity])).toEqual([
      ['36.1', '500', '36.2', '70'],
      [null, null, '36.2', '70'],
      ['36.1', '500', null, null],
      [null, null, null, null],
    ])
    expect(rows[0]).toMatchObject({
      symbol: 'RIO',
      quote_id: '1',
      vendor_data: { company_id: '7458', source_sequence: 'row number' },
    })
    for (const row of rows) expect(rowSchema(TABLES.quotes).safeParse(row).error).toBeUndefined()
  })

  it('calls a company what it was called that day', async () => {
    const content = '03/11/2014,23:59:59,1,1,,A,\r\n03/12/2014,00:00:00,1,1,,A,\r\n'
    expect((await readCsv('55.csv', content)).rows.map(({ symbol }) => symbol)).toEqual(['OLD', 'NEW'])
    const { bad } = await readCsv('55.csv', content + '03/12/1980,00:00:00,1,1,,A,\r\n')
    expect(bad[0].reason).toBe('the reference file has no symbol of company 55 for that day')
  })

  it.each([
    ['trades.csv', {}, 'does not begin with a company'],
    ['99_trades.csv', {}, 'has no company 99'],
    ['7078.csv', { companies: undefined }, 'say with --reference'],
    ['7078.csv', { table: 'quotes' }, 'has 7 fields in its first line; asx-raw quotes have 6'],
    ['7078.csv', { table: 'reference_data' }, 'is an asx-raw file, not reference_data'],
  ] as const)('%s with %j is refused for what it lacks', async (name, options, message) => {
    await expect(readCsv(name, trades.join('\r\n'), options)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message) as string,
    })
  })
})

it('reads a reference file as reference_data', async () => {
  const content =
    'company_id,symbol,company_name,ISIN,start_date,end_date\n7078,BHP,"BHP Billiton, Limited",AU000000BHP4,1962-01-31,\n' +
    '12,GONE,Gone,,03/04/1999,03/11/2014\n13,LATER,Later,,,2199-12-31\n,X,Y,,,\n'
  const { table, rows, bad } = await readCsv('company_info.csv', content)
  expect(table).toBe('reference_data')
  expect(rows[0]).toMatchObject({
    message_id: 'ASX:7078:1',
    company_id: '7078',
    company_name: 'BHP Billiton, Limited',
    isin: 'AU000000BHP4',
    listing_date: '1962-01-31',
    delisting_date: null,
    is_active: true,
  })
  expect(rows[1]).toMatchObject({
    isin: null,
    listing_date: '1999-03-04',
    delisting_date: '2014-03-11',
    is_active: false,
  })
  expect(rows[2].is_active).toBe(true)
  expect(bad.map(({ line, reason }) => [line, reason])).toEqual([[5, 'company_id is missing']])
  for (const row of rows) expect(rowSchema(TABLES.reference_data).safeParse(row).error).toBeUndefined()
})
