// Whether summaries of snapshots say what their manifests add up to. Engines need not say any counter; what is not said is
// not missed.
import type { ManifestFile } from '../iceberg/data-file.ts'
import type { Snapshot } from '../iceberg/metadata.ts'
import { ROLLED_BACK_TO_KEY } from '../travel/roll-back.ts'
import { addTo, noFiles, type HeldFiles, type Tally } from './held-files.ts'
import type { Problem } from './problem.ts'

type Counters = readonly (readonly [key: string, counts: keyof Tally])[]

const TOTALS: Counters = [
  ['total-delete-files', 'deleteFiles'],
  ['total-position-deletes', 'positionDeletes'],
  ['total-equality-deletes', 'equalityDeletes'],
]
const ADDED: Counters = [
  ['added-data-files', 'dataFiles'],
  ['added-records', 'rows'],
  ['added-delete-files', 'deleteFiles'],
  ['added-position-deletes', 'positionDeletes'],
  ['added-equality-deletes', 'equalityDeletes'],
  ['added-files-size', 'bytes'],
]
const REMOVED: Counters = [
  ['deleted-data-files', 'dataFiles'],
  ['deleted-records', 'rows'],
  ['removed-delete-files', 'deleteFiles'],
  ['removed-position-deletes', 'positionDeletes'],
  ['removed-equality-deletes', 'equalityDeletes'],
  ['removed-files-size', 'bytes'],
]

/** A snapshot and the one before it, with their manifests. */
export interface Listed {
  snapshot: Snapshot
  manifests: readonly ManifestFile[]
}

/** `parent`: nothing when it has expired or cannot be read. */
export function checkSummary({ snapshot, manifests }: Listed, held: HeldFiles, parent?: Listed): Problem[] {
  const { summary, 'snapshot-id': id } = snapshot
  const live = sumOf(manifests, held, 'live')
  if (!live) return []
  const problems: Problem[] = []
  const say = (problem: string, file: string | null = null) => problems.push({ file, snapshot_id: id, problem })

  const repeated = repeatedIn(manifests, held)
  for (const { file } of repeated) say('The snapshot holds this file twice.', file)
  const files = repeated.reduce((sum, { times }) => sum - (times - 1), live.dataFiles)
  const { 'total-records': rows, 'total-data-files': dataFiles } = summary as Partial<Record<string, string>>
  if (rows !== undefined && Number(rows) !== live.rows) say(`Says ${rows} rows in all, its files hold ${live.rows}.`)
  if (dataFiles !== undefined && Number(dataFiles) !== files) say(`Says ${dataFiles} files, it holds ${files}.`)

  const compare = (counters: Counters, tally: Tally) => {
    for (const [key, counts] of counters)
      if (key in summary && Number(summary[key]) !== tally[counts])
        say(`Says ${key} ${summary[key]}, its manifests make it ${tally[counts]}.`)
  }
  compare(TOTALS, live)
  // A rollback takes the manifests of its target as they are, which tell of other snapshots.
  if (!(ROLLED_BACK_TO_KEY in summary)) {
    const own = manifests.filter(({ addedSnapshotId }) => addedSnapshotId === id)
    compare(ADDED, sumOf(own, held, 'added')!)
    compare(REMOVED, sumOf(own, held, 'removed')!)
  }
  const bytes = repeated.length > 0 ? undefined : bytesAfter({ snapshot, manifests }, live.bytes, held, parent)
  if (bytes !== undefined) compare([['total-files-size', 'bytes']], { ...live, bytes })
  return problems
}

/**
 * What `total-files-size` has to be after what the parent says. Iceberg's Java counts no sizes in manifests that are appended
 * whole, as by Spark's add_files, and every later total is handed on without them: so only what a snapshot adds to its
 * parent's can be judged, and nothing where it does not say the sizes that came or went.
 */
function bytesAfter(
  { snapshot, manifests }: Listed,
  now: number,
  held: HeldFiles,
  parent?: Listed,
): number | undefined {
  const { summary } = snapshot
  const own = manifests.filter(({ addedSnapshotId }) => addedSnapshotId === snapshot['snapshot-id'])
  if (sumOf(own, held, 'added')!.bytes > 0 && !('added-files-size' in summary)) return undefined
  if (sumOf(own, held, 'removed')!.bytes > 0 && !('removed-files-size' in summary)) return undefined
  if (snapshot['parent-snapshot-id'] === undefined) return now
  const before = parent && sumOf(parent.manifests, held, 'live')
  if (!before || !('total-files-size' in parent.snapshot.summary)) return undefined
  return Number(parent.snapshot.summary['total-files-size']) + now - before.bytes
}

/** Nothing when a manifest cannot be read, which is said already. */
function sumOf(
  manifests: readonly ManifestFile[],
  { ofManifest }: HeldFiles,
  part: 'live' | 'added' | 'removed',
): Tally | undefined {
  const sum = noFiles()
  for (const { path } of manifests) {
    const tally = ofManifest.get(path)
    if (!tally) return undefined
    addTo(sum, tally[part])
  }
  return sum
}

function repeatedIn(manifests: readonly ManifestFile[], { repeated }: HeldFiles): { file: string; times: number }[] {
  const paths = new Set(manifests.map(({ path }) => path))
  return [...repeated]
    .map(([file, holders]) => ({ file, times: holders.filter(path => paths.has(path)).length }))
    .filter(({ times }) => times > 1)
}
