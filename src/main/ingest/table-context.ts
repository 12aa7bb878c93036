// What the parts of one table's stream share: reading, taking in and flushing run side by side over it.
import type { Bell } from '../base/bell.ts'
import type { BreakerName } from '../base/breaker.ts'
import type { DataType } from '../market/topics.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { Budget } from './budget.ts'
import type { SideTable } from './commit-flush.ts'
import type { Hold } from './hold.ts'
import type { DeadLetter, Gap } from './intake.ts'
import type { TopicStream } from './places.ts'
import type { StreamTable } from '../market/stream-table.ts'
import type { WriterOptions, WriterStep } from './writer-options.ts'

export interface TableTotals {
  /** Taken from the log. */
  messages: number
  /** In the table, or dropped, or set aside, with commits that landed. */
  rows: number
  commits: number
  deadLetters: number
  duplicates: number
  gaps: number
  outOfOrder: number
}

export interface TableContext {
  table: DataType
  options: WriterOptions
  budget: Budget
  stream: StreamTable
  sides: { deadLetters: SideTable<DeadLetter>; gaps: SideTable<Gap> }
  streams: Map<string, TopicStream>
  hold: Hold
  /** How far the log was in the table when its topics were opened. */
  said: OffsetVector
  onWaiting: (server: BreakerName, error: unknown) => void
  /** Rings when there is something to look at for the flush. */
  changed: Bell
  /** Rings when what was held has gone into a flush. */
  drained: Bell
  /** Aborts when nothing more is to be read. */
  reading: AbortSignal
  /** Aborts when somebody waits for the end: what is not taken in yet stays in the log. */
  leaving: AbortSignal
  /** Aborts when everything is to be left as it is. */
  dying: AbortSignal
  /** Reads no more, and lets the rest be committed. */
  finish: () => void
  /** When the oldest message came that is in no flush; undefined when there is none. */
  oldestMs: number | undefined
  /** Messages taken in since the last drain. */
  heldMessages: number
  /** Rows drained that are in no commit. */
  rowsInFlight: number
  totals: TableTotals
  step: (step: WriterStep) => void
}
