// Expiry while a replay is being played: the snapshot it began with stays until it ends, and no longer.
import { describe, expect, it } from 'vitest'
import type { Lake } from '../../../src/main/lake/lake.ts'
import { expireSnapshots } from '../../../src/main/lake/maintain/expire-snapshots.ts'
import { ONLY_HEAD } from '../../support/failing-operations.ts'
import { append, tempLake, tradesBatch } from '../../support/lake.ts'
import { testReplay } from '../../support/replay.ts'

/** More than are read at first, so that there is more to be read after the first batch. */
const ROWS = 50_000
const BATCH = { batch_size: 10_000 }

async function expire(lake: Lake): Promise<number> {
  return (await expireSnapshots(lake.table('trades'), { retention: ONLY_HEAD })).snapshots_removed
}

/** A later commit, after which the snapshot before it may go. */
const goOn = (lake: Lake) => append(lake, tradesBatch(ROWS, 10))

async function lakeToPlay(): Promise<Lake> {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, ROWS))
  return lake
}

describe('a replay that is played through', () => {
  it('ends with its last row, whatever expires meanwhile', async () => {
    const lake = await lakeToPlay()
    const client = await testReplay(lake)
    let rows = 0
    for await (const batch of client['replay.play'](BATCH)) {
      if (rows === 0) {
        await goOn(lake)
        expect(await expire(lake)).toBe(0)
      }
      rows += batch.rows.rowCount
    }
    expect(rows).toBe(ROWS)
    expect(lake.table('trades').pins.own()).toEqual(new Set())
    expect(await expire(lake)).toBe(1)
  })

  it('lets go of its snapshot when its reader leaves', async () => {
    const lake = await lakeToPlay()
    const client = await testReplay(lake)
    for await (const batch of client['replay.play'](BATCH)) {
      expect(batch.rows.rowCount).toBeGreaterThan(0)
      await goOn(lake)
      break
    }
    await expect.poll(() => lake.table('trades').pins.own()).toEqual(new Set())
    expect(await expire(lake)).toBe(1)
  })

  it('plays a table that was never written to, which has no snapshot to hold', async () => {
    const client = await testReplay(await tempLake())
    for await (const batch of client['replay.play']({})) expect.unreachable(`${batch.rows.rowCount} rows`)
  })
})
