// A table's metadata files, for the catalogs that write them themselves.
import { randomUUID } from 'node:crypto'
import { decodeMetadata, encodeMetadata } from '../iceberg/json.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import type { FileIO } from '../io/file-io.ts'
import type { LoadedTable } from './catalog.ts'

const DIGITS = 5

/** Durable when it resolves. Numbered after the one before it, and named so that two writers never meet. */
export async function writeMetadata(io: FileIO, metadata: TableMetadata, previous?: string): Promise<string> {
  const number = previous === undefined ? 0 : numberOf(previous) + 1
  const location = `${folderOf(metadata)}/${String(number).padStart(DIGITS, '0')}-${randomUUID()}.metadata.json`
  try {
    await io.write(location, encodeMetadata(metadata))
  } catch (error) {
    await removeQuietly(io, location) // a lost answer may have left it there
    throw error
  }
  return location
}

/**
 * One of a table that has had commits, if there is one in the place of this new table: what was created and never
 * committed to, as by a process that was killed, is no such table.
 */
export async function findCommitted(io: FileIO, metadata: TableMetadata): Promise<string | undefined> {
  for await (const { location } of io.list(folderOf(metadata)))
    if (location.endsWith('.metadata.json') && numberOf(location) > 0) return location
  return undefined
}

function folderOf({ location, properties }: TableMetadata): string {
  return properties['write.metadata.path'] ?? `${location.replace(/\/+$/, '')}/metadata`
}

function numberOf(location: string): number {
  return Number(/(?:^|\/)(\d+)-[^/]*$/.exec(location)?.[1] ?? -1)
}

export async function readMetadata(io: FileIO, location: string, signal?: AbortSignal): Promise<LoadedTable> {
  const bytes = await io.read(location, undefined, signal)
  return { metadata: decodeMetadata(bytes, location), metadataLocation: location }
}

/**
 * After a commit: what fell off the log of earlier metadata files, where the table asks for that. A file that cannot
 * be removed now is an orphan, and no failure of a commit that has landed.
 */
export async function removeForgottenMetadata(io: FileIO, before: TableMetadata, now: LoadedTable): Promise<void> {
  if (now.metadata.properties['write.metadata.delete-after-commit.enabled']?.toLowerCase() !== 'true') return
  const kept = new Set([now.metadataLocation, ...loggedIn(now.metadata)])
  const forgotten = loggedIn(before).filter(location => !kept.has(location))
  await Promise.allSettled(forgotten.map(location => io.remove(location)))
}

function loggedIn(metadata: TableMetadata): string[] {
  return metadata['metadata-log'].map(entry => entry['metadata-file'])
}

/** For what was written and is not, or will not be, in use. */
export async function removeQuietly(io: FileIO, location: string): Promise<void> {
  await io.remove(location).catch(() => {}) // an orphan then, taken by orphan removal
}
