// How the rows of a file lie in it, told by DuckDB from the file alone: what a query of one symbol reads and what it leaves.
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import type { DataFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import { stageBatches } from '../../../../src/main/lake/write/stage-batches.ts'
import { stageQuery } from '../../../../src/main/lake/write/stage-query.ts'
import { DAY, fromFiles, openTable, tradesBatch } from './sample-rows.ts'

const ROWS = 100_000
const SYMBOLS = Array.from({ length: 100 }, (_, n) => `S${String(n).padStart(2, '0')}`)
/** ROW_GROUP_ROWS of src/main/lake/write/write-file.ts, and what is left. */
const ROW_GROUPS = [32_768, 32_768, 32_768, 1_696]

/** A column of one row group, by the file's own footer. */
interface Chunk {
  g: number
  n: number
  path: string
  compression: string
  low: string
  high: string
}

type Table = Awaited<ReturnType<typeof openTable>>

/** A day's trades in the order of their time, the symbols by turns, in one file of the day as the stream stages them. */
const stageDay = (table: Table, rowsPerFlush = ROWS) => {
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    symbol: SYMBOLS[(i * 37) % SYMBOLS.length],
    micros: DAY + i * 800_000,
    sequence: i,
    price: 36e8 + ((i * 7919) % 1_000) * 10_000,
  }))
  const batches = [0, ROWS / 2].map(from => tradesBatch(rows.slice(from, from + ROWS / 2), from))
  return stageBatches({ ...table, specId: 0, batches, rowsPerFlush })
}

/** Written together again, as compaction does. */
async function stageAgain(table: Table): Promise<DataFile[]> {
  const small = await stageDay(table, ROWS / 2)
  expect(small).toHaveLength(2)
  return stageQuery({ ...table, specId: 0, partition: small[0].partition, select: `FROM ${fromFiles(small)}` })
}

describe.each([
  ['the stream', (table: Table) => stageDay(table)],
  ['compaction', stageAgain],
])('a file of %s', (_, stage) => {
  async function open() {
    const table = await openTable()
    const files = await stage(table)
    expect(files.map(({ recordCount }) => recordCount)).toEqual([ROWS])
    const read = (sql: string) => readBatch(table.connection, sql).then(rowsOf)
    const chunks = (await read(
      `SELECT row_group_id::INTEGER g, row_group_num_rows::INTEGER n, path_in_schema path, compression, stats_min_value low, stats_max_value high
      FROM parquet_metadata('${files[0].path}') ORDER BY g`,
    )) as unknown as Chunk[]
    return { files, read, chunks, columns: table.spec.columns }
  }

  it('has row groups of the size that writing says, and every column of each is pressed with zstd', async () => {
    const { chunks, columns } = await open()
    const groups = new Map(chunks.map(({ g, n }) => [g, n]))
    expect([...groups.values()]).toEqual(ROW_GROUPS)
    const names = new Set(chunks.map(({ path }) => path.split(', ')[0]))
    expect(names).toEqual(new Set(columns.map(({ name }) => name)))
    expect(chunks.length % ROW_GROUPS.length).toBe(0)
    expect(chunks.filter(({ compression }) => compression !== 'ZSTD')).toEqual([])
  })

  it("has a symbol's rows in two row groups at most, most of them in one, as their bounds say", async () => {
    const { files, read, chunks } = await open()
    const bounds = chunks.filter(({ path }) => path === 'symbol')
    const touched = SYMBOLS.map(symbol => bounds.filter(({ low, high }) => low <= symbol && symbol <= high).length)
    expect(Math.max(...touched)).toBe(2)
    // Only the symbol at the end of a row group goes on in the next.
    expect(touched.filter(groups => groups > 1).length).toBeLessThan(ROW_GROUPS.length)
    expect(Math.min(...touched)).toBe(1)
    const [{ wrong }] = await read(
      `SELECT count(*) FILTER (n <> m)::INTEGER wrong FROM (SELECT file_row_number n,
        row_number() OVER (ORDER BY symbol, exchange_timestamp) - 1 m FROM ${fromFiles(files, ', file_row_number=true')})`,
    )
    expect(wrong).toBe(0)
  })
})
