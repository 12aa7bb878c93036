// How far the log is in the tables, for those who only follow.
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openLakeHeads } from '../../../src/main/lake/heads.ts'
import { append, tempLake, tradesBatch } from '../../support/lake.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

it('sees each commit of another process, and nothing where there is no table', async () => {
  const folder = makeTempFolder()
  const heads = await openLakeHeads({
    warehouse: join(folder, 'warehouse'),
    catalog: { kind: 'sqlite', file: join(folder, 'warehouse', 'catalog.db') },
    s3: { cacheFolder: join(folder, 'cache') },
  })
  onTestFinished(() => heads.close())
  expect(await heads.offsets('trades')).toBeUndefined()

  const lake = await tempLake({ folder })
  expect(await heads.offsets('trades')).toEqual([])
  const log = { cluster: 'c', epoch: 'e', topic: 'market.equities.trades.asx' }
  await append(lake, tradesBatch(0, 10), { offsets: { from: [], to: [{ ...log, next: { 0: 10 } }] } })
  expect(await heads.offsets('trades')).toEqual([{ ...log, next: { 0: 10 } }])
  expect(await heads.offsets('quotes')).toEqual([])
})
