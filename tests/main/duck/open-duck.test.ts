// The DuckDB everything else works with: what it may do, and what its errors say.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { connectWriter } from '../../../src/main/duck/open-duck.ts'
import { readBatch } from '../../../src/main/duck/read-batch.ts'
import { runSql } from '../../../src/main/duck/run-sql.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'
import { openTestDuck } from './duck.ts'

describe('DuckDB', () => {
  it('counts days in UTC, whatever the machine says', async () => {
    const { duck, connection } = await openTestDuck()
    const sql = `SELECT make_timestamptz(1767571200000000)::VARCHAR t`
    expect(rowsOf(await readBatch(connection, sql))).toEqual([{ t: '2026-01-05 00:00:00+00' }])
    expect(rowsOf(await readBatch(await duck.connect(), sql))).toEqual([{ t: '2026-01-05 00:00:00+00' }])
  })

  it('installs nothing by itself', async () => {
    const { connection } = await openTestDuck()
    await expect(runSql(connection, `FROM 'https://example.org/a.parquet'`)).rejects.toThrow('httpfs')
  })

  it('spills to the folder it was given and nowhere else', async () => {
    const sort = `CREATE TEMP TABLE t AS SELECT hash(i) h, repeat('x', 100) || i s FROM range(1000000) t(i) ORDER BY h`
    const poor = await openTestDuck({ memoryMb: 110 })
    await expect(runSql(poor.connection, sort)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const tempFolder = join(makeTempFolder(), 'spilled')
    mkdirSync(tempFolder)
    const rich = await openTestDuck({ memoryMb: 110, tempFolder })
    await runSql(rich.connection, sort)
    expect(rowsOf(await readBatch(rich.connection, 'SELECT count(*) n FROM t'))).toEqual([{ n: '1000000' }])
  })
})

describe('a connection for writers', () => {
  it('gives every statement one thread, and sees what files there are but no tables', async () => {
    const { connection } = await openTestDuck()
    await runSql(connection, 'CREATE TABLE t AS SELECT 1 n')
    const writer = await connectWriter(connection)
    const threads = `SELECT current_setting('threads')::INTEGER n`
    expect(rowsOf(await readBatch(writer, threads))).toEqual([{ n: 1 }])
    expect(rowsOf(await readBatch(connection, threads))).toEqual([{ n: 2 }])
    const path = join(makeTempFolder(), 'a.parquet')
    await runSql(writer, `COPY (SELECT 1 n) TO '${path}'`)
    expect(rowsOf(await readBatch(connection, `FROM read_parquet('${path}')`))).toEqual([{ n: 1 }])
    await expect(runSql(writer, 'FROM t')).rejects.toThrow('does not exist')
    writer.closeSync()
  })
})

describe('an error', () => {
  it('names a file that is not there', async () => {
    const { connection } = await openTestDuck()
    await expect(runSql(connection, `FROM read_parquet('/nowhere/a.parquet')`)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('/nowhere/a.parquet') as string,
    })
  })

  it('names a file that is no Parquet, however it came to be', async () => {
    const { connection } = await openTestDuck()
    const path = join(makeTempFolder(), 'a.parquet')
    for (const bytes of ['', 'PAR1', 'x'.repeat(1000), `PAR1${'x'.repeat(100)}PAR1`]) {
      writeFileSync(path, bytes)
      await expect(runSql(connection, `FROM read_parquet('${path}')`), JSON.stringify(bytes)).rejects.toMatchObject({
        code: 'CORRUPT',
        message: expect.stringContaining(path) as string,
      })
    }
  })

  it('stays what it is when the statement is to blame', async () => {
    const { connection } = await openTestDuck()
    await expect(runSql(connection, 'SELEC 1')).rejects.toThrow('Parser Error')
    await expect(runSql(connection, 'FROM nothing')).rejects.toThrow('nothing')
  })
})
