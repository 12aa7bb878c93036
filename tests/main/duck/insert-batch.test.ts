// Column batches into DuckDB: what goes in comes out again, by a table and by a scan of the rows themselves.
import { BIGINT, DECIMAL, INTEGER, TIMESTAMPTZ, VARCHAR, type DuckDBType } from '@duckdb/node-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellOf, rowOf, rowsOf, type Column, type ColumnBatch } from '../../../src/contract/columns.ts'
import { insertBatch } from '../../../src/main/duck/insert-batch.ts'
import { readBatch } from '../../../src/main/duck/read-batch.ts'
import { openRowScan } from '../../../src/main/duck/row-scan.ts'
import { packedColumn } from '../../../src/main/market/packed-texts.ts'
import { pack } from '../../support/pack-texts.ts'
import { openTestDuck } from './duck.ts'

const TABLE = `s VARCHAR, e VARCHAR, t TIMESTAMPTZ, p DECIMAL(18,8), n BIGINT, i INTEGER, b BOOLEAN, d DATE, l VARCHAR[],
  m MAP(VARCHAR, VARCHAR), bl BLOB, f DOUBLE`

const words = (type: Column['type'], list: Column['words'], codes: number[]): Column => ({
  type,
  values: Uint16Array.from(codes),
  words: list,
})

/** Every type of a column, with values that cost most: long and empty texts, negative and 64-bit numbers, empty lists. */
function everyType(): ColumnBatch {
  return {
    rowCount: 3,
    columns: {
      s: words('string', ['é', 'a text of more than twelve bytes', ''], [1, 0, 2]),
      e: words('enum', ['BUY', 'SELL'], [0, 1, 0]),
      t: { type: 'timestamp', values: Float64Array.of(-1, 0, 1767571200000001) },
      p: { type: 'decimal', scale: 8, values: BigInt64Array.of(-999999999999999999n, 1n, 3618000000n) },
      n: { type: 'long', values: BigInt64Array.of(-9007199254740993n, 2n ** 63n - 1n, -(2n ** 63n)) },
      i: { type: 'int', values: Int32Array.of(-1, 0, 2147483647) },
      b: { type: 'boolean', values: Uint8Array.of(1, 0, 1) },
      d: { type: 'date', values: Int32Array.of(-1, 0, 20458) },
      l: words('list', [[], ['x', 'a text of more than twelve bytes', '']], [1, 0, 1]),
      m: words('map', [{ venue: 'X', 'a key of more than twelve bytes': '' }, {}], [0, 1, 0]),
      bl: words('bytes', ['', 'w6k=', Buffer.alloc(1000, 7).toString('base64')], [2, 1, 0]),
      f: { type: 'double', values: Float64Array.of(-0.5, 1e300, 0) },
    },
  }
}

function withNulls({ rowCount, columns }: ColumnBatch, nulls: Uint8Array): ColumnBatch {
  const entries = Object.entries(columns).map(([name, column]) => [name, { ...column, nulls }])
  return { rowCount, columns: Object.fromEntries(entries) as ColumnBatch['columns'] }
}

async function insertAndRead(batch: ColumnBatch, order?: Uint32Array, table = TABLE) {
  const { connection } = await openTestDuck()
  await connection.run(`CREATE TABLE t (${table})`)
  await insertBatch(connection, 't', batch, order)
  return readBatch(connection, 'FROM t')
}

describe('a batch in a table', () => {
  it('has every type as it was', async () => {
    expect(rowsOf(await insertAndRead(everyType()))).toEqual(rowsOf(everyType()))
  })

  it('has nulls where they were, whatever the values there hold', async () => {
    const batch = withNulls(everyType(), Uint8Array.of(0, 1, 0))
    for (const { words, values } of Object.values(batch.columns)) if (words) values[1] = 999
    const rows = rowsOf(await insertAndRead(batch))
    expect(rows).toEqual(rowsOf(batch))
    expect(new Set(Object.values(rows[1]))).toEqual(new Set([null]))
  })

  it('takes null words for nulls', async () => {
    const batch = {
      rowCount: 2,
      columns: { s: words('string', ['x', null], [1, 0]), l: words('list', [null, ['y']], [0, 1]) },
    }
    expect(rowsOf(await insertAndRead(batch, undefined, 's VARCHAR, l VARCHAR[]'))).toEqual([
      { s: null, l: null },
      { s: 'x', l: ['y'] },
    ])
  })

  it('is in the order asked for, also with rows left out and repeated', async () => {
    const rows = rowsOf(everyType())
    expect(rowsOf(await insertAndRead(everyType(), Uint32Array.of(2, 0, 2)))).toEqual([rows[2], rows[0], rows[2]])
  })

  it('has null where the batch has no such column', async () => {
    const batch = { rowCount: 5000, columns: { i: { type: 'int' as const, values: new Int32Array(5000).fill(7) } } }
    const { columns } = await insertAndRead(batch)
    expect([cellOf(columns.i, 4999), cellOf(columns.l, 4999), cellOf(columns.s, 0)]).toEqual([7, null, null])
  })

  it('takes decimals of other scales exactly, and refuses what the column cannot keep', async () => {
    const decimal = (scale: number, ...values: bigint[]): ColumnBatch => ({
      rowCount: values.length,
      columns: { p: { type: 'decimal', scale, values: BigInt64Array.from(values) } },
    })
    const insert = async (batch: ColumnBatch) => rowsOf(await insertAndRead(batch, undefined, 'p DECIMAL(18,8)'))
    expect(await insert(decimal(2, 3618n, -1n))).toEqual([{ p: '36.18' }, { p: '-0.01' }])
    expect(await insert(decimal(10, 1200n))).toEqual([{ p: '0.00000012' }])
    await expect(insert(decimal(10, 1n))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await expect(insert(decimal(0, 10n ** 10n))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await expect(insert(decimal(8, 10n ** 18n))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('is refused with codes that have no word', async () => {
    const batch = { rowCount: 1, columns: { s: words('string', ['x'], [1]) } }
    await expect(insertAndRead(batch, undefined, 's VARCHAR')).rejects.toThrow('code 1 of 1 words')
  })

  it('holds any texts, lists and maps, over many vectors', async () => {
    const { connection } = await openTestDuck()
    const text = fc.string({ unit: 'binary', maxLength: 30 })
    const word = fc.record({
      s: fc.option(text),
      l: fc.option(fc.array(text, { maxLength: 4 })),
      m: fc.option(fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true })),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 5000 }),
        async (list, rowCount) => {
          const codes = Array.from({ length: rowCount }, (_, row) => row % list.length)
          const column = (type: 'string' | 'list' | 'map', key: 's' | 'l' | 'm') =>
            words(
              type,
              list.map(entry => entry[key]),
              codes,
            )
          const batch = {
            rowCount,
            columns: { s: column('string', 's'), l: column('list', 'l'), m: column('map', 'm') },
          }
          await connection.run('CREATE OR REPLACE TABLE t (s VARCHAR, l VARCHAR[], m MAP(VARCHAR, VARCHAR))')
          await insertBatch(connection, 't', batch)
          expect(rowsOf(await readBatch(connection, 'FROM t'))).toEqual(rowsOf(batch))
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('a scan of rows', () => {
  const count = 10_000
  const ids = Array.from({ length: count }, (_, row) => `${row % 3 ? 'a text of more than twelve bytes ' : 'é'}${row}`)
  const numbers = new Float64Array(count).map((_, row) => (row - 5000) * 2 ** 31)
  const nulls = new Uint8Array(count).map((_, row) => (row % 7 ? 0 : 1))
  const batch: ColumnBatch = {
    rowCount: count,
    columns: {
      i: { type: 'int', values: Int32Array.from(numbers.keys()) },
      s: packedColumn(pack(ids)),
      n: { type: 'long', values: numbers },
      t: { type: 'timestamp', values: numbers, nulls },
      p: { type: 'decimal', scale: 8, values: numbers },
      q: { type: 'decimal', scale: 2, values: Float64Array.from(numbers.keys()), nulls },
      e: words('enum', ['BUY'], Array<number>(count).fill(0)),
    },
  }
  const columns: [string, DuckDBType][] = [
    ['i', INTEGER],
    ['s', VARCHAR],
    ['n', BIGINT],
    ['t', TIMESTAMPTZ],
    ['p', DECIMAL(18, 8)],
    ['q', DECIMAL(18, 8)],
    ['e', VARCHAR],
  ]

  it('gives its rows in their order, to several statements at once', async () => {
    const { duck } = await openTestDuck()
    const order = new Uint32Array(count).map((_, place) => (place * 3571) % count)
    const [names, types] = [columns.map(([name]) => name), columns.map(([, type]) => type)]
    const scan = await openRowScan(batch, order, names, types, new Set(['e']))
    const read = async (from: number, to: number) => {
      const connection = await duck.connect()
      return scan.withRows({ from, to }, async source => rowsOf(await readBatch(connection, `SELECT * FROM ${source}`)))
    }
    const [all, few] = await Promise.all([read(0, count), read(2500, 7501)])
    scan.close()
    const expected = Array.from(order, row => rowOf(batch, row))
    expect(all).toEqual(expected)
    expect(few).toEqual(expected.slice(2500, 7501))
  })

  it('cannot be read by whoever guesses at it', async () => {
    const { connection } = await openTestDuck()
    await expect(readBatch(connection, 'FROM k2_rows(123456)')).rejects.toThrow('There are no rows')
  })
})
