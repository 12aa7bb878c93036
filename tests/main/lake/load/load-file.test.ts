import { expect, it } from 'vitest'
import { loadFile, type FileLoad } from '../../../../src/main/lake/load/load-file.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { tempLake, readRows, tradesBatch } from '../../../support/lake.ts'

const HASH = 'ab'.repeat(32)

it('keeps what was loaded when whoever loads it fails afterwards and gives the load up', async () => {
  const lake = await tempLake()
  const load = (await loadFile(lake, 'trades', { name: 'a.csv', contentHash: HASH }, false)) as FileLoad
  await load.append(tradesBatch(0, 10))
  await load.commit(HASH)
  await load.abort()
  expect(await readRows(lake)).toHaveLength(10)
  expect((await verifyTable(lake, lake.table('trades'), { quick: true })).problems).toEqual([])
})
