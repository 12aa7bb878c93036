import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowsOf, type Column, type ColumnBatch, type Row } from '../../../../src/contract/columns.ts'
import { trades } from '../../../../src/contract/tables.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import type { LakeReads } from '../../../../src/main/lake/reads.ts'
import { createBlocks, OFF_MARKET, type BlockQuestion } from '../../../../src/main/query/blocks/blocks.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import { append, START_MICROS, tempLake, tradesBatch } from '../../../support/lake.ts'
import { queryParts } from '../../../support/query.ts'

const ALL = trades.columns.map(({ name }) => name)
const ORDER = 'exchange_timestamp, source_sequence, _partition, _offset, message_id'

async function openBlocks(lake: Lake, maxBytes = 64e6) {
  const { reads, pool } = await queryParts(lake)
  let opened = 0
  const open: LakeReads['open'] = (...asked) => (opened++, reads.open(...asked))
  const blocks = createBlocks({ reads: { ...reads, open }, pool, maxBytes })
  const head = () => reads.at('trades')
  /** What DuckDB says of the same question. */
  async function expected({ at, symbol, exchange, startMicros, endMicros, columns }: BlockQuestion): Promise<Row[]> {
    return pool.run(async ({ connection }) => {
      const filter = [
        { column: 'symbol', op: '=', value: symbol } as const,
        ...(exchange ? [{ column: 'exchange', op: '=', value: exchange } as const] : []),
        { column: 'exchange_timestamp', op: '>=', value: BigInt(startMicros ?? 0) } as const,
        { column: 'exchange_timestamp', op: '<', value: BigInt(endMicros ?? 9e15) } as const,
      ]
      const rows = await reads.open(at, { filter }, connection)
      const sql = `SELECT ${columns.join(', ')} FROM (${rows.sql()}) ORDER BY ${ORDER}`
      const batch = await readBatch(connection, sql)
      rows.release()
      return rowsOf(batch)
    })
  }
  const rowsIn = async (question: BlockQuestion) => (await blocks.read(question)).runs.flatMap(rowsOf)
  return { blocks, head, expected, rowsIn, opened: () => opened }
}

describe('blocks', () => {
  it('has the rows of files that overlap in time in the total order, whatever was read first', async () => {
    const lake = await tempLake()
    const { head, expected, rowsIn } = await openBlocks(lake)
    await append(lake, disordered(0, 600))
    await append(lake, disordered(200, 400))
    await append(lake, disordered(5_000, 100))
    const at = await head()
    const symbol = 'SYM3'
    const some = ['exchange_timestamp', 'price', 'quantity']
    const range = { startMicros: START_MICROS + 3_600e6, endMicros: START_MICROS + 30_000e6 }
    expect(await rowsIn({ at, symbol, columns: some })).toEqual(await expected({ at, symbol, columns: some }))
    expect(await rowsIn({ at, symbol, ...range, columns: ALL })).toEqual(
      await expected({ at, symbol, ...range, columns: ALL }),
    )
    expect(await rowsIn({ at, symbol, columns: ALL })).toEqual(await expected({ at, symbol, columns: ALL }))
  })

  it('keeps what it read, by file, so that a commit costs only its own file', async () => {
    const lake = await tempLake()
    const { blocks, head } = await openBlocks(lake)
    await append(lake, tradesBatch(0, 500))
    const question = { symbol: 'SYM1', columns: ['exchange_timestamp', 'price'] }
    await blocks.read({ at: await head(), ...question })
    await blocks.read({ at: await head(), ...question })
    expect(blocks.stats()).toMatchObject({ hits: 1, misses: 1, entries: 1 })
    await append(lake, tradesBatch(500, 500))
    const { rowCount } = await blocks.read({ at: await head(), ...question })
    expect(rowCount).toBe(143)
    expect(blocks.stats()).toMatchObject({ hits: 2, misses: 2, entries: 2 })
  })

  it('reads a column that was not asked for before without reading the others again', async () => {
    const lake = await tempLake()
    const { blocks, head, expected, rowsIn } = await openBlocks(lake)
    await append(lake, disordered(0, 700))
    const question = { at: await head(), symbol: 'SYM2' }
    await blocks.read({ ...question, columns: ['price'] })
    const columns = ['exchange_timestamp', 'price', 'trade_id']
    expect(await rowsIn({ ...question, columns })).toEqual(await expected({ ...question, columns }))
  })

  it('lets go of what was used least recently, and gives the same rows all the same', async () => {
    const lake = await tempLake()
    const { blocks, head, expected, rowsIn } = await openBlocks(lake, 3_000)
    await append(lake, tradesBatch(0, 700))
    const at = await head()
    const columns = ['exchange_timestamp', 'price']
    for (const symbol of ['SYM0', 'SYM1', 'SYM2', 'SYM3', 'SYM0'])
      expect(await rowsIn({ at, symbol, columns })).toEqual(await expected({ at, symbol, columns }))
    expect(blocks.stats().bytes).toBeLessThanOrEqual(3_000)
    expect(blocks.stats()).toMatchObject({ hits: 0, misses: 5 })
  })

  it('has decimals beyond 2^53 to the last digit', async () => {
    const lake = await tempLake()
    const { head, rowsIn } = await openBlocks(lake)
    const batch = tradesBatch(0, 7, { symbols: 1 })
    const price: Column = { type: 'decimal', scale: 8, values: new BigInt64Array(7).fill(999_999_999_999_999_999n) }
    await append(lake, { ...batch, columns: { ...batch.columns, price } })
    const rows = await rowsIn({ at: await head(), symbol: 'SYM0', columns: ['price'] })
    expect(rows.map(row => row.price)).toEqual(Array(7).fill('9999999999.99999999'))
  })

  it('answers a symbol that is not there with no rows, and an empty lake too', async () => {
    const lake = await tempLake()
    const { blocks, head } = await openBlocks(lake)
    const question = { symbol: "O'Br\u{1F600}n", columns: ['price'] }
    expect(await blocks.read({ at: await head(), ...question })).toMatchObject({ runs: [], rowCount: 0 })
    await append(lake, tradesBatch(0, 10))
    expect(await blocks.read({ at: await head(), ...question })).toMatchObject({ runs: [], rowCount: 0 })
  })

  it('knows trades that were not made in the market by their conditions', async () => {
    const lake = await tempLake()
    const { blocks, head } = await openBlocks(lake)
    const batch = tradesBatch(0, 5, { symbols: 1 })
    const words = [['XT'], ['OPENING_AUCTION'], [], ['CLOSING_AUCTION', '3']]
    const nulls = Uint8Array.of(0, 0, 0, 0, 1)
    const conditions: Column = { type: 'list', words, values: Uint8Array.of(0, 1, 2, 3, 0), nulls }
    await append(lake, { ...batch, columns: { ...batch.columns, trade_conditions: conditions } })
    const { runs } = await blocks.read({ at: await head(), symbol: 'SYM0', columns: [OFF_MARKET] })
    expect([...runs[0].columns[OFF_MARKET].values]).toEqual([1, 0, 0, 1, 0])
  })

  it('serves callers at the same time, also when one of them goes away', async () => {
    const lake = await tempLake()
    const { blocks, head } = await openBlocks(lake)
    await append(lake, tradesBatch(0, 700))
    const at = await head()
    const gone = new AbortController()
    const ask = (column: string, signal?: AbortSignal) =>
      blocks.read({ at, symbol: 'SYM1', columns: [column] }, signal).then(({ rowCount }) => rowCount)
    const asked = [ask('price', gone.signal), ask('price'), ask('quantity'), ask('side')]
    gone.abort()
    const [first, ...others] = await Promise.allSettled(asked)
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED' } })
    expect(others).toEqual(Array(3).fill({ status: 'fulfilled', value: 100 }))
  })

  it('reads a file once for all symbols that are asked for at the same time, and each has its own rows', async () => {
    const lake = await tempLake()
    const { blocks, head, expected, opened } = await openBlocks(lake)
    await append(lake, disordered(0, 900), { specId: 0 })
    await append(lake, tradesBatch(5_000, 300, { symbols: 9 }), { specId: 0 })
    const at = await head()
    const symbols = ['SYM0', 'SYM1', 'SYM2', 'SYM4', 'SYM5', 'SYM6', 'SYM8', 'NONE']
    const rowsOfAll = async () => {
      const ask = (symbol: string) => blocks.read({ at, symbol, exchange: 'asx', columns: ALL })
      return (await Promise.all(symbols.map(ask))).map(({ runs }) => runs.flatMap(rowsOf))
    }
    const found = await rowsOfAll()
    expect(opened()).toBe(2)
    for (const [i, symbol] of symbols.entries())
      expect(found[i]).toEqual(await expected({ at, symbol, exchange: 'ASX', columns: ALL }))
    expect(found.map(rows => rows.length > 0)).toEqual(symbols.map(symbol => symbol !== 'NONE'))
    expect(await rowsOfAll()).toEqual(found)
    expect(opened()).toBe(2)
  })

  it('reads many small files of a symbol in one reading, also when one of several callers goes away', async () => {
    const lake = await tempLake()
    const { blocks, head, expected, opened } = await openBlocks(lake)
    for (let i = 0; i < 12; i++) await append(lake, disordered(i * 40, 60), { specId: 0 })
    const at = await head()
    const gone = new AbortController()
    const ask = (symbol: string, signal?: AbortSignal) =>
      blocks.read({ at, symbol, exchange: 'ASX', columns: ALL }, signal)
    const asked = [ask('SYM3'), ask('SYM5', gone.signal), ask('NONE')]
    setImmediate(() => gone.abort())
    const [first, left, none] = await Promise.allSettled(asked)
    expect(opened()).toBeLessThanOrEqual(3)
    expect(left).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED' } })
    expect(none).toMatchObject({ status: 'fulfilled', value: { rowCount: 0 } })
    if (first.status === 'rejected') throw first.reason
    expect(first.value.rowCount).toBeGreaterThan(60)
    expect(first.value.runs.flatMap(rowsOf)).toEqual(
      await expected({ at, symbol: 'SYM3', exchange: 'ASX', columns: ALL }),
    )
    const before = opened()
    await append(lake, disordered(9_000, 60), { specId: 0 })
    const later = { at: await head(), symbol: 'SYM3', exchange: 'ASX', columns: [...ALL, OFF_MARKET] }
    const again = await blocks.read(later)
    const all = await expected({ ...later, columns: ALL })
    expect(again.rowCount).toBe(all.length)
    expect(again.runs.flatMap(rowsOf)).toMatchObject(all)
    expect(opened() - before).toBeLessThanOrEqual(2)
  })

  it('reads small files together, and tells of one that cannot be read only who wants its rows', async () => {
    const lake = await tempLake()
    const { blocks, head } = await openBlocks(lake)
    for (let i = 0; i < 4; i++) await append(lake, tradesBatch(i * 5_000, 100), { specId: 0 })
    const at = await head()
    const { reads } = await queryParts(lake)
    const files = await reads.plan(at, { filter: [] })
    const spans = await reads.spans(at, { filter: [] }, 'exchange_timestamp')
    const last = spans.reduce((found, { toMicros }, i) => (toMicros > spans[found].toMicros ? i : found), 0)
    await rm(fileURLToPath(files[last].file.path))
    const columns = ['exchange_timestamp', 'price']
    const ask = (symbol: string, endMicros?: number) => blocks.read({ at, symbol, columns, endMicros })
    const [all, before] = await Promise.allSettled([ask('SYM1'), ask('SYM2', spans[last].fromMicros)])
    expect(all).toMatchObject({ status: 'rejected', reason: { code: 'CORRUPT' } })
    expect(before).toMatchObject({ status: 'fulfilled', value: { files: { read: 3 } } })
  })

  it('asks anew for what others no longer want, while their reading waits for its turn', async () => {
    const lake = await tempLake()
    await append(lake, tradesBatch(0, 700))
    const { reads, pool } = await queryParts(lake)
    let goOn = () => {}
    const gate = new Promise<void>(resolve => (goOn = resolve))
    const open: LakeReads['open'] = async (...asked) => (await gate, reads.open(...asked))
    const blocks = createBlocks({ reads: { ...reads, open }, pool, maxBytes: 64e6 })
    const at = await reads.at('trades')
    const ask = async (symbol: string, column: string, signal?: AbortSignal) =>
      (await blocks.read({ at, symbol, columns: [column] }, signal)).rowCount
    const others = ['price', 'quantity', 'side'].map((column, i) => ask(`SYM${i}`, column))
    const gone = new AbortController()
    const left = ask('SYM3', 'currency', gone.signal)
    const aWhile = () => new Promise(resolve => setTimeout(resolve, 50))
    await aWhile()
    gone.abort()
    await expect(left).rejects.toMatchObject({ code: 'CANCELLED' })
    const again = ask('SYM3', 'currency')
    await aWhile()
    goOn()
    expect(await Promise.all([...others, again])).toEqual([100, 100, 100, 100])
  })

  it('keeps nothing of a file that is read as a whole but the symbols asked for', async () => {
    const lake = await tempLake()
    const { blocks, head, expected } = await openBlocks(lake)
    await append(lake, tradesBatch(0, 1_000, { symbols: 40 }), { specId: 0 })
    const at = await head()
    const columns = ['exchange_timestamp', 'price']
    const symbols = ['SYM0', 'SYM1', 'SYM10', 'SYM9']
    const found = await Promise.all(symbols.map(symbol => blocks.read({ at, symbol, columns })))
    for (const [i, symbol] of symbols.entries())
      expect(found[i].runs.flatMap(rowsOf)).toEqual(await expected({ at, symbol, columns }))
    expect(blocks.stats()).toMatchObject({ entries: 4 })
  })

  it('tells the exchanges of a symbol apart when many symbols are asked for', async () => {
    const lake = await tempLake()
    const { blocks, head, expected } = await openBlocks(lake)
    const exchange: Column = {
      type: 'string',
      words: ['ASX', 'CXA'],
      values: Uint8Array.from({ length: 700 }, (_, i) => i % 2),
    }
    const batch = tradesBatch(0, 700)
    await append(lake, { ...batch, columns: { ...batch.columns, exchange } }, { specId: 0 })
    const at = await head()
    const columns = ['exchange_timestamp', 'price']
    const symbols = ['SYM0', 'SYM1', 'SYM2', 'SYM3', 'SYM4', 'SYM5', 'SYM6']
    for (const of of ['ASX', 'CXA', undefined]) {
      const found = await Promise.all(symbols.map(symbol => blocks.read({ at, symbol, exchange: of, columns })))
      expect(found[0].rowCount).toBe(of ? 50 : 100)
      for (const [i, symbol] of symbols.entries())
        expect(found[i].runs.flatMap(rowsOf)).toEqual(await expected({ at, symbol, exchange: of, columns }))
    }
  })

  it('equals a sorted read for any commits and ranges', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 200 })), { minLength: 1, maxLength: 4 }),
        fc.tuple(fc.nat(500), fc.nat(500)),
        async (commits, [from, length]) => {
          const lake = await tempLake()
          const { head, expected, rowsIn } = await openBlocks(lake)
          for (const [first, count] of commits) await append(lake, disordered(first, count), { specId: 0 })
          const question = {
            at: await head(),
            symbol: 'SYM1',
            exchange: 'ASX',
            startMicros: START_MICROS + from * 1e6,
            endMicros: START_MICROS + (from + length) * 1e6,
            columns: ['exchange_timestamp', 'source_sequence', '_partition', '_offset', 'message_id', 'price'],
          }
          expect(await rowsIn(question)).toEqual(await expected(question))
        },
      ),
      { numRuns: 12 },
    )
  })
})

/** Many rows of one time, in no order, with and without sequence numbers and places in a log. */
function disordered(from: number, count: number): ColumnBatch {
  const batch = tradesBatch(from, count)
  const mixed = Array.from({ length: count }, (_, i) => (i * 37 + from) % count)
  const numbers = (of: (n: number) => number) => Float64Array.from(mixed, of)
  const columns: Record<string, Column> = {
    exchange_timestamp: { type: 'timestamp', values: numbers(n => START_MICROS + Math.floor((from + n) / 30) * 1e6) },
    source_sequence: { type: 'long', values: numbers(n => n % 3), nulls: Uint8Array.from(mixed, n => +(n % 5 === 0)) },
    _offset: { type: 'long', values: numbers(n => n % 4), nulls: Uint8Array.from(mixed, n => +(n % 7 === 0)) },
  }
  return { rowCount: count, columns: { ...batch.columns, ...columns } }
}
