// The seam between the lake and whatever keeps its files: a folder, S3, memory. Files are written once and never
// changed, so what was read may be kept. Locations are `file://…`, `file:/…`, `s3://bucket/key` or plain paths.

export interface ListedFile {
  location: string
  bytes: number
  modifiedMs: number
}

/** In bytes. */
export interface Range {
  start: number
  length: number
}

export interface FileIO {
  /** The whole file, or `length` bytes from `start`. A missing file is NOT_FOUND, named. */
  read(location: string, range?: Range, signal?: AbortSignal): Promise<Uint8Array>
  /** Durable and whole when it resolves; a file that exists is CONFLICT and stays as it is. */
  write(location: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>
  /**
   * Gives a finished local file this place, under the same promise. The local file is gone afterwards, whatever happens.
   */
  adopt(localPath: string, location: string, signal?: AbortSignal): Promise<void>
  /** Where to write a file that `adopt` will take: on the same disk as its place, where that makes it a rename. */
  draftPath(location: string): Promise<string>
  /** A path on this machine that DuckDB can read now; for S3 a cached copy that stays until `release` is called. */
  open(location: string, signal?: AbortSignal): Promise<LocalFile>
  /** Nothing happens when it is not there. */
  remove(location: string): Promise<void>
  /** Everything below a folder, in no order. */
  list(folder: string): AsyncIterable<ListedFile>
  close(): Promise<void>
  /** What the store itself holds now; where it is left out, `read` and `open` answer from no copy. */
  stored?: StoredFiles
}

/** For whoever checks the store: nothing is answered from a copy on this machine, and none is kept. */
export interface StoredFiles extends Pick<FileIO, 'read' | 'open'> {
  /** In bytes. A missing file is NOT_FOUND, named. */
  size(location: string, signal?: AbortSignal): Promise<number>
}

export interface LocalFile {
  path: string
  release: () => void
}

export function storedFiles(io: FileIO): StoredFiles {
  return (
    io.stored ?? {
      read: (location, range, signal) => io.read(location, range, signal),
      open: (location, signal) => io.open(location, signal),
      size: async (location, signal) => (await io.read(location, undefined, signal)).length,
    }
  )
}
