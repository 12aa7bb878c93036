// Where a loaded file goes, as a seam: the lake implements it, a source only knows this.
import type { ColumnBatch } from '../../contract/columns.ts'

export const LOAD_TABLES = ['trades', 'quotes', 'reference_data'] as const
export type LoadTable = (typeof LOAD_TABLES)[number]

export interface LoadSource {
  /** The file as it was named, for people. */
  name: string
  /** What makes it the same load again; nothing when that is only known at the end. */
  contentHash: string | undefined
}

export interface AlreadyLoaded {
  alreadyLoaded: {
    /** When, as ISO 8601. */
    at: string
    snapshotId: string
  }
}

export interface LoadTarget {
  /** Does not know what it was given before; then nobody needs to know a file's content before it is read. */
  isForgetful?: boolean
  /** Opens a load of one file. With `again` it is opened also when the same content was loaded before. */
  begin: (table: LoadTable, source: LoadSource, again: boolean) => Promise<Load | AlreadyLoaded>
}

/**
 * One file on its way. In a table nothing of it can be seen before `commit`, all of it afterwards; in a log messages are
 * there as they are sent. Ends with commit or abort.
 */
export interface Load {
  /** The batch is the target's own from here on. */
  append: (batch: ColumnBatch) => Promise<void>
  commit: (contentHash: string) => Promise<{ snapshotId?: string; rows: number; why?: string }>
  abort: () => Promise<void>
  /** After an abort: what the target could not take back, as a sentence. */
  whatStays?: () => string | undefined
}
