// `k2 lake verify`: whether a table is what its metadata says, file by file, as the store has them now. Reads only; finds
// what it can and goes on.
import { Failure } from '../../../contract/failure.ts'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { DataFile, ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'
import { headOf, snapshotOf } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import type { LakeTable } from '../table.ts'
import { checkHistory } from './check-history.ts'
import { checkManifest } from './check-manifests.ts'
import { checkPresence, type ExpectedFile } from './check-presence.ts'
import { checkRows } from './check-rows.ts'
import { checkSummary, type Listed } from './check-summary.ts'
import { heldFiles } from './held-files.ts'
import { attempt, MOST_PROBLEMS, type Problem, type Verified } from './problem.ts'
import { storedTable, type StoredTable } from './stored-table.ts'

/** Snapshots that expire in another process on the way are missed; then it is checked anew, this often. */
const MOST_ROUNDS = 3

export async function verifyTable(
  lake: Lake,
  table: LakeTable,
  options: { quick: boolean; signal?: AbortSignal },
): Promise<Verified> {
  for (let round = 1; ; round++) {
    const loaded = await table.load(options.signal)
    const ids = loaded.metadata.snapshots.map(snapshot => snapshot['snapshot-id'])
    const letGo = ids.map(id => table.pin(id))
    try {
      const verified = await verifyOnce(lake, table, loaded, options)
      if (verified.problems.length === 0 || round === MOST_ROUNDS) return verified
      const now = (await table.load(options.signal)).metadata
      if (ids.every(id => snapshotOf(now, id))) return verified
    } finally {
      for (const release of letGo) release()
    }
  }
}

async function verifyOnce(
  lake: Lake,
  table: LakeTable,
  loaded: LoadedTable,
  { quick, signal }: { quick: boolean; signal?: AbortSignal },
): Promise<Verified> {
  const { metadata } = loaded
  const stored = storedTable(table)
  const problems: Problem[] = [...checkHistory(metadata), ...(await checkMetadataFile(table, stored, loaded, signal))]
  const manifests = new Map<string, ManifestFile>()
  const listed = new Map<string, Listed>()
  for (const snapshot of metadata.snapshots) {
    const list = await attempt(problems, snapshot['manifest-list'], snapshot, () => stored.manifests(snapshot, signal))
    if (!list) continue
    listed.set(snapshot['snapshot-id'], { snapshot, manifests: list })
    for (const manifest of list) manifests.set(manifest.path, manifest)
  }
  const entries = await readEntries(stored, loaded, manifests.values(), problems, signal)
  problems.push(...addedTwice(entries))
  const held = heldFiles(manifests.values(), entries)
  for (const one of listed.values()) {
    problems.push(...checkSummary(one, held, listed.get(one.snapshot['parent-snapshot-id'] ?? '')))
  }
  const files = liveFiles(entries)
  const readable = [...manifests.values()].filter(({ path }) => entries.has(path))
  problems.push(...(await checkPresence(table, loaded, expectedFiles(readable, files.values()), signal)))
  if (!quick) {
    const head = headOf(metadata)
    const missing = new Set(problems.map(({ file }) => file))
    const there = [...files.values()].filter(({ path }) => !missing.has(path))
    if (head) problems.push(...(await checkRows(lake, loaded, there, signal)))
  }
  return {
    snapshots: metadata.snapshots.length,
    manifests: manifests.size,
    files: files.size,
    rows: sum(files.values(), ({ content, recordCount }) => (content === 'data' ? recordCount : 0)),
    bytes: sum(files.values(), ({ fileBytes }) => fileBytes),
    problems: problems.slice(0, MOST_PROBLEMS),
  }
}

/** A catalog may keep a state whose file is lost, and may tell of files that only it reads. */
async function checkMetadataFile(
  table: LakeTable,
  stored: StoredTable,
  { metadataLocation: location }: LoadedTable,
  signal?: AbortSignal,
): Promise<Problem[]> {
  try {
    if (location !== '') await stored.readMetadata(location, signal)
    return []
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.code !== 'NOT_FOUND' && error.code !== 'CORRUPT') return []
    // Cleared away by a commit since it was loaded, it is nobody's loss.
    if ((await table.load(signal)).metadataLocation !== location) return []
    return [{ file: location, snapshot_id: null, problem: error.message }]
  }
}

function* expectedFiles(manifests: Iterable<ManifestFile>, files: Iterable<DataFile>): Iterable<ExpectedFile> {
  for (const { path, length } of manifests) yield { path, bytes: length, saidBy: 'list' }
  for (const { path, fileBytes } of files) yield { path, bytes: fileBytes, saidBy: 'manifest' }
}

type Entries = Map<string, readonly ManifestEntry[]>

async function readEntries(
  stored: StoredTable,
  loaded: LoadedTable,
  manifests: Iterable<ManifestFile>,
  problems: Problem[],
  signal?: AbortSignal,
): Promise<Entries> {
  const entries: Entries = new Map()
  for (const manifest of manifests) {
    const found = await attempt(problems, manifest.path, undefined, () => stored.entries(manifest, loaded, signal))
    if (!found) continue
    entries.set(manifest.path, found)
    problems.push(...checkManifest(manifest, found))
  }
  return entries
}

/** A file is added by one snapshot; two mean that rows count twice somewhere. */
function addedTwice(entries: Entries): Problem[] {
  const addedBy = new Map<string, string | null>()
  const problems: Problem[] = []
  for (const { status, snapshotId, file } of [...entries.values()].flat()) {
    if (status !== 'added') continue
    const before = addedBy.get(file.path)
    if (before !== undefined && before !== snapshotId) {
      problems.push({ file: file.path, snapshot_id: snapshotId, problem: `Added by snapshot ${before} already.` })
    }
    addedBy.set(file.path, snapshotId)
  }
  return problems
}

/** All files that some kept snapshot reads. */
function liveFiles(entries: Entries): Map<string, DataFile> {
  const files = new Map<string, DataFile>()
  for (const { status, file } of [...entries.values()].flat()) {
    if (status !== 'deleted') files.set(file.path, file)
  }
  return files
}

function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0
  for (const item of items) total += of(item)
  return total
}
