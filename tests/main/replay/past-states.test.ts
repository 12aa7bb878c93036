// Replays of tables as they were: a snapshot of one table means, for all of them, the moment it was committed.
import { expect, it } from 'vitest'
import { append, START_MICROS, tempLake } from '../../support/lake.ts'
import { testReplay } from '../../support/replay.ts'
import { replayBatch } from '../../support/replay-rows.ts'

const row = (id: string) => [{ id, micros: START_MICROS }]

it('take a snapshot of any table for its moment, as pages, played, and in sessions whichever table is named first', async () => {
  const lake = await tempLake()
  await append(lake, replayBatch('trades', row('before')))
  await append(lake, replayBatch('quotes', row('then')), { table: 'quotes' })
  const client = await testReplay(lake)
  const newest = async (data_type: 'trades' | 'quotes') =>
    (await client['replay.read']({ data_type })).query.snapshot_id!
  const [trades, quotes] = [await newest('trades'), await newest('quotes')]
  await append(lake, replayBatch('trades', row('later')))

  const page = await client['replay.read']({ data_type: 'trades', snapshot_id: quotes })
  expect([page.data.rowCount, page.query.snapshot_id]).toEqual([1, trades])
  let played = 0
  for await (const { rows } of client['replay.play']({ data_type: 'trades', snapshot_id: quotes, speed: 'max' }))
    played += rows.rowCount
  expect(played).toBe(1)
  const tables = ['trades', 'quotes'] as const
  for (const data_types of [[...tables], tables.toReversed()]) {
    const { snapshots } = await client['replay.open']({ data_types, snapshot_id: quotes })
    expect(snapshots).toEqual({ trades, quotes })
  }
  // At that moment there were no quotes.
  const { snapshots } = await client['replay.open']({ data_types: ['quotes', 'trades'], snapshot_id: trades })
  expect(snapshots).toEqual({ trades, quotes: null })
})

it('refuse a snapshot that no table has', async () => {
  const lake = await tempLake()
  await append(lake, replayBatch('trades', row('only')))
  const client = await testReplay(lake)
  const unknown = { snapshot_id: '1' }
  await expect(client['replay.read'](unknown)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
  await expect(client['replay.open'](unknown)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
})
