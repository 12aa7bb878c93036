// What a commit costs: sixteen files of a flush into a table that has a past, in both catalogs.
import { randomUUID } from 'node:crypto'
import { commitChange } from '../src/main/lake/commit/commit-change.ts'
import { newSnapshotId } from '../src/main/lake/commit/new-head.ts'
import type { DataFile } from '../src/main/lake/iceberg/data-file.ts'
import { encodeMetadata } from '../src/main/lake/iceberg/json.ts'
import { headOf, MAIN, type Snapshot, type Update } from '../src/main/lake/iceberg/metadata.ts'
import type { Lake } from '../src/main/lake/lake.ts'
import { COMMIT_ID_KEY, OFFSETS_KEY, offsetsAt, offsetsText } from '../src/main/lake/offsets.ts'
import { openJudgedLake, type LakeKind } from '../tests/support/pyiceberg-lake.ts'
import { appendTrades } from './support/bench-lake.ts'
import { describedFlush, offsetsAfter, renamed } from './support/described-files.ts'
import { createTape } from './support/tape.ts'
import { elapsedMsOf, short, spread, timeRounds, timesOf } from './support/timing.ts'
import type { Figure } from './figure.ts'

/** Snapshots of the table when its next commits are measured, and how many are measured. */
const PASTS = [50, 1000, 2000]
const MEASURED = 60
const WARM_UP = 10
/** Commits since compaction last wrote the manifests anew: the head's list names so many. */
const MANIFESTS = 30
const SEED_AT_ONCE = 250
const FLUSH_ROWS = 5000

export async function run(): Promise<Figure[]> {
  return [...(await measure('sqlite', 'local', '≤ 20 ms')), ...(await measure('rest and S3', 'REST + S3', '≤ 80 ms'))]
}

/** Only the lakes and their servers are of use here. */
const NO_JUDGE = { ask: () => Promise.reject(new Error('There is no judge')), close: () => Promise.resolve() }

async function measure(kind: LakeKind, name: string, target: string): Promise<Figure[]> {
  const { lake, close } = await openJudgedLake(kind, NO_JUDGE, { isLongLived: true })
  try {
    const figures: Figure[] = []
    const files = await describedFlush(lake)
    for (const past of PASTS) figures.push(await measureCommits(lake, files, past, name, target))
    figures.push(...(await measureFlush(lake, name)))
    return figures
  } finally {
    await close()
  }
}

async function measureCommits(
  lake: Lake,
  files: readonly DataFile[],
  past: number,
  name: string,
  target: string,
): Promise<Figure> {
  const table = lake.table('trades')
  await commitFlush(lake, files)
  await seedSnapshots(lake, past)
  await commitFlush(lake, files, true)
  for (let i = 1; i < MANIFESTS; i++) await commitFlush(lake, files)
  const elapsedMs: number[] = []
  for (let i = 0; i < WARM_UP; i++) await commitFlush(lake, files)
  const before = process.cpuUsage()
  for (let i = 0; i < MEASURED; i++) elapsedMs.push(await elapsedMsOf(() => commitFlush(lake, files)))
  const { user, system } = process.cpuUsage(before)
  const times = timesOf(elapsedMs)
  const ownMs = (user + system) / 1000 / MEASURED
  const kilobytes = Math.round(encodeMetadata((await table.load()).metadata).length / 1000)
  return {
    name: `commit of ${files.length} files, ${name}, ${past.toLocaleString('en')} snapshots, p50`,
    value: times.p50,
    unit: 'ms',
    target,
    detail: `${spread(times)}; ${short(ownMs)} of processor time here; metadata of ${kilobytes.toLocaleString('en')} kB`,
  }
}

async function commitFlush(lake: Lake, files: readonly DataFile[], mergeManifests = false): Promise<void> {
  const table = lake.table('trades')
  const { metadata } = await table.known()
  const from = offsetsAt(metadata)
  const to = offsetsAfter(metadata.snapshots.length)
  await commitChange(table, { operation: 'append', added: renamed(files), offsets: { from, to }, mergeManifests })
}

/** Snapshots like those of commits, up to so many, in few commits; they share the head's files. */
async function seedSnapshots(lake: Lake, past: number): Promise<void> {
  const { catalog, name, load, learn } = lake.table('trades')
  for (;;) {
    const base = await load()
    const { metadata } = base
    const count = Math.min(SEED_AT_ONCE, past - MANIFESTS - metadata.snapshots.length)
    if (count <= 0) return
    let parent = headOf(metadata)!
    const updates: Update[] = []
    for (let i = 0; i < count; i++) {
      parent = after(parent, metadata.snapshots.length + i)
      updates.push({ action: 'add-snapshot', snapshot: parent })
    }
    updates.push({ action: 'set-snapshot-ref', 'ref-name': MAIN, type: 'branch', 'snapshot-id': parent['snapshot-id'] })
    const outcome = await catalog.commit(name, base, [], updates)
    if (outcome.state !== 'committed') throw new Error(`The snapshots were not taken: ${JSON.stringify(outcome)}`)
    learn(outcome.table)
  }
}

function after(parent: Snapshot, commits: number): Snapshot {
  const offsets = offsetsText(offsetsAfter(commits))
  return {
    ...parent,
    'snapshot-id': newSnapshotId(),
    'parent-snapshot-id': parent['snapshot-id'],
    'sequence-number': parent['sequence-number'] + 1,
    summary: { ...parent.summary, [OFFSETS_KEY]: offsets, [COMMIT_ID_KEY]: randomUUID() },
  }
}

/** With the rows: sorted, written to Parquet, made durable, committed. */
async function measureFlush(lake: Lake, name: string): Promise<Figure[]> {
  const tape = createTape({ rows: 10_000_000 })
  const figures: Figure[] = []
  for (const [specId, files] of [
    [0, 'one file'],
    [1, '16 files'],
  ] as const) {
    const times = await timeRounds(24, () => appendTrades(lake, [tape.next(FLUSH_ROWS)], specId))
    const what = `${FLUSH_ROWS.toLocaleString('en')} rows to ${files}, staged and committed, ${name}, p50`
    figures.push({ name: what, value: times.p50, unit: 'ms', detail: spread(times) })
  }
  return figures
}
