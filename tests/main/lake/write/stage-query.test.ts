// The rows of a query as files: what compaction writes.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { Failure } from '../../../../src/contract/failure.ts'
import { readBatch } from '../../../../src/main/duck/read-batch.ts'
import { stageBatches } from '../../../../src/main/lake/write/stage-batches.ts'
import { stageQuery } from '../../../../src/main/lake/write/stage-query.ts'
import { DAY, fromFiles, openTable, tradesBatch } from './sample-rows.ts'

/** One partition's rows in several small files, in no order from one to the next. */
async function openSmallFiles(count = 3000) {
  const table = await openTable()
  const rows = Array.from({ length: count }, (_, i) => ({
    symbol: ['BHP', 'RIO', 'CBA'][(i * 7) % 3],
    micros: DAY + ((i * 7919) % count),
    sequence: i % 5 ? i : null,
  }))
  const batches = [0, 1, 2].map(k => tradesBatch(rows.slice((k * count) / 3, ((k + 1) * count) / 3), (k * count) / 3))
  const small = await stageBatches({ ...table, specId: 0, batches, rowsPerFlush: count / 3 })
  const read = (sql: string) => readBatch(table.connection, sql).then(rowsOf)
  return { ...table, small, read, partition: small[0].partition, specId: 0 }
}

const SORT = 'symbol, exchange_timestamp, source_sequence NULLS LAST'

describe('the rows of a query', () => {
  it('are one sorted file of the partition with all that the small ones held', async () => {
    const { small, read, ...options } = await openSmallFiles()
    expect(small).toHaveLength(3)
    const files = await stageQuery({ ...options, select: `SELECT * FROM ${fromFiles(small)}` })
    expect(files).toHaveLength(1)
    expect(files[0]).toMatchObject({ recordCount: 3000, sortOrderId: 1, partition: small[0].partition, specId: 0 })
    const after = await read(`SELECT * FROM ${fromFiles(files)}`)
    expect(after).toEqual(await read(`SELECT * FROM ${fromFiles(small)} ORDER BY ${SORT}`))
  })

  it('are cut into files that do not overlap when there are many, and hold no table afterwards', async () => {
    const { small, read, ...options } = await openSmallFiles()
    const files = await stageQuery({ ...options, select: `SELECT * FROM ${fromFiles(small)}`, rowsPerFile: 700 })
    expect(files.map(({ recordCount }) => recordCount)).toEqual([600, 600, 600, 600, 600])
    const sorted = await read(`SELECT message_id FROM ${fromFiles(small)} ORDER BY ${SORT}`)
    expect((await Promise.all(files.map(file => read(`SELECT message_id FROM ${fromFiles([file])}`)))).flat()).toEqual(
      sorted,
    )
    expect(await read('SELECT table_name FROM duckdb_tables()')).toEqual([])
  })

  it('are no file when there are none', async () => {
    const { small, ...options } = await openSmallFiles(30)
    expect(await stageQuery({ ...options, select: `SELECT * FROM ${fromFiles(small)} WHERE false` })).toEqual([])
  })

  it('may come in another order of columns', async () => {
    const { small, read, ...options } = await openSmallFiles(30)
    const names = options.spec.columns.map(({ name }) => name).reverse()
    const files = await stageQuery({ ...options, select: `SELECT ${names.join()} FROM ${fromFiles(small)}` })
    expect(await read(`FROM ${fromFiles(files)}`)).toEqual(await read(`FROM ${fromFiles(small)} ORDER BY ${SORT}`))
  })

  it('leave no file and no table behind when the second file fails', async () => {
    const { small, read, io, ...options } = await openSmallFiles()
    const before = readdirSync(join(options.metadata.location, 'data'), { recursive: true })
    let adopted = 0
    const failing: typeof io = {
      ...io,
      adopt: async (...args) => {
        if (++adopted === 2) throw new Failure('UNAVAILABLE', 'The disk is gone.')
        return io.adopt(...args)
      },
    }
    const staging = stageQuery({ ...options, io: failing, select: `FROM ${fromFiles(small)}`, rowsPerFile: 700 })
    await expect(staging).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('no file was left behind') as string,
    })
    expect(await read('SELECT table_name FROM duckdb_tables()')).toEqual([])
    const left = readdirSync(join(options.metadata.location, 'data'), { recursive: true }) as string[]
    expect(left.filter(name => !name.includes('.draft')).sort()).toEqual((before as string[]).sort())
  })

  it('are given up when nobody wants them any more', async () => {
    const { small, ...options } = await openSmallFiles()
    const signal = AbortSignal.timeout(30)
    const select = `SELECT a.* FROM ${fromFiles(small)} a, range(100000)`
    await expect(stageQuery({ ...options, select, signal })).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
