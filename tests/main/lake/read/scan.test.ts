import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rowsOf, type ColumnBatch, type Row } from '../../../../src/contract/columns.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import { openDuck } from '../../../../src/main/duck/open-duck.ts'
import type { DataFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import type { PartitionSpec } from '../../../../src/main/lake/iceberg/metadata.ts'
import type { Field, Schema } from '../../../../src/main/lake/iceberg/schema.ts'
import type { FileIO } from '../../../../src/main/lake/io/file-io.ts'
import { localFiles } from '../../../../src/main/lake/io/local.ts'
import type { Filter } from '../../../../src/main/lake/read/filter.ts'
import type { ScanFile, ScanPlan } from '../../../../src/main/lake/read/plan-scan.ts'
import { openScan, readScan, scanBatches, type ReadOptions } from '../../../../src/main/lake/read/scan.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { conditions, dataFile, passes, rowsOfSample, schema as sampleSchema, specs } from './sample-files.ts'
import { sqlLiteral, sqlName, sqlType } from '../../../../src/main/lake/read/sql-literal.ts'

const field = (id: number, name: string, type: Field['type']): Field => ({ id, name, required: false, type })
const schemaOf = (...fields: Field[]): Schema => ({ type: 'struct', 'schema-id': 0, fields })
const prices = schemaOf(field(1, 'symbol', 'string'), field(2, 'price', 'long'))

async function openReader() {
  const folder = makeTempFolder()
  const duck = await openDuck({ threads: 2 })
  onTestFinished(() => duck.close())
  const connection = await duck.connect()
  let released = 0
  let opened = 0
  const local = localFiles()
  const io: FileIO = {
    ...local,
    async open(location, signal) {
      const file = await local.open(location, signal)
      opened++
      return { path: file.path, release: () => void released++ }
    },
  }

  /** Writes the rows of a SELECT, with field ids by column where there are any. */
  async function write(name: string, select: string, ids?: Record<string, number | object>): Promise<DataFile> {
    const path = join(folder, name)
    const options = ids ? `, FIELD_IDS ${JSON.stringify(ids).replaceAll("'", "''")}` : ''
    await connection.run(`COPY (${select}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet${options})`)
    const partition: DataFile['partition'] = []
    return {
      content: 'data',
      path: `file://${path}`,
      format: 'PARQUET',
      specId: 0,
      partition,
      recordCount: 1,
      fileBytes: 1,
    }
  }
  const deletesOf = (name: string, pairs: [DataFile, number][]) =>
    write(
      name,
      `SELECT * FROM (VALUES ${pairs.map(([{ path }, pos]) => `('${path.replaceAll("'", "''")}', ${pos}::BIGINT)`).join(', ')}) AS t(file_path, pos)`,
      { file_path: 2147483546, pos: 2147483545 },
    ).then((file): DataFile => ({ ...file, content: 'position-deletes' }))
  const read = (plan: ScanPlan, options: Partial<ReadOptions> = {}) => readScan({ plan, io, connection, ...options })
  return { folder, connection, io, write, deletesOf, read, balance: () => ({ opened, released }) }
}

function planOf(files: readonly (DataFile | ScanFile)[], schema: Schema = prices, filter: Filter = []): ScanPlan {
  return {
    snapshotId: '1',
    schema,
    filter,
    files: files.map(file => ('file' in file ? file : { file, sequenceNumber: 1, deletes: [] })),
    counts: { total: files.length, pruned: 0, read: files.length },
  }
}

const sorted = (batch: ColumnBatch) =>
  rowsOf(batch)
    .map(row => JSON.stringify(row))
    .sort()
const one = (batch: ColumnBatch, column: string) => rowsOf(batch).map((row: Row) => row[column])

describe('a scan', () => {
  it('finds columns by field id: renamed, reordered, promoted, added, and dropped and added again', async () => {
    const { write, read } = await openReader()
    const old = await write('old.parquet', "SELECT 'a' AS gone, 1::INTEGER AS price, 'BHP' AS code", {
      gone: 3,
      price: 2,
      code: 1,
    })
    const young = await write('young.parquet', "SELECT 'RIO' AS symbol, 2::BIGINT AS price, 'new' AS gone", {
      symbol: 1,
      price: 2,
      gone: 4,
    })
    const now = schemaOf(field(4, 'gone', 'string'), field(2, 'price', 'long'), field(1, 'symbol', 'string'))
    const batch = await read(planOf([old, young], now), { orderBy: [{ column: 'price', direction: 'asc' }] })
    expect(Object.keys(batch.columns)).toEqual(['gone', 'price', 'symbol'])
    expect(rowsOf(batch)).toEqual([
      { gone: null, price: '1', symbol: 'BHP' },
      { gone: 'new', price: '2', symbol: 'RIO' },
    ])
    expect(one(await read(planOf([old, young], now, [{ column: 'gone', op: 'is null' }])), 'symbol')).toEqual(['BHP'])
    expect(rowsOf(await read(planOf([old], now)))).toEqual([{ gone: null, price: '1', symbol: 'BHP' }])
    expect(rowsOf(await read(planOf([young], now)))).toEqual([{ gone: 'new', price: '2', symbol: 'RIO' }])
  })

  it('finds columns of one file alone by field id, whatever names they have in it', async () => {
    const { write, read } = await openReader()
    const swapped = await write('swapped.parquet', "SELECT 7::INTEGER AS symbol, 'BHP' AS price", {
      symbol: 2,
      price: 1,
    })
    expect(rowsOf(await read(planOf([swapped], prices)))).toEqual([{ symbol: 'BHP', price: '7' }])
    const above = async (value: bigint) =>
      one(await read(planOf([swapped], prices, [{ column: 'price', op: '>', value }])), 'symbol')
    expect([await above(6n), await above(7n)]).toEqual([['BHP'], []])
    // DuckDB writes no two names that differ in case only, but others do.
    const twins = await write('twins.parquet', 'SELECT 7::BIGINT AS price, 8::BIGINT AS "PRICF"', {
      price: 1,
      PRICF: 2,
    })
    const path = twins.path.replace('file://', '')
    await writeFile(path, (await readFile(path, 'latin1')).replaceAll('PRICF', 'PRICE'), 'latin1')
    const [lower, upper] = [field(1, 'lower', 'long'), field(2, 'upper', 'long')]
    expect(rowsOf(await read(planOf([twins], schemaOf(lower, upper))))).toEqual([{ lower: '7', upper: '8' }])
  })

  it("gives a table's own types, also of lists and maps, and of no file at all", async () => {
    const { write, connection, io } = await openReader()
    const types: Schema = schemaOf(
      field(1, 'at', 'timestamptz'),
      field(2, 'price', 'decimal(18, 8)'),
      field(3, 'codes', { type: 'list', 'element-id': 6, element: 'string', 'element-required': true }),
      field(4, 'more', {
        type: 'map',
        'key-id': 7,
        key: 'string',
        'value-id': 8,
        value: 'string',
        'value-required': true,
      }),
      field(5, 'day', 'date'),
    )
    const file = await write(
      'a.parquet',
      "SELECT make_timestamptz(5) AS at, 1.5::DECIMAL(9, 8) AS price, ['x', 'y'] AS codes, MAP {'k': 'v'} AS more, DATE '2026-01-05' AS day",
      {
        at: 1,
        price: 2,
        codes: { __duckdb_field_id: 3, element: 6 },
        more: { __duckdb_field_id: 4, key: 7, value: 8 },
        day: 5,
      },
    )
    for (const files of [[file], []]) {
      const scan = await openScan({ plan: planOf(files, types), io, connection })
      const answer = await connection.runAndReadAll(scan.sql())
      expect(answer.columnTypes().map(String)).toEqual([
        'TIMESTAMP WITH TIME ZONE',
        'DECIMAL(18,8)',
        'VARCHAR[]',
        'MAP(VARCHAR, VARCHAR)',
        'DATE',
      ])
      expect(answer.currentRowCount).toBe(files.length)
    }
    const batch = await readScan({ plan: planOf([file], types), io, connection })
    expect(rowsOf(batch)).toEqual([
      { at: '1970-01-01T00:00:00.000005Z', price: '1.5', codes: ['x', 'y'], more: { k: 'v' }, day: '2026-01-05' },
    ])
  })

  it('leaves out the rows that position deletes name, of each file only those that apply to it', async () => {
    const { write, deletesOf, read } = await openReader()
    const rows = (name: string) =>
      write(name, "SELECT 'S' || i AS symbol, i AS price FROM range(6) t(i)", { symbol: 1, price: 2 })
    const [a, b, c] = [await rows("it's.parquet"), await rows('b[1]*.parquet'), await rows('c.parquet')]
    const both = await deletesOf('both.parquet', [
      [a, 0],
      [a, 5],
      [b, 1],
      [c, 2],
    ])
    const more = await deletesOf('more.parquet', [[a, 3]])
    const plan = planOf([
      { file: a, sequenceNumber: 1, deletes: [both, more] },
      { file: b, sequenceNumber: 1, deletes: [both] },
      c, // newer than the deletes that name it
    ])
    const files = await read(plan, { columns: ['price'] })
    expect(one(files, 'price').map(Number).sort()).toEqual(
      [...[1, 2, 4], ...[0, 2, 3, 4, 5], ...[0, 1, 2, 3, 4, 5]].sort(),
    )
    const filtered = await read({ ...plan, filter: [{ column: 'price', op: '<', value: 2n }] })
    expect(sorted(filtered)).toHaveLength(1 + 1 + 2)
  })

  it('says of which file each row is, where some have no field ids and some have deletes', async () => {
    const { write, deletesOf, io, connection } = await openReader()
    const numbered = async (files: (DataFile | ScanFile)[]) => {
      const { sql, order, release } = await openScan({ plan: planOf(files), io, connection })
      const rows = rowsOf(await readBatch(connection, sql(['price'], 'file')))
      release()
      return rows.map(({ file, price }) => [order[Number(file)].file.path, Number(price)] as const)
    }
    const plain = await Promise.all(
      [10, 20].map(first =>
        write(`p${first}.parquet`, `SELECT 'S' AS symbol, ${first} + i AS price FROM range(4) t(i)`, {
          symbol: 1,
          price: 2,
        }),
      ),
    )
    const odd = await write('odd.parquet', "SELECT 'S' AS symbol, 30::INTEGER AS price")
    const cut = await write('cut.parquet', "SELECT 'S' AS symbol, 40 + i AS price FROM range(3) t(i)", {
      symbol: 1,
      price: 2,
    })
    const gone = await deletesOf('gone.parquet', [[cut, 1]])
    const files = [plain[0], { file: cut, sequenceNumber: 1, deletes: [gone] }, odd, plain[1]]
    const found = await numbered(files)
    expect(found.toSorted(([, a], [, b]) => a - b)).toEqual([
      ...[10, 11, 12, 13].map(price => [plain[0].path, price]),
      ...[20, 21, 22, 23].map(price => [plain[1].path, price]),
      [odd.path, 30],
      ...[40, 42].map(price => [cut.path, price]),
    ])
    expect(await numbered([])).toEqual([])
  })

  it('reads a file without field ids by the names it should have', async () => {
    const { write, deletesOf, read } = await openReader()
    const file = await write('plain.parquet', "SELECT 'BHP' AS code, 7::INTEGER AS price UNION ALL SELECT 'RIO', 8")
    const byId = await write('ids.parquet', "SELECT 'FMG' AS symbol, 9 AS price", { symbol: 1, price: 2 })
    const nameMapping = JSON.stringify([
      { 'field-id': 1, names: ['symbol', 'code'] },
      { 'field-id': 2, names: ['price'] },
    ])
    const plan = { ...planOf([file, byId]), nameMapping }
    expect(sorted(await read(plan))).toEqual(
      [
        { symbol: 'BHP', price: '7' },
        { symbol: 'RIO', price: '8' },
        { symbol: 'FMG', price: '9' },
      ]
        .map(row => JSON.stringify(row))
        .sort(),
    )
    expect(one(await read(planOf([file]), { columns: ['symbol', 'price'] }), 'symbol')).toEqual([null, null])
    const first = await deletesOf('first.parquet', [[file, 0]])
    const deleted = { ...planOf([{ file, sequenceNumber: 1, deletes: [first] }]), nameMapping }
    expect(one(await read(deleted), 'symbol')).toEqual(['RIO'])
    await expect(read({ ...planOf([{ ...file }]), nameMapping: '{' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('takes a column that a file lacks from its partition', async () => {
    const { write, read } = await openReader()
    const spec: PartitionSpec = {
      'spec-id': 0,
      fields: [{ 'source-id': 1, 'field-id': 1000, name: 'symbol', transform: 'identity' }],
    }
    const file = { ...(await write('a.parquet', 'SELECT 7::BIGINT AS price', { price: 2 })), partition: ["O'X"] }
    const plan = { ...planOf([file], prices, [{ column: 'symbol', op: '=', value: "O'X" }]), specs: [spec] }
    expect(rowsOf(await read(plan))).toEqual([{ symbol: "O'X", price: '7' }])
  })

  it('answers filters over values of every type as pruning judges them', async () => {
    const { connection, io, folder } = await openReader()
    let files = 0
    const ids = `{${sampleSchema.fields.map(({ id, name }) => `${sqlName(name)}: ${id}`).join(', ')}}`
    const literal = (type: string, value: Parameters<typeof sqlLiteral>[1] | null) =>
      `CAST(${value === null ? 'NULL' : sqlLiteral(type, value)} AS ${sqlType(type)})`
    await fc.assert(
      fc.asyncProperty(rowsOfSample, fc.array(conditions, { maxLength: 2 }), async (rows, filter) => {
        const path = join(folder, `${files++}.parquet`)
        const tuples = rows.map(
          row => `(${sampleSchema.fields.map(({ name, type }) => literal(type as string, row[name])).join(', ')})`,
        )
        const names = sampleSchema.fields.map(({ name }) => sqlName(name)).join(', ')
        await connection.run(
          `COPY (SELECT * FROM (VALUES ${tuples.join(', ')}) AS t(${names})) TO '${path}' (FORMAT parquet, FIELD_IDS ${ids})`,
        )
        const plan = planOf([dataFile(`file://${path}`, rows, specs[0])], sampleSchema, filter)
        const batch = await readScan({ plan, io, connection, columns: ['int'] })
        const expected = rows.filter(row => filter.every(condition => passes(row, condition)))
        expect(batch.rowCount).toBe(expected.length)
      }),
      { numRuns: 80 },
    )
  })

  it('is not fooled by quotes, NUL and statements in names, values and paths', async () => {
    const { write, read } = await openReader()
    const name = `a"b'); DROP TABLE x; --`
    const file = await write(`q'; SELECT 1 --.parquet`, `SELECT 'x' || chr(0) || '''y' AS c UNION ALL SELECT 'z'`, {
      c: 1,
    })
    const odd = schemaOf(field(1, name, 'string'))
    const plan = planOf([file], odd, [{ column: name, op: '=', value: "x\0'y" }])
    expect(rowsOf(await read(plan))).toEqual([{ [name]: "x\0'y" }])
    expect(rowsOf(await read(planOf([file], odd, [{ column: name, op: '=', value: "' OR 1=1 --" }])))).toEqual([])
  })

  it('streams batches, sorted and limited when asked, by columns that are not answered too', async () => {
    const { write, connection, io, balance } = await openReader()
    const file = await write('a.parquet', "SELECT 'S' || (i % 7) AS symbol, i AS price FROM range(50000) t(i)", {
      symbol: 1,
      price: 2,
    })
    const batches: ColumnBatch[] = []
    const options = { plan: planOf([file]), io, connection, columns: ['symbol'] }
    for await (const batch of scanBatches({
      ...options,
      orderBy: [{ column: 'price', direction: 'desc' }],
      limit: 30_000,
      batchRows: 10_000,
    }))
      batches.push(batch)
    expect(batches.length).toBeGreaterThan(1)
    expect(batches.reduce((sum, batch) => sum + batch.rowCount, 0)).toBe(30_000)
    expect(one(batches[0], 'symbol').slice(0, 3)).toEqual(['S5', 'S4', 'S3'].map((_, i) => `S${(49_999 - i) % 7}`))
    expect(Object.keys(batches[0].columns)).toEqual(['symbol'])
    expect(balance()).toEqual({ opened: 1, released: 1 })
  })

  it('releases its files when its reader stops early or cancels', async () => {
    const { write, connection, io, balance } = await openReader()
    const file = await write('a.parquet', 'SELECT i AS price FROM range(100000) t(i)', { price: 2 })
    for await (const batch of scanBatches({ plan: planOf([file]), io, connection, batchRows: 1000 })) {
      expect(batch.rowCount).toBeGreaterThan(0)
      break
    }
    const abort = new AbortController()
    const batches = scanBatches({ plan: planOf([file]), io, connection, batchRows: 1000, signal: abort.signal })
    await batches.next()
    abort.abort()
    await expect(batches.next()).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(balance()).toEqual({ opened: 2, released: 2 })
  })

  it('names the file that is gone or damaged, and releases the others', async () => {
    const { write, read, balance } = await openReader()
    const good = await write('good.parquet', 'SELECT 1 AS price', { price: 2 })
    const gone = await write('gone.parquet', 'SELECT 2 AS price', { price: 2 })
    const bad = await write('bad.parquet', 'SELECT i AS price, i::VARCHAR AS symbol FROM range(5000) t(i)', {
      price: 2,
      symbol: 1,
    })
    await rm(gone.path.slice(7))
    await expect(read(planOf([good, gone]))).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining(gone.path) as string,
    })
    const bytes = await readFile(bad.path.slice(7))
    for (const broken of [
      bytes.subarray(0, 5),
      bytes.subarray(0, bytes.length - 20),
      Buffer.alloc(bytes.length),
      damagedInside(bytes),
    ]) {
      await writeFile(bad.path.slice(7), broken)
      await expect(read(planOf([good, { ...bad }]))).rejects.toMatchObject({
        code: 'CORRUPT',
        details: { file: bad.path },
      })
    }
    expect(existsSync(good.path.slice(7))).toBe(true)
    const { opened, released } = balance()
    expect(opened).toBe(released)
  })

  it('refuses columns that the table does not have, with those there are, and none at all', async () => {
    const { read } = await openReader()
    await expect(read(planOf([]), { columns: ['prize'] })).rejects.toThrow(
      'There is no column prize. The columns are symbol, price.',
    )
    await expect(read(planOf([]), { orderBy: [{ column: 'prize', direction: 'asc' }] })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
    await expect(read(planOf([]), { columns: [] })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})

/** The footer stays, the pages are garbage. */
function damagedInside(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.fill(0xff, 4, Math.floor(bytes.length / 2))
  return copy
}
