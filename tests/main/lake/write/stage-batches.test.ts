// Batches as files of a table: every row once, in its partition and in order, described truthfully, or nothing at all.
import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf, type ColumnBatch } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { TABLES, type TableId } from '../../../../src/contract/tables.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import type { DataFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import { fieldNamed } from '../../../../src/main/lake/iceberg/schema.ts'
import { decodeValue } from '../../../../src/main/lake/iceberg/single-value.ts'
import { bucketOf } from '../../../../src/main/lake/iceberg/transform.ts'
import type { FileIO } from '../../../../src/main/lake/io/file-io.ts'
import { stageBatches, type StageBatchesOptions } from '../../../../src/main/lake/write/stage-batches.ts'
import { packedColumn } from '../../../../src/main/market/packed-texts.ts'
import { pack } from '../../../support/pack-texts.ts'
import { anyBatch, DAY, fromFiles, MICROS_PER_DAY, openTable, tradesBatch, type SampleTrade } from './sample-rows.ts'

const SYMBOLS = ['BHP', 'RIO', 'CBA', 'é', '']

function randomTrades(count: number): SampleTrade[] {
  let seed = count
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  return Array.from({ length: count }, () => ({
    symbol: SYMBOLS[Math.floor(random() * SYMBOLS.length)],
    micros: DAY + Math.floor(random() * 2 * MICROS_PER_DAY),
    sequence: random() < 0.2 ? null : Math.floor(random() * 1000),
  }))
}

async function stage(batches: StageBatchesOptions['batches'], changes: Partial<StageBatchesOptions> = {}) {
  const table = await openTable()
  const files = await stageBatches({ ...table, batches, ...changes })
  const read = (sql: string) => readBatch(table.connection, sql).then(rowsOf)
  return { ...table, files, read }
}

/** What is in a folder, without folders themselves. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => name)

describe('staged rows', () => {
  it('takes the next rows while files of those before are written', async () => {
    const table = await openTable()
    let askedForMore = () => {}
    const asked = new Promise<void>(resolve => (askedForMore = resolve))
    async function* batches(): AsyncGenerator<ColumnBatch> {
      yield tradesBatch(randomTrades(100))
      askedForMore()
      yield tradesBatch(randomTrades(100), 100)
    }
    const io: FileIO = {
      ...table.io,
      async adopt(...args) {
        await asked
        return table.io.adopt(...args)
      },
    }
    const files = await stageBatches({ ...table, io, batches: batches(), rowsPerFlush: 100 })
    expect(files.reduce((sum, { recordCount }) => sum + recordCount, 0)).toBe(200)
  })

  it('are all there, each once, in the partition they belong to', async () => {
    const { files, read, metadata } = await stage([
      tradesBatch(randomTrades(5000)),
      tradesBatch(randomTrades(5000), 5000),
    ])
    expect(files.reduce((sum, { recordCount }) => sum + recordCount, 0)).toBe(10_000)
    expect(await read(`SELECT count(DISTINCT message_id) n FROM ${fromFiles(files)}`)).toEqual([{ n: '10000' }])
    for (const file of files) {
      expect(file.path.startsWith(metadata.location)).toBe(true)
      for (const { symbol, exchange_timestamp: time } of await read(
        `SELECT DISTINCT symbol, date_trunc('day', exchange_timestamp) exchange_timestamp FROM ${fromFiles([file])}`,
      ))
        expect([Date.parse(time as string) / 86_400_000, bucketOf('string', symbol as string, 16)]).toEqual(
          file.partition,
        )
    }
  })

  it.each([
    ['in one batch', 20_000, 20_000],
    ['in many batches', 20_000, 1000],
    ['over several flushes', 20_000, 3000],
  ])('are sorted in every file, %s', async (_, count, batchRows) => {
    const rows = randomTrades(count)
    const batches = Array.from({ length: Math.ceil(count / batchRows) }, (_, k) =>
      tradesBatch(rows.slice(k * batchRows, (k + 1) * batchRows)),
    )
    const { files, read } = await stage(batches, { rowsPerFlush: batchRows === 3000 ? 5000 : undefined })
    for (const file of files) {
      const sort = 'symbol, exchange_timestamp, source_sequence NULLS LAST'
      const [{ wrong }] =
        await read(`SELECT count(*) FILTER (n <> m) wrong FROM (SELECT n, row_number() OVER (ORDER BY ${sort}, n) - 1 m
        FROM (SELECT *, file_row_number n FROM ${fromFiles([file], ', file_row_number=true')}))`)
      expect(wrong).toBe('0')
      expect(file.sortOrderId).toBe(1)
    }
  })

  it('lie in one file a day by the plainer spec, and in names that say so', async () => {
    const { files } = await stage([tradesBatch(randomTrades(1000))], { specId: 0 })
    expect(files.map(({ specId, partition }) => [specId, ...partition]).sort()).toEqual([
      [0, DAY / MICROS_PER_DAY],
      [0, DAY / MICROS_PER_DAY + 1],
    ])
    expect(files.map(({ path }) => /\/data\/(.*)\/[-0-9a-f]{36}\.parquet$/.exec(path)?.[1]).sort()).toEqual([
      'exchange_date=2026-01-05',
      'exchange_date=2026-01-06',
    ])
  })

  it('carry the ids of their columns, those inside lists and maps too', async () => {
    const { files, read } = await stage([tradesBatch(randomTrades(10))])
    const fields = await read(
      `SELECT name, field_id FROM parquet_schema('${files[0].path}') WHERE field_id IS NOT NULL`,
    )
    expect(Object.fromEntries(fields.map(({ name, field_id }) => [name, field_id]))).toMatchObject({
      message_id: '1',
      trade_conditions: '11',
      element: '19',
      vendor_data: '15',
      key: '20',
      value: '21',
      _offset: '18',
    })
  })

  it('are the same for any split into batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 700 }),
        async (sizes, rowsPerFlush) => {
          const count = sizes.reduce((sum, size) => sum + size, 0)
          const rows = randomTrades(count)
          let from = 0
          const batches = sizes.map(size => tradesBatch(rows.slice(from, (from += size)), from - size))
          const { files, read } = await stage(batches, { rowsPerFlush })
          expect(files.length > 0).toBe(count > 0)
          if (count === 0) return
          const sql = `SELECT symbol, exchange_timestamp, source_sequence FROM ${fromFiles(files)} ORDER BY trade_id::INTEGER`
          const { symbol, exchange_timestamp, source_sequence } = tradesBatch(rows).columns
          expect(await read(sql)).toEqual(
            rowsOf({ rowCount: count, columns: { symbol, exchange_timestamp, source_sequence } }),
          )
        },
      ),
      { numRuns: 15 },
    )
  })

  it('have their ids, whether these came as words or packed', async () => {
    const id = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', minLength: 10 }))
    const parts = fc.array(fc.record({ ids: fc.array(id), isPacked: fc.boolean() }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(parts, async parts => {
        const batches = parts.map(({ ids, isPacked }) => {
          const batch = tradesBatch(ids.map((_, i) => ({ symbol: 'BHP', micros: DAY + i })))
          const words = { type: 'string' as const, values: Uint32Array.from(ids.keys()), words: ids }
          return { ...batch, columns: { ...batch.columns, message_id: isPacked ? packedColumn(pack(ids)) : words } }
        })
        const { files, read } = await stage(batches)
        if (files.length === 0) return
        const found = await read(`SELECT message_id FROM ${fromFiles(files)}`)
        expect(found.map(({ message_id }) => message_id).sort()).toEqual(parts.flatMap(({ ids }) => ids).sort())
      }),
      { numRuns: 15 },
    )
  })

  it('have packed ids without one of them ever becoming a string', async () => {
    const ids = (from: number) => Array.from({ length: 3000 }, (_, i) => `ASX:${from + i}:BHP:T${from + i}`)
    const unreadable = (texts: readonly string[]) =>
      Object.defineProperty(packedColumn(pack(texts)), 'words', {
        get: () => expect.fail('a packed column was read as words'),
      })
    const batches = [0, 3000].map(from => {
      const { rowCount, columns } = tradesBatch(randomTrades(3000), from)
      const packed = unreadable(ids(from))
      return { rowCount, columns: { ...columns, message_id: packed, trade_id: unreadable(ids(from)) } }
    })
    const { files, read } = await stage(batches)
    const found = await read(`SELECT message_id FROM ${fromFiles(files)} WHERE message_id = trade_id`)
    expect(found.map(({ message_id: id }) => id).sort()).toEqual([...ids(0), ...ids(3000)].sort())
    await stage([batches[0]])
  })

  it('have nulls where no row of a flush has a value, and values where one has', async () => {
    const batch = (rows: SampleTrade[], change: ColumnBatch['columns']) => {
      const { rowCount, columns } = tradesBatch(rows)
      return { rowCount, columns: { ...columns, ...change } }
    }
    const rows = [1, 2].map(sequence => ({ symbol: 'BHP', micros: DAY, sequence }))
    const none = { values: new Uint8Array(2), nulls: Uint8Array.of(1, 1) }
    const side = { type: 'enum', words: ['BUY'] } as const
    const vendor_data = { type: 'map', values: new Uint8Array(2), words: [null] } as const
    const batches = [
      batch(rows, { side: { ...side, ...none }, vendor_data, _offset: { type: 'long', ...none } }),
      batch(rows, { side: { ...side, values: new Uint8Array(2) }, vendor_data }),
    ]
    const { files, read } = await stage(batches)
    const sql = `SELECT count(side) side, count(vendor_data) vendor, count(_offset) place FROM ${fromFiles(files)}`
    expect(await read(sql)).toEqual([{ side: '2', vendor: '0', place: '0' }])
  })

  it.each(Object.keys(TABLES) as TableId[])('of %s hold every type, and nulls', async table => {
    const { spec, specId, ...rest } = await openTable(table)
    const batch = anyBatch(spec.columns, 200)
    const files = await stageBatches({ ...rest, spec, specId, batches: [batch] })
    const read = await readBatch(rest.connection, `FROM ${fromFiles(files)}`)
    const texts = (rows: ColumnBatch) =>
      rowsOf(rows)
        .map(row => JSON.stringify(row))
        .sort()
    expect(texts(read)).toEqual(texts(batch))
  })
})

describe('the description of a file', () => {
  it('has bounds that hold for every row, and counts and sizes that are so', async () => {
    const { files, read, metadata, io } = await stage([tradesBatch(randomTrades(5000))])
    const [schema] = metadata.schemas
    for (const file of files) {
      expect(file.fileBytes).toBe((await io.read(file.path)).length)
      const boundsOf = (name: string) => {
        const { id, type } = fieldNamed(schema, name)!
        return [file.lowerBounds!.get(id)!, file.upperBounds!.get(id)!].map(bound => decodeValue(type as string, bound))
      }
      const [row] =
        await read(`SELECT min(symbol) s0, max(symbol) s1, epoch_us(min(exchange_timestamp)) t0, epoch_us(max(exchange_timestamp)) t1,
        (min(quantity)::DECIMAL(28,8) * 100000000)::BIGINT q0, (max(quantity)::DECIMAL(28,8) * 100000000)::BIGINT q1, count(*) - count(source_sequence) n FROM ${fromFiles([file])}`)
      expect(boundsOf('symbol')).toEqual([row.s0, row.s1])
      expect(boundsOf('exchange_timestamp')).toEqual([BigInt(row.t0 as string), BigInt(row.t1 as string)])
      expect(boundsOf('quantity')).toEqual([BigInt(row.q0 as string), BigInt(row.q1 as string)])
      expect(file.nullCounts!.get(12)).toBe(Number(row.n))
      expect(file.valueCounts!.get(12)).toBe(file.recordCount)
      // Cut to 16 characters, the upper one rounded up.
      expect(boundsOf('message_id')).toEqual(['ASX:176757120000', 'ASX:176757120001'])
      for (const id of [11, 15, 19, 20, 21]) expect(file.lowerBounds!.has(id) || file.upperBounds!.has(id)).toBe(false)
    }
  })

  it('has bounds of just the texts in the file where few repeat', async () => {
    const batch = tradesBatch(['BHP', 'RIO', 'CBA', 'BHP', 'RIO'].map((symbol, i) => ({ symbol, micros: DAY + i })))
    const words = ['AUD', 'CHF', 'AUD', null, 'a currency of more than sixteen characters', 'USD']
    batch.columns.currency = { type: 'string', values: Uint8Array.of(0, 5, 1, 2, 4), words }
    batch.columns.side = { type: 'enum', values: Uint8Array.of(0, 1, 0, 1, 1), words: ['SELL', null] }
    const { files, read } = await stage([batch])
    const boundsOf = async (file: DataFile, id: number) => [
      (await read(`SELECT symbol FROM ${fromFiles([file])}`))[0].symbol,
      ...[file.lowerBounds!, file.upperBounds!].map(bounds =>
        String(decodeValue('string', bounds.get(id) ?? Buffer.of())),
      ),
      file.nullCounts!.get(id),
    ]
    const ofAll = async (id: number) => (await Promise.all(files.map(file => boundsOf(file, id)))).sort()
    expect(await ofAll(9)).toEqual([
      ['BHP', 'AUD', 'AUD', 0],
      ['CBA', 'CHF', 'CHF', 0],
      ['RIO', 'USD', 'a currency of mp', 0],
    ])
    expect(await ofAll(10)).toEqual([
      ['BHP', 'SELL', 'SELL', 1],
      ['CBA', 'SELL', 'SELL', 0],
      ['RIO', '', '', 2],
    ])
  })

  it('has right bounds for times before 1970 and long after', async () => {
    const times = [-62_135_596_800_000_000, -1, 0, 7_258_118_400_000_000]
    const { files } = await stage([tradesBatch(times.map(micros => ({ symbol: 'BHP', micros })))])
    expect(files.map(file => decodeValue('timestamptz', file.lowerBounds!.get(6)!))).toEqual(times.map(BigInt))
    expect(files.map(file => file.partition[0])).toEqual([-719_162, -1, 0, 84_006])
  })

  it('has no sort order when the table has none', async () => {
    const table = await openTable()
    const metadata = { ...table.metadata, 'sort-orders': [{ 'order-id': 0, fields: [] }], 'default-sort-order-id': 0 }
    const [file] = await stageBatches({ ...table, metadata, batches: [tradesBatch(randomTrades(3))] })
    expect(file).not.toHaveProperty('sortOrderId')
  })
})

describe('what goes wrong', () => {
  /** The files of a table, where the n-th adoption fails. */
  function failingAt(io: FileIO, n: number): FileIO {
    let adopted = 0
    return {
      ...io,
      adopt: async (...args) => {
        if (++adopted === n) throw new Failure('UNAVAILABLE', 'The disk is gone.')
        return io.adopt(...args)
      },
    }
  }

  it('leaves no file behind, whichever of them fails', async () => {
    const rows = randomTrades(2000)
    for (const n of [1, 3, 8]) {
      const table = await openTable()
      const staging = stageBatches({
        ...table,
        io: failingAt(table.io, n),
        batches: [tradesBatch(rows), tradesBatch(rows)],
        rowsPerFlush: 2000,
      })
      await expect(staging).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: 'The disk is gone. Nothing was added to the table and no file was left behind.',
      })
      expect(filesIn(table.metadata.location).filter(name => !name.startsWith('.draft'))).toEqual([])
    }
  })

  it('names the files that could not be removed again', async () => {
    const table = await openTable()
    const io = { ...failingAt(table.io, 3), remove: () => Promise.reject(new Error('read-only')) }
    const staging = stageBatches({ ...table, io, batches: [tradesBatch(randomTrades(100))], filesInFlight: 1 })
    const failure = await staging.catch((error: unknown) => error as Failure)
    const left = filesIn(table.metadata.location).filter(name => name.endsWith('.parquet'))
    expect(left).toHaveLength(2)
    for (const name of left) expect((failure as Failure).message).toContain(name)
  })

  it('leaves no file behind when it is stopped, or when its batches fail', async () => {
    const table = await openTable()
    const abort = new AbortController()
    async function* batches(): AsyncGenerator<ColumnBatch> {
      yield tradesBatch(randomTrades(1000))
      yield tradesBatch(randomTrades(1000))
      abort.abort()
      yield tradesBatch(randomTrades(1000))
    }
    const options = { ...table, batches: batches(), rowsPerFlush: 1000, signal: abort.signal }
    await expect(stageBatches(options)).rejects.toMatchObject({ code: 'CANCELLED' })
    async function* broken(): AsyncGenerator<ColumnBatch> {
      yield tradesBatch(randomTrades(1000))
      throw new Error('the source broke')
    }
    await expect(stageBatches({ ...table, batches: broken(), rowsPerFlush: 1000 })).rejects.toThrow('the source broke')
    expect(filesIn(table.metadata.location)).toEqual([])
  })

  it('is a row without what every row must have', async () => {
    const batch = tradesBatch(randomTrades(10))
    delete (batch.columns as Partial<ColumnBatch['columns']>).currency
    await expect(stage([batch])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/rows have no currency.*no file was left/) as string,
    })
  })

  it('is a column the table has not, and a partition spec it has not', async () => {
    const batch = tradesBatch(randomTrades(10))
    batch.columns.colour = batch.columns.symbol
    await expect(stage([batch])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('colour') as string,
    })
    await expect(stage([], { specId: 7 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})
