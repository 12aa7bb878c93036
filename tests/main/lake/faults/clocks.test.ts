import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../../src/main/base/clock.ts'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { resolveSnapshot } from '../../../../src/main/lake/read/resolve-snapshot.ts'
import { checkHistory } from '../../../../src/main/lake/verify/check-history.ts'
import { memoryTable } from '../../../support/memory-table.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Two hosts at work on one table, whose clocks tell different times. */
async function twoHosts(aheadMs: number, startMs = Date.now() - 10 * DAY) {
  let nowMs = startMs
  const clockAt = (offsetMs: number): Clock => ({
    nowMs: () => nowMs + offsetMs,
    nowMicros: () => (nowMs + offsetMs) * 1000,
  })
  const { table: one, elsewhere, stage } = await memoryTable(undefined, { clock: clockAt(0) })
  const other = elsewhere({ clock: clockAt(aheadMs) })
  const ids: string[] = []
  for (let i = 0; i < 20; i++) {
    nowMs += 60_000
    const { snapshotId } = await commitChange(i % 3 === 1 ? other : one, {
      operation: 'append',
      added: [await stage(`f${i}`)],
    })
    ids.push(snapshotId)
  }
  return { one, other, ids, nowMs: () => nowMs }
}

describe.each([
  ['a day ahead', DAY],
  ['a day behind', -DAY],
  ['two seconds behind', -2_000],
])('two hosts, one of them %s', (_, aheadMs) => {
  it('both commit, and times never go back', async () => {
    const { one, ids } = await twoHosts(aheadMs)
    const { metadata } = await one.load()
    expect(metadata.snapshots.map(snapshot => snapshot['snapshot-id'])).toEqual(ids)
    const times = metadata.snapshots.map(snapshot => snapshot['timestamp-ms'])
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(new Set(times).size).toBe(times.length)
    expect(checkHistory(metadata)).toEqual([])
  })

  it('have one answer to what was known at a time, and later times know no less', async () => {
    const { one, ids } = await twoHosts(aheadMs)
    const { metadata } = await one.load()
    const times = metadata.snapshots.map(snapshot => snapshot['timestamp-ms'])
    const known = times
      .flatMap(ms => [ms, ms + 1])
      .map(ms => ids.indexOf(resolveSnapshot(metadata, { asOfMicros: ms * 1000 })!['snapshot-id']))
    expect(known).toEqual(known.toSorted((a, b) => a - b))
    expect(known.filter((_, i) => i % 2 === 0)).toEqual(ids.map((_, i) => i))
  })
})

it('spares what is young when the host that lets go of snapshots is behind', async () => {
  const { other } = await twoHosts(-DAY)
  const retention = { keep: [{ everyMs: 0, forMs: HOUR }], most: 2_000 }
  expect(await expireSnapshots(other, { retention })).toMatchObject({ snapshots_removed: 0 })
})

it('spares what is young when it is ahead, by the clock of the store', async () => {
  const { other, one } = await twoHosts(DAY, Date.now() - HOUR)
  const young = { keep: [{ everyMs: 0, forMs: 2 * DAY }], most: 2_000 }
  const retention = { keep: [{ everyMs: 0, forMs: HOUR }], most: 2_000 }
  expect(await expireSnapshots(one, { retention: young })).toMatchObject({ snapshots_removed: 0 })
  expect(await expireSnapshots(other, { retention })).toMatchObject({ snapshots_removed: 0 })
})
