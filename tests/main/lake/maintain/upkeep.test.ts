import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Failure } from '../../../../src/contract/failure.ts'
import { deferred } from '../../../../src/main/base/deferred.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import { localPath } from '../../../../src/main/lake/io/location.ts'
import { startUpkeep } from '../../../../src/main/lake/maintain/upkeep.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'

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
