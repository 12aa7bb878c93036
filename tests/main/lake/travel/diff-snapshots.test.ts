import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import { localPath } from '../../../../src/main/lake/io/location.ts'
import { diffSnapshots } from '../../../../src/main/lake/travel/diff-snapshots.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'

it('lets go of its snapshots when it cannot be told', async () => {
  const folder = makeTempFolder()
  const writer = await tempLake({ folder })
  const { snapshotId: a } = await append(writer, tradesBatch(0, 10))
  const { snapshotId: b, table: written } = await append(writer, tradesBatch(10, 10))
  rmSync(localPath(headOf(written.metadata)!['manifest-list']))
  const lake = await tempLake({ folder })
  const table = lake.table('trades')
  await expect(diffSnapshots(lake, table, { a, b, limit: 10, offset: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(table.pins.own()).toEqual(new Set())
})
