// What Parquet and Arrow have in common once they are read: named columns of a few kinds, in batches.
import type { ColumnBatch } from '../../../contract/columns.ts'

/**
 * What a column holds, and as what its batches carry it:
 * text (string, enum) · whole (int, long) · decimal · double (the shortest decimal of a float stands for it) · boolean ·
 * date · instant, wall (timestamp; wall is without a zone) · list, map (of texts) · other (text for people)
 */
export type SourceKind =
  'text' | 'whole' | 'decimal' | 'double' | 'boolean' | 'date' | 'instant' | 'wall' | 'list' | 'map' | 'other'

export interface SourceField {
  name: string
  kind: SourceKind
  /** As the format calls its type, for people. */
  typeName: string
}

export interface SourceStep {
  batch: ColumnBatch
  /** Of the file, about: what its rows so far are of all rows. */
  bytesRead: number
}

export interface ColumnarFile {
  fields: readonly SourceField[]
  /** The columns asked for, in the file's order of rows. */
  read: (names: readonly string[], signal: AbortSignal) => AsyncIterable<SourceStep>
}
