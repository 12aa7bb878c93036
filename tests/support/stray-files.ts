// Files below a table that its metadata does not lead to: what a failure or a crash has left.
import type { FileIO } from '../../src/main/lake/io/file-io.ts'
import { canonicalLocation } from '../../src/main/lake/io/location.ts'
import { filesIn, manifestsOf } from '../../src/main/lake/maintain/reachable-files.ts'
import type { LakeTable } from '../../src/main/lake/table.ts'

export async function strayFiles(table: LakeTable, io: FileIO): Promise<string[]> {
  const loaded = await table.load()
  const { metadata, metadataLocation } = loaded
  const manifests = await manifestsOf(table, metadata.snapshots)
  const files = await filesIn(table, loaded, manifests.values(), { live: false })
  const known = new Set([
    canonicalLocation(metadataLocation),
    ...metadata['metadata-log'].map(entry => canonicalLocation(entry['metadata-file'])),
    ...metadata.snapshots.map(snapshot => canonicalLocation(snapshot['manifest-list'])),
    ...manifests.keys(),
    ...files.keys(),
  ])
  const stray: string[] = []
  for await (const { location } of io.list(metadata.location))
    if (!known.has(canonicalLocation(location))) stray.push(location.slice(metadata.location.length + 1))
  return stray
}
