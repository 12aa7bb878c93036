import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openDuck } from '../../../../src/main/duck/open-duck.ts'
import { openSandbox } from '../../../../src/main/query/sql/sandbox.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

it('lets nothing through but the files it was given, whatever statement is run in it', async () => {
  const folder = join(makeTempFolder(), "o'odd [1]*?")
  mkdirSync(folder)
  const [planned, other] = [join(folder, 'planned.parquet'), join(folder, 'other.parquet')]
  const quoted = (path: string) => `'${path.replaceAll("'", "''")}'`
  const duck = await openDuck()
  const writer = await duck.connect()
  for (const file of [planned, other]) await writer.run(`COPY (SELECT 7 AS x) TO ${quoted(file)} (FORMAT parquet)`)
  await duck.close()
  writeFileSync(join(folder, 'canary.txt'), 'sings')

  const sandbox = await openSandbox({ memoryMb: 64, threads: 1, tempFolder: join(folder, 'spill') })
  const view = { name: 'trades', sql: `SELECT * FROM read_parquet(${quoted(planned.replace(/[[*?]/g, '[$&]'))})` }
  await sandbox.lock([view], [planned])
  const { connection } = sandbox
  expect((await connection.runAndReadAll('FROM trades')).getRowsJson()).toEqual([[7]])
  for (const sql of [
    `FROM ${quoted(other)}`,
    `FROM read_text(${quoted(join(folder, 'canary.txt'))})`,
    `FROM glob(${quoted(folder + '/*')})`,
    `COPY (SELECT 1) TO ${quoted(join(folder, 'new.csv'))}`,
    `ATTACH ${quoted(join(folder, 'new.db'))} AS d`,
    'SET enable_external_access = true',
    `SET allowed_paths = [${quoted(other)}]`,
    `SET allowed_directories = [${quoted(folder)}]`,
    "SET memory_limit = '100GB'",
    'RESET memory_limit',
    'INSTALL httpfs',
    'LOAD httpfs',
    "FROM read_csv('http://127.0.0.1:9/x.csv')",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'x')",
  ])
    await expect(connection.run(sql), sql).rejects.toThrow()
  sandbox.close()
  expect(existsSync(join(folder, 'new.csv'))).toBe(false)
})
