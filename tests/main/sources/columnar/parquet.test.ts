// Parquet files, written by DuckDB in the types that other programs write.
import { writeFileSync, statSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText } from '../../../../src/contract/columns.ts'
import { TABLES } from '../../../../src/contract/tables.ts'
import { openColumnarFile } from '../../../../src/main/sources/columnar/open-columnar.ts'
import { load, LOADED_AT, optionsOf, parquetOf } from './read-file.ts'

const trade = (columns: string) =>
  `SELECT 'BHP' AS symbol, TIMESTAMPTZ '2014-03-10 10:00:00.123456+11' AS exchange_timestamp, ${columns}`
const { signal } = new AbortController()

describe('a Parquet file', () => {
  it('gives every column of the table, what it lacks from flags, exchange table and row number', async () => {
    const { path, readParquet } = await parquetOf(trade(`36.67::DECIMAL(9,3) AS price, 100 AS quantity`))
    const { batches, rows, bad } = await load(path, { readParquet })
    expect(bad).toEqual([])
    expect(Object.keys(batches[0].columns)).toEqual(TABLES.trades.columns.map(({ name }) => name))
    expect(rows).toEqual([
      {
        message_id: 'ASX:1394406000123:BHP:1',
        trade_id: '1',
        symbol: 'BHP',
        exchange: 'ASX',
        asset_class: 'equities',
        exchange_timestamp: '2014-03-09T23:00:00.123456Z',
        price: '36.67',
        quantity: '100',
        currency: 'AUD',
        side: null,
        trade_conditions: null,
        source_sequence: null,
        ingestion_timestamp: '2026-01-02T03:04:05.000000Z',
        platform_sequence: null,
        vendor_data: null,
        _topic: null,
        _partition: null,
        _offset: null,
      },
    ])
    expect(batches[0].columns.ingestion_timestamp.values[0]).toBe(LOADED_AT)
  })

  it.each([
    ['36.67::DOUBLE', '36.67'],
    ['36.67::FLOAT', '36.67'],
    ['0.1::FLOAT', '0.1'],
    ['16777216::FLOAT', '16777216'],
    ['0.1::DOUBLE + 0.2::DOUBLE', undefined],
    ["'36.670'", '36.67'],
    ["' 1e2 '", '100'],
    ['36::UTINYINT', '36'],
    ['9999999999::BIGINT', '9999999999'],
    ['36.67::DECIMAL(4,2)', '36.67'],
    ['1234567890.12345678::DECIMAL(18,8)', '1234567890.12345678'],
    ['36.670000000000::DECIMAL(38,12)', '36.67'],
    ['36.670000000001::DECIMAL(38,12)', undefined],
    ['12345678901::DECIMAL(38,2)', undefined],
    ["'nan'::DOUBLE", undefined],
    ["'inf'::DOUBLE", undefined],
    ["'thirty'", undefined],
  ])('takes the price %s exactly, or not at all', async (sql, expected) => {
    const { path, readParquet } = await parquetOf(trade(`${sql} AS price, 100 AS quantity`))
    const { rows, bad } = await load(path, { readParquet })
    if (expected === undefined) expect(rows).toEqual([])
    expect(rows.map(({ price }) => price)).toEqual(expected === undefined ? [] : [expected])
    expect(bad.map(({ line }) => line)).toEqual(expected === undefined ? [1] : [])
  })

  it.each([
    ["TIMESTAMPTZ '2014-03-10 10:00:00.123456+11'", 'exchange_timestamp', '2014-03-09T23:00:00.123456Z'],
    ["TIMESTAMP '2014-03-10 10:00:00.123456'", 'exchange_timestamp', '2014-03-10T10:00:00.123456Z'],
    ["TIMESTAMP_MS '2014-03-10 10:00:00.123'", 'exchange_timestamp', '2014-03-10T10:00:00.123000Z'],
    ["TIMESTAMP_S '2014-03-10 10:00:00'", 'exchange_timestamp', '2014-03-10T10:00:00.000000Z'],
    ["TIMESTAMP_NS '2014-03-10 10:00:00.123456789'", 'exchange_timestamp', '2014-03-10T10:00:00.123456Z'],
    ["'2014-03-10T10:00:00.123456+11:00'", 'exchange_timestamp', '2014-03-09T23:00:00.123456Z'],
    ['1394406000123', 'exchange_timestamp_ms', '2014-03-09T23:00:00.123000Z'],
    ['1394406000123', 'exchange_timestamp', '2014-03-09T23:00:00.123000Z'],
    ['1394406000123456', 'exchange_timestamp', '2014-03-09T23:00:00.123456Z'],
    ['1394406000123456789', 'exchange_timestamp', '2014-03-09T23:00:00.123456Z'],
    ['1394406000123456789', 'exchange_timestamp_ns', '2014-03-09T23:00:00.123456Z'],
    ["DATE '2014-03-10'", 'exchange_timestamp', '2014-03-10T00:00:00.000000Z'],
  ])('takes the time %s as %s for %s', async (sql, name, expected) => {
    const { path, readParquet } = await parquetOf(
      `SELECT 'BHP' AS symbol, ${sql} AS ${name}, 1 AS price, 1 AS quantity`,
    )
    const { rows, bad } = await load(path, { readParquet })
    expect(bad).toEqual([])
    expect(rows[0].exchange_timestamp).toBe(expected)
  })

  it('reads times without a zone as those of --timezone', async () => {
    const wall = "TIMESTAMP '2014-03-10 10:00:00'"
    const { path, readParquet } = await parquetOf(
      `SELECT 'BHP' AS symbol, ${wall} AS exchange_timestamp, 1 AS price, 1 AS quantity`,
    )
    const { rows } = await load(path, { readParquet, timezone: 'Australia/Sydney' })
    expect(rows[0].exchange_timestamp).toBe('2014-03-09T23:00:00.000000Z')
  })

  it('takes columns by mapping, and what the table has no column for as vendor data', async () => {
    const { path, readParquet } = await parquetOf(
      `SELECT 'BHP' AS sym, 1394406000123 AS ts, 36.67 AS px, 5 AS qty, 'b' AS side, 7 AS sequence_number,
        'XT' AS price, 3 AS broker, NULL::VARCHAR AS empty, ['A', 'B'] AS trade_conditions, MAP {'k': 'v'} AS vendor_data
       UNION ALL SELECT 'RIO', 1394406000124, 63.9, 6, NULL, NULL, 'XT', NULL, NULL, NULL, NULL`,
    )
    const mapping = { symbol: 'sym', exchange_timestamp: 'ts', price: 'px', quantity: 'qty' }
    const { rows, bad } = await load(path, { readParquet, mapping })
    expect(bad).toEqual([])
    expect(rows).toMatchObject([
      {
        symbol: 'BHP',
        price: '36.67',
        side: 'BUY',
        source_sequence: '7',
        trade_conditions: ['A', 'B'],
        vendor_data: { k: 'v', price: 'XT', broker: '3' },
      },
      {
        symbol: 'RIO',
        price: '63.9',
        side: null,
        source_sequence: null,
        trade_conditions: null,
        vendor_data: { price: 'XT' },
      },
    ])
  })

  it('sends bad rows to the dead letters with their numbers and goes on', async () => {
    const { path, readParquet } = await parquetOf(
      `SELECT * FROM (VALUES
        ('BHP', 1394406000000, 1.0::DOUBLE, 1), (NULL, 1394406000001, 1, 1), ('', 1394406000002, 1, 1),
        ('BHP', NULL, 1, 1), ('BHP', 5, 1, 1), ('BHP', 1394406000005, 1e11, 1), ('BHP', 1394406000006, 1, -1),
        ('BHP', 1394406000007, 2, 1)) AS t(symbol, exchange_timestamp, price, quantity)`,
    )
    const { rows, bad } = await load(path, { readParquet })
    expect(rows.map(({ trade_id, price }) => [trade_id, price])).toEqual([
      ['1', '1'],
      ['8', '2'],
    ])
    expect(bad.map(({ line, reason }) => [line, reason])).toEqual([
      [2, 'symbol is missing'],
      [3, 'symbol is missing'],
      [4, 'exchange_timestamp is missing'],
      [5, 'exchange_timestamp "5" is not milli-, micro- or nanoseconds since 1970'],
      [6, 'price "100000000000" has 12 integer digits, 10 at most'],
      [7, 'quantity "-1" is negative'],
    ])
    expect(JSON.parse(bad[5].text)).toMatchObject({ symbol: 'BHP', quantity: '-1' })
  })

  it('names what is missing and what there is, and how to map it', async () => {
    const { path, readParquet } = await parquetOf(`SELECT 'BHP' AS sym, 1 AS px`)
    await expect(load(path, { readParquet, exchange: undefined })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message:
        'The file has no symbol, exchange_timestamp, price, quantity, exchange; its columns are sym, px. ' +
        'Say which is which by --map symbol=…. The exchange can be given by --exchange too.',
    })
  })

  it.each([
    [{ price: 'nowhere' }, /no column nowhere/],
    [{ nothing: 'sym' }, /trades has no column nothing/],
    [{ price: 'when' }, /when is DATE, of which price \(decimal\) cannot be made/],
  ])('refuses the mapping %j', async (mapping, message) => {
    const { path, readParquet } = await parquetOf(
      `SELECT 'BHP' AS symbol, 1394406000000 AS exchange_timestamp, 1 AS price, 1 AS quantity, 'x' AS sym, DATE '2014-03-10' AS "when"`,
    )
    await expect(load(path, { readParquet, mapping: mapping })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(message) as string,
    })
  })

  it('asks for the asset class of an exchange it does not know', async () => {
    const { path, readParquet } = await parquetOf(trade('1 AS price, 1 AS quantity'))
    await expect(load(path, { readParquet, exchange: 'lse' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const { rows } = await load(path, { readParquet, exchange: 'lse', assetClass: 'futures' })
    expect(rows[0]).toMatchObject({ exchange: 'LSE', asset_class: 'futures', currency: 'XXX' })
  })

  it('lets a row say itself what flags say for rows that do not', async () => {
    const { path, readParquet } = await parquetOf(
      `SELECT unnest(['BINANCE', NULL, 'ASX', NULL]) AS exchange, unnest([NULL, 'crypto', 'equities', NULL]) AS asset_class,
        'X' AS symbol, 1394406000000 AS exchange_timestamp_ms, 1 AS price, 1 AS quantity`,
    )
    const { rows } = await load(path, { readParquet, exchange: 'LSE', assetClass: 'futures' })
    expect(rows.map(({ exchange, asset_class }) => [exchange, asset_class])).toEqual([
      ['BINANCE', 'futures'],
      ['LSE', 'crypto'],
      ['ASX', 'equities'],
      ['LSE', 'futures'],
    ])
  })

  it('lets each row say its own exchange', async () => {
    const { path, readParquet } = await parquetOf(
      `SELECT unnest(['asx', 'binance', NULL, 'nyse', 'no good']) AS exchange, 'X' AS symbol, 1394406000000 AS exchange_timestamp_ms, 1 AS price, 1 AS quantity`,
    )
    const { rows, bad } = await load(path, { readParquet, exchange: 'ASX' })
    expect(rows.map(({ exchange, asset_class, currency }) => [exchange, asset_class, currency])).toEqual([
      ['ASX', 'equities', 'AUD'],
      ['BINANCE', 'crypto', 'USDT'],
      ['ASX', 'equities', 'AUD'],
    ])
    expect(bad.map(({ line, reason }) => [line, reason])).toEqual([
      [4, 'asset_class is missing'],
      [5, 'exchange "no good" is not the name of an exchange'],
    ])
  })

  it('gives quotes with empty sides', async () => {
    const { path, readParquet } = await parquetOf(
      `SELECT 'BHP' AS symbol, 1394406000000 AS exchange_timestamp_ms, NULL::DOUBLE AS bid_price, 36.68 AS ask_price, 10 AS ask_size, 'nan'::DOUBLE AS bid_size`,
    )
    const { rows } = await load(path, { readParquet, table: 'quotes' })
    expect(rows[0]).toMatchObject({
      message_id: 'ASX:1394406000000:BHP:1',
      quote_id: '1',
      bid_price: null,
      bid_quantity: null,
      ask_price: '36.68',
      ask_quantity: '10',
    })
  })

  it('gives reference data', async () => {
    const { path, readParquet } = await parquetOf(
      `SELECT 7078 AS company_id, 'BHP' AS symbol, 'BHP Billiton' AS company_name, 'AU000000BHP4' AS "ISIN", DATE '1962-01-31' AS start_date, NULL::DATE AS end_date
       UNION ALL SELECT 1, 'OLD', 'Gone', NULL, NULL, DATE '2010-01-01'`,
    )
    const { rows } = await load(path, { readParquet, table: 'reference_data' })
    expect(rows).toMatchObject([
      { company_id: '7078', isin: 'AU000000BHP4', listing_date: '1962-01-31', delisting_date: null, is_active: true },
      { company_id: '1', isin: null, delisting_date: '2010-01-01', is_active: false },
    ])
  })

  it('gives back what was exported from our own table', async () => {
    const { path, readParquet } = await parquetOf(
      `SELECT 'ASX:1:BHP:9' AS message_id, '9' AS trade_id, 'BHP' AS symbol, 'ASX' AS exchange, 'equities' AS asset_class,
        TIMESTAMPTZ '2014-03-10 00:00:00Z' AS exchange_timestamp, 1.5::DECIMAL(18,8) AS price, 2::DECIMAL(18,8) AS quantity, 'AUD' AS currency,
        'SELL' AS side, ['X'] AS trade_conditions, 12::BIGINT AS source_sequence, TIMESTAMPTZ '2014-03-10 00:00:01Z' AS ingestion_timestamp,
        NULL::BIGINT AS platform_sequence, MAP {'a': 'b'} AS vendor_data, 't' AS _topic, 1 AS _partition, 2::BIGINT AS _offset`,
    )
    const { rows } = await load(path, { readParquet, exchange: undefined })
    expect(rows[0]).toMatchObject({
      message_id: 'ASX:1:BHP:9',
      trade_id: '9',
      ingestion_timestamp: '2014-03-10T00:00:01.000000Z',
      vendor_data: { a: 'b' },
      _topic: null,
      _offset: null,
    })
  })

  it('keeps the order of rows and numbers them through all batches', async () => {
    const { path, readParquet } = await parquetOf(
      `SELECT 'BHP' AS symbol, 1394406000000 + i AS exchange_timestamp_ms, i AS price, 1 AS quantity FROM range(150000) t(i)`,
      ', ROW_GROUP_SIZE 20000',
    )
    const { rows, batches } = await load(path, { readParquet })
    expect(batches.length).toBeGreaterThan(3)
    expect(rows.length).toBe(150_000)
    const wrong = rows.findIndex((row, i) => row.trade_id !== String(i + 1) || row.price !== String(i))
    expect(wrong).toBe(-1)
  })

  it('reads a path with wildcards as one file', async () => {
    const { path, readParquet } = await parquetOf(trade('1 AS price, 1 AS quantity'))
    const { copyFileSync } = await import('node:fs')
    const odd = path.replace('rows', "ro[w]s*'?")
    copyFileSync(path, odd)
    expect((await load(odd, { readParquet })).rows).toHaveLength(1)
  })

  it('says that a file changed while it was read', async () => {
    const { path, readParquet } = await parquetOf(trade('1 AS price, 1 AS quantity'))
    const source = await openColumnarFile(path, optionsOf({ readParquet }), signal)
    const reading = source!.read(signal)[Symbol.asyncIterator]()
    await reading.next()
    writeFileSync(path, Buffer.alloc(statSync(path).size + 1))
    await expect(reading.next()).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('is known by its content alone', async () => {
    const { path, readParquet } = await parquetOf(trade('1 AS price, 1 AS quantity'))
    const source = await openColumnarFile(path, optionsOf({ readParquet }), signal)
    const again = await openColumnarFile(path, optionsOf({ readParquet }), signal)
    expect(await source!.contentHash(signal)).toMatch(/^[0-9a-f]{64}$/)
    expect(await again!.contentHash(signal)).toBe(await source!.contentHash(signal))
  })

  it('holds any decimal of any scale exactly', async () => {
    const number = fc.tuple(
      fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }),
      fc.integer({ min: 0, max: 18 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 5 }), async numbers => {
        for (const [unscaled, scale] of numbers) {
          const text = decimalText(unscaled, scale)
          const { path, readParquet } = await parquetOf(
            trade(`'${text}'::DECIMAL(38,${scale}) AS price, 1 AS quantity`),
          )
          const { rows, bad } = await load(path, { readParquet })
          const [whole, fraction = ''] = text.replace('-', '').split('.')
          const fits = whole.length <= 10 && fraction.length <= 8
          expect([text, rows.map(({ price }) => price), bad.length]).toEqual([text, fits ? [text] : [], fits ? 0 : 1])
        }
      }),
      { numRuns: 15 },
    )
  })
})
