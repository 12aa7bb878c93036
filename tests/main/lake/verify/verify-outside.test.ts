import { statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import type { DataFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import { localPath } from '../../../../src/main/lake/io/location.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { trades } from '../../../../src/contract/tables.ts'
import { stageBatches } from '../../../../src/main/lake/write/stage-batches.ts'
import { tempLake, tradesBatch } from '../../../support/lake.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

async function setProperties(lake: Lake, updates: Record<string, string>): Promise<void> {
  const { name, load } = lake.table('trades')
  await lake.catalog.commit(name, await load(), [], [{ action: 'set-properties', updates }])
}

async function stage(lake: Lake): Promise<DataFile> {
  const { metadata } = await lake.table('trades').load()
  const connection = await lake.duck.connect()
  const batches = [tradesBatch(0, 50)]
  return (await stageBatches({ connection, io: lake.io, metadata, specId: 0, spec: trades, batches }))[0]
}

const add = (lake: Lake, file: DataFile) => commitChange(lake.table('trades'), { operation: 'append', added: [file] })
const problemsIn = async (lake: Lake) =>
  (await verifyTable(lake, lake.table('trades'), { quick: false })).problems.map(({ file, problem }) => [file, problem])

it('finds files where the table names a folder for them, and misses those that are not there', async () => {
  const lake = await tempLake()
  await setProperties(lake, { 'write.data.path': `file://${makeTempFolder()}` })
  const file = await stage(lake)
  await add(lake, file)
  expect(await problemsIn(lake)).toEqual([])
  await lake.io.remove(file.path)
  expect(await problemsIn(lake)).toEqual([[file.path, 'The file is not there.']])
})

it('asks for files anywhere else one by one, also when a folder that the table names cannot be listed', async () => {
  const lake = await tempLake()
  const file = await stage(lake)
  await setProperties(lake, { 'write.data.path': 'gs://elsewhere/data' })
  const link = join(makeTempFolder(), 'other-name')
  const { metadata } = await lake.table('trades').load()
  symlinkSync(localPath(metadata.location), link)
  await add(lake, { ...file, path: file.path.replace(metadata.location, `file://${link}`) })
  expect(await problemsIn(lake)).toEqual([])
  await lake.io.remove(file.path)
  expect(await problemsIn(lake)).toMatchObject([[expect.stringContaining('other-name'), 'The file is not there.']])
})

it('reads files without field ids as the mapping of names has them', async () => {
  const lake = await tempLake()
  const { path, ...staged } = await stage(lake)
  const taken = join(makeTempFolder(), 'taken-in.parquet')
  const connection = await lake.duck.connect()
  const select = `SELECT * RENAME (symbol AS ticker) FROM '${localPath(path)}'`
  await connection.run(`COPY (${select}) TO '${taken}' (FORMAT parquet)`)
  const { metadata } = await lake.table('trades').load()
  const mapping = metadata.schemas[0].fields.map(({ id, name }) => ({ 'field-id': id, names: [name, `${name}_`] }))
  mapping.find(({ names }) => names[0] === 'symbol')!.names.push('ticker')
  await setProperties(lake, { 'schema.name-mapping.default': JSON.stringify(mapping) })
  await add(lake, { ...staged, crc32: undefined, path: `file://${taken}`, fileBytes: statSync(taken).size })
  expect(await problemsIn(lake)).toEqual([])
})
