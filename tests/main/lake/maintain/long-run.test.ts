import { describe, expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { findOrphans } from '../../../../src/main/lake/maintain/orphans.ts'
import { encodeMetadata } from '../../../../src/main/lake/iceberg/json.ts'
import { memoryTable } from '../../../support/memory-table.ts'
import { strayFiles } from '../../../support/stray-files.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** As K2_SNAPSHOT_RETENTION has it where nothing is set. */
const RETENTION = {
  keep: [
    { everyMs: 0, forMs: HOUR },
    { everyMs: MINUTE, forMs: DAY },
    { everyMs: DAY, forMs: 90 * DAY },
  ],
  most: 2_000,
}

/** Measured with 5,000 commits, one every 5 s: 1,079 snapshots, 0.8 MB of metadata, 8 ms a commit at first, 13 at last. */
const COMMITS = 1_200
const STEP_MS = 21_000

describe('a stream that commits for seven hours', () => {
  it('has a bounded history, and commits that do not get slower', { timeout: 120_000 }, async () => {
    let nowMs = Date.now() - 8 * HOUR
    const clock = { nowMs: () => nowMs, nowMicros: () => nowMs * 1000 }
    const { table, stage, files } = await memoryTable(undefined, { clock })
    const sizes: number[] = []
    const took: number[] = []
    let counted = 0
    for (let i = 1; i <= COMMITS; i++) {
      nowMs += STEP_MS
      const added = [await stage(`f${i}`)]
      const started = performance.now()
      const { table: loaded } = await commitChange(table, {
        operation: 'append',
        added,
        // As compaction does now and then.
        mergeManifests: i % 100 === 0,
      })
      took.push(performance.now() - started)
      if (i % 100 !== 0) continue
      const done = await expireSnapshots(table, { retention: RETENTION })
      expect(done.snapshots_kept).toBeLessThanOrEqual(RETENTION.most)
      counted = done.snapshots_kept
      sizes.push(encodeMetadata(loaded.metadata).length)
    }
    // All of the last hour, then one a minute.
    expect(counted).toBeGreaterThan(HOUR / STEP_MS)
    expect(counted).toBeLessThan(HOUR / STEP_MS + 6 * 60 + 120)
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    const [early, late] = [mean(took.slice(300, 400)), mean(took.slice(-100))]
    console.log(
      `metadata ${sizes[10]} → ${sizes.at(-1)} bytes, a commit ${early.toFixed(1)} → ${late.toFixed(1)} ms, ${counted} snapshots, ${files.locations().length} files`,
    )
    expect(late).toBeLessThan(early * 4 + 5)
    expect(sizes.at(-1)!).toBeLessThan(700_000)
    expect(await strayFiles(table, files)).toEqual([])
  })

  it('lets go of hundreds of snapshots with hundreds of manifests in seconds', { timeout: 120_000 }, async () => {
    let nowMs = Date.now() - 10 * DAY
    const clock = { nowMs: () => (nowMs += 1_000), nowMicros: () => nowMs * 1000 }
    const { table, stage, files } = await memoryTable(undefined, { clock })
    for (let i = 1; i <= 600; i++) {
      const added = [await stage(`f${i}`)]
      await commitChange(table, { operation: 'append', added, mergeManifests: i % 200 === 0 })
    }
    nowMs += 9 * DAY
    // Measured: 2,000 snapshots and as many files in 2.8 s, on memory.
    const started = performance.now()
    const done = await expireSnapshots(table, {
      retention: { keep: [{ everyMs: DAY, forMs: DAY }], most: 10 },
    })
    const ms = performance.now() - started
    console.log(`${done.snapshots_removed} snapshots and ${done.files_removed} files let go of in ${ms.toFixed(0)} ms`)
    expect(done).toMatchObject({ snapshots_removed: 599, snapshots_kept: 1 })
    expect(ms).toBeLessThan(5_000)
    expect(await strayFiles(table, files)).toEqual([])
    expect(await findOrphans(table, { olderThanMs: 0, nowMs: table.clock.nowMs() })).toEqual([])
  })
})
