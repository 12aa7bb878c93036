import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { ColumnBatch } from '../../../../src/contract/columns.ts'
import type { Failure } from '../../../../src/contract/failure.ts'
import { TABLES } from '../../../../src/contract/tables.ts'
import { deferred } from '../../../../src/main/base/deferred.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import { localPath } from '../../../../src/main/lake/io/location.ts'
import { startUpkeep } from '../../../../src/main/lake/maintain/upkeep.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'
import { oneRow } from '../../../support/plain-handlers.ts'

it('tells of a file that is lost, and lets snapshots expire all the same', async () => {
  const lake = await tempLake()
  for (let i = 0; i < 3; i++) await append(lake, tradesBatch(i * 10, 10), { specId: 0 })
  const loaded = await lake.table('trades').load()
  const [manifest] = await lake.table('trades').manifests(headOf(loaded.metadata))
  const [{ file }] = await lake.table('trades').entries(manifest, loaded)
  rmSync(localPath(file.path))
  const failed = deferred<unknown>()
  const upkeep = startUpkeep(lake, {
    retention: ONLY_HEAD,
    everyMs: 10,
    onFailed: ({ error }) => failed.resolve(error),
  })
  const error = (await failed.promise) as Failure
  expect(error.message).toContain(file.path)
  await expect.poll(async () => (await lake.table('trades').load()).metadata.snapshots.length).toBe(1)
  await upkeep.close()
})

it('keeps tables in order one by one: only its own, and those behind one that fails', async () => {
  const lake = await tempLake()
  const tables = ['trades', 'sequence_gaps', 'dead_letters'] as const
  for (const table of tables) for (let i = 0; i < 3; i++) await append(lake, rowOf(table, i), { table, specId: 0 })
  const { metadata } = await lake.table('trades').load()
  rmSync(localPath(headOf(metadata)!['manifest-list']))
  const [done, failed] = [new Set<string>(), new Set<string>()]
  const upkeep = startUpkeep(lake, {
    retention: ONLY_HEAD,
    everyMs: 10,
    isOurs: table => table !== 'dead_letters',
    onDone: ({ table }) => done.add(table),
    onFailed: ({ table }) => failed.add(table),
  })
  await expect.poll(() => done.has('sequence_gaps')).toBe(true)
  await upkeep.close()
  expect([...failed]).toEqual(['trades'])
  expect(done.has('dead_letters')).toBe(false)
  const counts = tables.map(async table => (await lake.table(table).load()).metadata.snapshots.length)
  expect((await Promise.all(counts)).slice(1)).toEqual([1, 3])
})

it('puts a table in order at once when files gather in it, also while nothing is quiet', async () => {
  const lake = await tempLake()
  const upkeep = startUpkeep(lake, {
    retention: ONLY_HEAD,
    everyMs: 3_600_000,
    lookEveryMs: 10,
    crowdedBy: 20,
    isQuiet: () => false,
  })
  const files = async () => {
    const table = lake.table('trades')
    const manifests = await table.manifests(headOf((await table.load()).metadata))
    return manifests.reduce((sum, { addedFiles, existingFiles }) => sum + addedFiles + existingFiles, 0)
  }
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 25; i++) await append(lake, tradesBatch(i, 1), { specId: 0 })
    await expect.poll(files, { timeout: 20_000 }).toBeLessThan(20)
  }
  await upkeep.close()
})

function rowOf(table: 'trades' | 'sequence_gaps' | 'dead_letters', i: number): ColumnBatch {
  return table === 'trades' ? tradesBatch(i, 1) : oneRow(TABLES[table])
}
