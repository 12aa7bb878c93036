// A table as its store has it now: past copies of files on this machine, and past what this process has decoded.
import { readMetadata } from '../catalog/metadata-file.ts'
import { storedFiles } from '../io/file-io.ts'
import { createManifestCache } from '../read/manifest-cache.ts'
import type { LakeTable } from '../table.ts'

export interface StoredTable extends Pick<LakeTable, 'manifests' | 'entries'> {
  /** Throws where the file cannot be read. */
  readMetadata: (location: string, signal?: AbortSignal) => Promise<unknown>
}

export function storedTable({ io }: LakeTable): StoredTable {
  const stored = { ...io, ...storedFiles(io) }
  const cache = createManifestCache({ maxBytes: 0 }) // each is asked for once
  return {
    manifests: async (snapshot, signal) =>
      snapshot ? cache.manifests(snapshot['manifest-list'], { io: stored, signal }) : [],
    entries: (manifest, { metadata }, signal) => cache.entries(manifest, { io: stored, metadata, signal }),
    readMetadata: (location, signal) => readMetadata(stored, location, signal),
  }
}
