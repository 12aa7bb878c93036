// Writes the manifests of files that come: once per commit, whatever it meets. Their sequence numbers are inherited
// from the manifest list, so a conflict rewrites nothing but that list.
import { randomUUID } from 'node:crypto'
import type { LoadedTable } from '../catalog/catalog.ts'
import type { DataFile, ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'
import { encodeManifest } from '../iceberg/manifest.ts'
import { currentSchema, specOf } from '../iceberg/metadata.ts'
import { summarizeManifest } from '../iceberg/summarize-manifest.ts'
import type { LakeTable } from '../table.ts'
import { writeNew } from './write-new.ts'

/** Planning reads manifests whole; larger ones would be read for few of their files. */
const MOST_ENTRIES = 10_000

interface Encoded {
  manifest: ManifestFile
  bytes: Uint8Array
}

/** A manifest of one partition spec; which sequence number it gets is known when the list is written. */
function encode(
  { metadata }: LoadedTable,
  entries: readonly ManifestEntry[],
  at: { snapshotId: string; sequenceNumber: number },
): Encoded {
  const [{ file }] = entries
  const spec = specOf(metadata, file.specId)!
  const schema = currentSchema(metadata)
  const content = file.content === 'data' ? 'data' : 'deletes'
  const bytes = encodeManifest({ schema, spec, content, entries })
  const path = `${metadata.location}/metadata/${randomUUID()}-m0.avro`
  const { length } = bytes
  return { manifest: summarizeManifest(entries, { path, length, content, spec, schema, ...at }), bytes }
}

/**
 * In parts of at most MOST_ENTRIES, one partition spec each, data and deletes apart; of `enoughEntries`, where the first
 * value of the partition changes. All are written, or none is left.
 */
export async function writeManifests(
  table: LakeTable,
  base: LoadedTable,
  entries: readonly ManifestEntry[],
  { enoughEntries = MOST_ENTRIES, ...at }: { snapshotId: string; sequenceNumber: number; enoughEntries?: number },
): Promise<ManifestFile[]> {
  const groups = new Map<string, ManifestEntry[][]>()
  for (const entry of entries) {
    const key = `${entry.file.specId} ${entry.file.content === 'data'}`
    const parts = groups.get(key) ?? [[]]
    groups.set(key, parts)
    if (isFull(parts[parts.length - 1], entry, enoughEntries)) parts.push([])
    parts[parts.length - 1].push(entry)
  }
  const encoded = [...groups.values()].flat().map(part => encode(base, part, at))
  await writeNew(
    table,
    encoded.map(({ manifest, bytes }) => ({ path: manifest.path, bytes })),
  )
  return encoded.map(({ manifest }) => manifest)
}

function isFull(part: readonly ManifestEntry[], { file }: ManifestEntry, enough: number): boolean {
  if (part.length >= MOST_ENTRIES) return true
  return part.length >= enough && part[part.length - 1].file.partition[0] !== file.partition[0]
}

export function addedEntry(file: DataFile, snapshotId: string): ManifestEntry {
  return { status: 'added', snapshotId, sequenceNumber: null, fileSequenceNumber: null, file }
}
