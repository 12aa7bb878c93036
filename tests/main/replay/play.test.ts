// A replay as one stream: rows come when they are due, at the speed that was asked for.
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/contract/columns.ts'
import { append, START_MICROS, tempLake } from '../../support/lake.ts'
import { heldTicker, testReplay } from '../../support/replay.ts'
import { replayBatch } from '../../support/replay-rows.ts'

/** 0, 1, 1, 4 and 64 seconds after the start. */
async function fiveTrades() {
  const lake = await tempLake()
  const seconds = [0, 1, 1, 4, 64]
  await append(
    lake,
    replayBatch(
      'trades',
      seconds.map((second, i) => ({ id: `m${i}`, micros: START_MICROS + second * 1e6, sequence: i })),
    ),
  )
  return lake
}

describe('a replay at a speed', () => {
  it.each([
    [1, [1000, 3000, 60_000]],
    [10, [100, 300, 6000]],
    [0.5, [2000, 6000, 120_000]],
    ['max' as const, []],
  ])('at %s waits between rows as long as they lie apart', async (speed, waits) => {
    const ticker = heldTicker()
    const client = await testReplay(await fiveTrades(), ticker)
    const batches: [unknown[], number][] = []
    for await (const { rows } of client['replay.play']({ speed }))
      batches.push([rowsOf(rows).map(row => row.message_id), ticker.ms - 1000])
    expect(ticker.waits).toEqual(waits)
    const times = waits.map((_, i) => waits.slice(0, i + 1).reduce((sum, ms) => sum + ms, 0))
    expect(batches).toEqual(
      speed === 'max'
        ? [[['m0', 'm1', 'm2', 'm3', 'm4'], 0]]
        : [
            [['m0'], 0],
            [['m1', 'm2'], times[0]],
            [['m3'], times[1]],
            [['m4'], times[2]],
          ],
    )
  })

  it('holds the clock for a reader that is slow', async () => {
    const ticker = heldTicker()
    const client = await testReplay(await fiveTrades(), ticker)
    for await (const batch of client['replay.play']({ speed: 1 })) {
      expect(batch.rows.rowCount).toBeLessThan(3)
      ticker.ms += 30_000
    }
    expect(ticker.waits).toEqual([1000, 3000, 60_000])
  })

  it('ends after so many batches of so many rows', async () => {
    const client = await testReplay(await fiveTrades())
    const ids: unknown[] = []
    for await (const { rows } of client['replay.play']({ batch_size: 2, max_batches: 2 }))
      ids.push(rowsOf(rows).map(row => row.message_id))
    expect(ids).toEqual([
      ['m0', 'm1'],
      ['m2', 'm3'],
    ])
  })

  it('ends at once when its reader has gone while it waits', async () => {
    const client = await testReplay(await fiveTrades())
    const gone = new AbortController()
    const read = async () => {
      for await (const { clock } of client['replay.play']({ speed: 0.1 }, { signal: gone.signal })) {
        expect(clock).toBe('2014-03-10T00:00:00.000000Z')
        setTimeout(() => gone.abort(), 20)
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
