import { expect, it, vi } from 'vitest'
import { TABLES } from '../../../src/contract/tables.ts'
import { tableStats } from '../../../src/main/processes/table-stats.ts'
import { append, tempLake, tradesBatch } from '../../support/lake.ts'

it('tells rows, files, bytes and snapshots of each table as they are committed', async () => {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, 1_500))
  const { snapshotId } = await append(lake, tradesBatch(1_500, 10))
  const all = await tableStats(lake)()
  expect(all.map(({ table }) => table)).toEqual(Object.keys(TABLES))
  const [trades, quotes] = all
  expect(trades).toMatchObject({ table: 'trades', rows: 1_510, snapshots: 2, snapshot_id: snapshotId })
  expect(trades.files).toBeGreaterThan(1)
  expect(trades.bytes).toBeGreaterThan(1_000)
  expect(quotes).toEqual({
    ...{ table: 'quotes', rows: 0, files: 0, bytes: 0, snapshots: 0 },
    ...{ snapshot_id: null, committed_at: null },
  })
})

it('asks the catalog once for those who ask soon after each other', async () => {
  const lake = await tempLake()
  const load = vi.spyOn(lake.table('trades'), 'load')
  const stats = tableStats(lake)
  expect(await stats()).toEqual(await stats())
  expect(load).toHaveBeenCalledTimes(1)
})
