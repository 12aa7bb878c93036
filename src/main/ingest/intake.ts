// Messages on their way into a table: decoded into columns, checked, told apart from repeats. What the writer holds between
// the log and a flush.
import type { ColumnBatch } from '../../contract/columns.ts'
import type { Problem, StandardBatch } from '../market/standard-batch.ts'

/** A message that is no row. */
export interface DeadLetter extends Problem {
  topic: string
  partition: number
  offset: number
  /** When the log took it in, microseconds since 1970: the same however often it is read. */
  logMicros: number
  key: Buffer | null
  bytes: Buffer | null
}

export type GapSeverity = 'minor' | 'major' | 'critical'

export interface Gap {
  topic: string
  partition: number
  offset: number
  logMicros: number
  symbol: string
  exchange: string
  assetClass: string
  dataType: 'trades' | 'quotes'
  expected: bigint
  received: bigint
  severity: GapSeverity
}

/** What came in since the last drain. */
export interface TakenIn {
  /** All columns of the table, `_topic`, `_partition` and `_offset` too. */
  rows: ColumnBatch
  deadLetters: readonly DeadLetter[]
  gaps: readonly Gap[]
  duplicates: number
  outOfOrder: number
  resets: number
}

export interface Intake {
  /** Rows held now. */
  rowCount(): number
  /** Memory of what is held now. */
  heldBytes(): number
  /** Takes in a batch, whole, and tells what is bad in it; the batch's memory is the log's again afterwards. */
  take(batch: StandardBatch): { deadLetters: number; gaps: readonly Gap[] }
  /** Only remembers a batch that is in the table already: its ids for the window of repeats, its sequences. */
  remember(batch: StandardBatch): void
  drain(): TakenIn
  /** Rows that were drained and that nobody reads any more: their memory is for those to come. */
  reuse?(rows: ColumnBatch): void
}
