import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { rowsOf } from '../../../../src/contract/columns.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import { localPath } from '../../../../src/main/lake/io/location.ts'
import { diffSnapshots } from '../../../../src/main/lake/travel/diff-snapshots.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { append, START_MICROS, tempLake, tradesBatch } from '../../../support/lake.ts'
import { replayBatch } from '../../../support/replay-rows.ts'

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

it('has pages of one order, also of rows that are told apart by their last columns only', async () => {
  const lake = await tempLake()
  const { snapshotId: a } = await append(lake, tradesBatch(0, 1))
  const prices = Array.from({ length: 20 }, (_, i) => ((i * 7) % 20) + 1)
  const same = { id: 'same', micros: START_MICROS, sequence: 1 }
  const { snapshotId: b } = await append(
    lake,
    replayBatch(
      'trades',
      prices.map(price => ({ ...same, price })),
    ),
  )
  const found: unknown[] = []
  for (let offset = 0; offset < prices.length; offset += 6) {
    const { data } = await diffSnapshots(lake, lake.table('trades'), { a, b, limit: 6, offset })
    found.push(...rowsOf(data.rows).map(row => Number(row.price)))
  }
  expect(found).toEqual(prices.toSorted((one, other) => one - other))
})
