// What a file of any form gives: batches of one table, and the rows that could not be read.
import type { ColumnBatch } from '../../contract/columns.ts'
import type { LoadTable } from './load-target.ts'

/** A row that goes to the dead letters instead of the table. */
export interface BadRow {
  /** The line it begins in, or its number where a form has no lines; from 1. */
  line: number
  /** As it stands in the file, cut when it is long. */
  text: string
  reason: string
}

/** A step of reading. Steps come often, so that progress is shown and a cancel is noticed between them. */
export interface Step {
  batch?: ColumnBatch
  badRows: readonly BadRow[]
  /** Of the file as it lies on the disk, so far. */
  bytesRead: number
}

export interface FileSource {
  table: LoadTable
  bytesTotal: number
  /** The whole file once, quickly: what makes it the same load again, whatever it is called or compressed with. */
  contentHash: (signal: AbortSignal) => Promise<string>
  /** The whole file once more. A file that changed since `contentHash` is a Failure at the end. */
  read: (signal: AbortSignal) => AsyncIterable<Step>
  /** The columns' names as the file has them, for its dead letters; nothing without a header. */
  header?: string
}

/** What the person who loads files said about them. */
export interface FileOptions {
  table?: LoadTable
  exchange?: string
  assetClass?: string
  /** Columns that have another name in the file, as `price=px,symbol=ticker`. */
  map?: string
  /** Of wall times without an offset. */
  timezone?: string
  /** When the load began, in microseconds: the ingestion time of every row that does not say its own. */
  loadedAtMicros: number
}
