// Manifest lists and manifests, decoded, by location. These files never change, so nothing is ever invalidated; the
// least recently used leave when their bytes exceed the limit. Readers of one file share one read, which goes on when
// one of them is cancelled.
import { Failure } from '../../../contract/failure.ts'
import type { ManifestEntry, ManifestFile } from '../iceberg/data-file.ts'
import { decodeManifestList } from '../iceberg/manifest-list.ts'
import { decodeManifest } from '../iceberg/manifest.ts'
import { currentSchema, specOf, type PartitionSpec, type TableMetadata } from '../iceberg/metadata.ts'
import { fieldOfId, type Schema } from '../iceberg/schema.ts'
import { cancelled } from '../../base/cancelled.ts'
import type { FileIO } from '../io/file-io.ts'
import { bytesOfIndex, indexFiles, type FileIndex } from './file-index.ts'

export interface ManifestSource {
  io: FileIO
  signal?: AbortSignal
}

export interface TableSource extends ManifestSource {
  metadata: TableMetadata
}

export interface ManifestCache {
  manifests: (location: string, source: ManifestSource) => Promise<readonly ManifestFile[]>
  /** All entries, those of deleted files too. */
  entries: (manifest: ManifestFile, source: TableSource) => Promise<readonly ManifestEntry[]>
  index: (manifest: ManifestFile, source: TableSource) => Promise<FileIndex>
  /** The index if it is held, at once: planning over thousands of manifests awaits none of them. */
  heldIndex: (manifest: ManifestFile) => FileIndex | undefined
  /** How much is held. */
  readonly bytes: number
}

const MAX_BYTES = 256e6

export function createManifestCache({ maxBytes = MAX_BYTES } = {}): ManifestCache {
  const lists = createShelf<readonly ManifestFile[]>(makeRoom)
  const indexes = createShelf<FileIndex>(makeRoom)
  const held = () => lists.bytes() + indexes.bytes()

  function makeRoom(): void {
    while (held() > maxBytes && (indexes.evict() || lists.evict()));
  }

  const index = (manifest: ManifestFile, { io, metadata, signal }: TableSource) =>
    indexes.get(manifest.path, signal, async () => {
      const spec = requireSpec(metadata, manifest.specId)
      const bytes = await io.read(manifest.path)
      const value = indexFiles(decodeManifest(bytes, manifest, spec, schemaOfSpec(metadata, spec)))
      return { value, bytes: bytesOfIndex(value) }
    })

  return {
    manifests: (location, { io, signal }) =>
      lists.get(location, signal, async () => {
        const value = decodeManifestList(await io.read(location), location)
        return { value, bytes: 300 + value.length * 600 }
      }),
    entries: async (manifest, source) => (await index(manifest, source)).entries,
    index,
    heldIndex: manifest => indexes.peek(manifest.path),
    get bytes() {
      return held()
    },
  }
}

export function requireSpec(metadata: TableMetadata, specId: number): PartitionSpec {
  const spec = specOf(metadata, specId)
  if (spec) return spec
  throw new Failure(
    'CORRUPT',
    `The table's metadata lacks partition spec ${specId}, which manifests of it name; nothing was read. ` +
      'Check the table with k2 lake verify.',
  )
}

/** A schema that has the columns of a spec: the current one may have dropped them. */
function schemaOfSpec(metadata: TableMetadata, spec: PartitionSpec): Schema {
  const current = currentSchema(metadata)
  const hasAll = (schema: Schema) => spec.fields.every(field => fieldOfId(schema, field['source-id']))
  return [current, ...metadata.schemas.toReversed()].find(hasAll) ?? current
}

interface Held<T> {
  value: T
  bytes: number
}

/** One kind of decoded file. Maps keep the order of insertion, so the first entry is the least recently used. */
function createShelf<T>(onGrown: () => void) {
  const held = new Map<string, Held<T>>()
  const underWay = new Map<string, Promise<T>>()
  let bytes = 0

  async function load(location: string, read: () => Promise<Held<T>>): Promise<T> {
    try {
      const entry = await read()
      held.set(location, entry)
      bytes += entry.bytes
      onGrown()
      return entry.value
    } finally {
      underWay.delete(location) // also when it failed, so that the next reader tries again
    }
  }

  function peek(location: string): T | undefined {
    const found = held.get(location)
    if (!found) return undefined
    held.delete(location)
    held.set(location, found)
    return found.value
  }

  return {
    peek,
    get(location: string, signal: AbortSignal | undefined, read: () => Promise<Held<T>>): Promise<T> {
      const found = peek(location)
      if (found !== undefined) return Promise.resolve(found)
      let loading = underWay.get(location)
      if (!loading) underWay.set(location, (loading = load(location, read)))
      return signal ? untilAborted(loading, signal) : loading
    },
    evict(): boolean {
      const oldest = held.entries().next()
      if (oldest.done) return false
      const [location, entry] = oldest.value
      held.delete(location)
      bytes -= entry.bytes
      return true
    },
    bytes: () => bytes,
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(cancelled())
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
