// DuckDB's answers as column batches: every type, nulls, exact numbers, bounded batches, and stopping early.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellOf, rowsOf, type ColumnBatch } from '../../../src/contract/columns.ts'
import { readBatch, streamBatches } from '../../../src/main/duck/read-batch.ts'
import { openTestDuck } from './duck.ts'

async function rowsOfSql(sql: string) {
  const { connection } = await openTestDuck()
  return rowsOf(await readBatch(connection, sql))
}

describe('an answer', () => {
  it('has every type of a table', async () => {
    const [row] = await rowsOfSql(`SELECT 'BHP' s, 'a text of more than twelve bytes, é' l, ''::VARCHAR e,
      make_timestamptz(-1) early, make_timestamptz(1767571200000001) t, 36.18::DECIMAL(18,8) p, -5::BIGINT n,
      7::INTEGER i, true b, DATE '1969-12-31' d, ['x', 'a text of more than twelve bytes'] li, MAP {'k': 'v'} m, encode('é') bl`)
    expect(row).toEqual({
      s: 'BHP',
      l: 'a text of more than twelve bytes, é',
      e: '',
      early: '1969-12-31T23:59:59.999999Z',
      t: '2026-01-05T00:00:00.000001Z',
      p: '36.18',
      n: '-5',
      i: 7,
      b: true,
      d: '1969-12-31',
      li: ['x', 'a text of more than twelve bytes'],
      m: { k: 'v' },
      bl: 'w6k=',
    })
  })

  it('has sums and averages, small and narrow integers, other timestamps, enums', async () => {
    const [row] = await rowsOfSql(`SELECT sum(i) s, sum(i::DECIMAL(18,8)) sd, avg(i) a, 1.5::FLOAT f, 200::UTINYINT u1,
      -2::TINYINT i1, 60000::USMALLINT u2, -3::SMALLINT i2, 4000000000::UINTEGER u4, 5::UBIGINT u8, 1.5::DECIMAL(4,1) d2,
      12345.678::DECIMAL(9,3) d4, TIMESTAMP_S '2026-01-05 00:00:01' ts, TIMESTAMP_MS '2026-01-05 00:00:00.001' tm,
      TIMESTAMP_NS '1969-12-31 23:59:59.999999999' tn, 'b'::ENUM('a', 'b') e FROM range(4) t(i)`)
    expect(row).toEqual({
      s: '6',
      sd: '6',
      a: 1.5,
      f: 1.5,
      u1: 200,
      i1: -2,
      u2: 60000,
      i2: -3,
      u4: '4000000000',
      u8: '5',
      d2: '1.5',
      d4: '12345.678',
      ts: '2026-01-05T00:00:01.000000Z',
      tm: '2026-01-05T00:00:00.001000Z',
      tn: '1969-12-31T23:59:59.999999Z',
      e: 'b',
    })
  })

  it('keeps every integer of a column exact when only a late one is beyond what a double holds', async () => {
    const integers = ['1', '-5', '-9007199254740992', '9007199254740992', '-1', '9007199254740993', '7']
    const rows = await rowsOfSql(`SELECT unnest([${integers.join(', ')}]::BIGINT[]) l`)
    expect(rows.map(({ l }) => l)).toEqual(integers)
  })

  it('keeps integers exact beyond what a double holds, and beyond 64 bits', async () => {
    expect(
      await rowsOfSql(`SELECT 9007199254740993 l, -999999999.999999999::DECIMAL(18,9) d, 18446744073709551615::UBIGINT u,
        170141183460469231731687303715884105727::HUGEINT h, -99999999999999999999.5::DECIMAL(38,1) w`),
    ).toEqual([
      {
        l: '9007199254740993',
        d: '-999999999.999999999',
        u: '18446744073709551615',
        h: '170141183460469231731687303715884105727',
        w: '-99999999999999999999.5',
      },
    ])
  })

  it('prints what the contract has no column for, and tells columns of one name apart', async () => {
    expect(await rowsOfSql(`SELECT INTERVAL 1 DAY x, [1, 2] x, {'a': 1} s, NULL n, NULL::UUID u`)).toEqual([
      { x: '1 day', 'x:1': '[1, 2]', s: "{'a': 1}", n: null, u: null },
    ])
  })

  it('has nulls in every kind of column, also inside lists, over many vectors', async () => {
    const rows =
      await rowsOfSql(`SELECT CASE WHEN i % 3 = 0 THEN i END n, CASE WHEN i % 5 = 0 THEN 'text number ' || i END s,
      CASE WHEN i % 7 = 0 THEN [i::VARCHAR, NULL] END l, CASE WHEN i % 11 = 0 THEN MAP {'k': i::VARCHAR} END m
      FROM range(10000) t(i)`)
    rows.forEach((row, i) => {
      expect(row).toEqual({
        n: i % 3 ? null : String(i),
        s: i % 5 ? null : `text number ${i}`,
        l: i % 7 ? null : [String(i), null],
        m: i % 11 ? null : { k: String(i) },
      })
    })
  })

  it('has one word for what repeats, and does not look for repeats among ids', async () => {
    const { connection } = await openTestDuck()
    const { columns } = await readBatch(
      connection,
      `SELECT 'S' || i % 100 symbol, 'a long id number ' || i id FROM range(100000) t(i)`,
    )
    expect(columns.symbol.words).toHaveLength(100)
    expect(columns.id.words).toHaveLength(100_000)
    expect(cellOf(columns.id, 99_999)).toBe('a long id number 99999')
  })

  it('holds texts of every length and alphabet, however often each repeats, over many vectors', async () => {
    const { connection } = await openTestDuck()
    const shapes = {
      'ids, then few': `CASE WHEN i < 3000 THEN 'a long id number ' || i ELSE 'few of them ' || i % 3 END`,
      'few, then ids': `CASE WHEN i < 3000 THEN 'few of them ' || i % 3 ELSE 'a long id number ' || i END`,
      'ids of other alphabets': `repeat('é', 1 + (i % 9)::INT) || i`,
      'many long ones that repeat': `'one of some hundred texts ' || (i * 7919) % 700`,
      'short ones beside long ones': `repeat('x', ((i * 31) % 29)::INT)`,
      'ids with gaps': `CASE WHEN i % 3 > 0 THEN 'id ' || i END`,
      'the same long one': `'market.equities.trades.asx'`,
    }
    for (const [shape, sql] of Object.entries(shapes)) {
      const { columns } = await readBatch(
        connection,
        `SELECT ${sql} t, len(${sql}) length, md5(coalesce(${sql}, '')) hash FROM range(9000) r(i) ORDER BY i`,
      )
      for (let row = 0; row < 9000; row++) {
        const text = cellOf(columns.t, row) as string | null
        const hash = createHash('md5')
          .update(text ?? '')
          .digest('hex')
        expect([shape, row, text === null, hash]).toEqual([
          shape,
          row,
          cellOf(columns.length, row) === null,
          cellOf(columns.hash, row),
        ])
      }
    }
  })

  it('has one word for lists and maps that are alike, whatever was before them', async () => {
    const { connection } = await openTestDuck()
    const { columns } = await readBatch(
      connection,
      `SELECT CASE i % 4 WHEN 0 THEN [] WHEN 1 THEN ['a'] WHEN 2 THEN ['a', 'b'] ELSE ['b', 'a'] END l,
        MAP {'k': (i % 5)::VARCHAR, 'other': 'same'} m FROM range(5000) t(i)`,
    )
    expect(columns.l.words).toHaveLength(4)
    expect(columns.m.words).toHaveLength(5)
    expect([4996, 4997, 4998, 4999].map(row => cellOf(columns.l, row))).toEqual([[], ['a'], ['a', 'b'], ['b', 'a']])
    expect(cellOf(columns.m, 4999)).toEqual({ k: '4', other: 'same' })
  })

  it('names its columns when it has no rows', async () => {
    const { connection } = await openTestDuck()
    expect(await readBatch(connection, `SELECT 1 a, 'x' b WHERE false`)).toMatchObject({
      rowCount: 0,
      columns: { a: { type: 'int' }, b: { type: 'string', words: [] } },
    })
  })

  it('holds whatever texts there are', async () => {
    const { connection } = await openTestDuck()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.string({ unit: 'grapheme', maxLength: 40 })), { minLength: 1 }),
        async texts => {
          const values = texts.map(text => (text === null ? '(NULL)' : `('${text.replaceAll("'", "''")}')`))
          const batch = await readBatch(connection, `SELECT t::VARCHAR t FROM (VALUES ${values.join()}) v(t)`)
          expect(rowsOf(batch).map(({ t }) => t)).toEqual(texts)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('a streamed answer', () => {
  it('comes in batches of bounded size, all of it and in order', async () => {
    const { connection } = await openTestDuck()
    const batches: ColumnBatch[] = []
    const sql = `SELECT i, 'text number ' || i t FROM range(100000) t(i)`
    for await (const batch of streamBatches(connection, sql, { batchRows: 5000 })) batches.push(batch)
    const sizes = batches.map(({ rowCount }) => rowCount)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(5000 + 2048)
    const rows = batches.flatMap(batch => rowsOf(batch))
    expect(rows).toHaveLength(100_000)
    expect(rows.findIndex((row, i) => row.i !== String(i) || row.t !== `text number ${i}`)).toBe(-1)
  })

  it('is one empty batch without rows', async () => {
    const { connection } = await openTestDuck()
    const batches: ColumnBatch[] = []
    for await (const batch of streamBatches(connection, 'SELECT 1 a WHERE false')) batches.push(batch)
    expect(batches.map(({ rowCount, columns }) => [rowCount, Object.keys(columns)])).toEqual([[0, ['a']]])
  })
})

describe('stopping', () => {
  const endless = 'SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 9'

  it('ends a statement that is under way', async () => {
    const { connection } = await openTestDuck()
    const signal = AbortSignal.timeout(50)
    await expect(readBatch(connection, endless, signal)).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(rowsOf(await readBatch(connection, 'SELECT 1 a'))).toEqual([{ a: 1 }])
  })

  it('ends one that has not begun', async () => {
    const { connection } = await openTestDuck()
    await expect(readBatch(connection, endless, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' })
    const abort = new AbortController()
    const reading = readBatch(connection, endless, abort.signal)
    abort.abort()
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('ends a stream between its batches', async () => {
    const { connection } = await openTestDuck()
    const abort = new AbortController()
    const stream = streamBatches(connection, 'FROM range(100000000)', { signal: abort.signal })
    await stream.next()
    abort.abort()
    await expect(stream.next()).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
