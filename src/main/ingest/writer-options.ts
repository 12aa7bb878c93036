// What the writer is made of: seams, settings, and whoever wants to hear of what it does.
import type { ColumnBatch } from '../../contract/columns.ts'
import type { TableId } from '../../contract/tables.ts'
import type { Breaker, BreakerName } from '../base/breaker.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { MessageLog } from '../log/message-log.ts'
import type { DayOf } from '../market/exchanges.ts'
import type { OffsetVector } from '../market/topic-offsets.ts'
import type { Standardize } from '../market/standard-batch.ts'
import type { DataType } from '../market/topics.ts'
import type { CommitStep } from './commit-flush.ts'
import type { TopicChoice } from './choose-topics.ts'
import type { StopPolicy } from './cut-off.ts'
import type { DeadLetter, Gap, Intake } from './intake.ts'
import type { TopicTimes } from './sample-times.ts'
import type { LastSequence, StreamTable } from '../market/stream-table.ts'

export interface WriterSettings extends TopicChoice, StopPolicy {
  batchSize: number
  batchSeconds: number
  /** Between two commits of a table at least. */
  commitEveryMs: number
  dedupeMinutes: number
  /** The window of repeats holds no more of a partition's messages than these. */
  dedupeRows: number
  /** Ends after so many messages. */
  maxMessages?: number
  /** `{data_type}` stands for the table. */
  group: string
  /** When another one writes the same topics: leave it to them, or fail. */
  whenFenced: 'follow' | 'fail'
  /** How often it is looked for topics that are new. */
  lookEveryMs: number
  /** Waits between tries of what failed. */
  retryFirstMs?: number
  retryMostMs?: number
}

/** Of one topic: what a repeat or a gap is never depends on another one. */
export interface IntakeOptions {
  table: DataType
  topic: string
  dedupeMinutes: number
  dedupeRows: number
  /** Where sequences are in the table. */
  lastSequences: readonly LastSequence[]
}

export interface Lease {
  /** Resolves with why when somebody else may write. */
  lost: Promise<Error>
  release: () => Promise<void>
}

export interface Committed {
  table: DataType
  rows: number
  messages: number
  deadLetters: number
  duplicates: number
  outOfOrder: number
  resets: number
  gaps: number
  elapsedMs: number
  validThroughMicros: number | undefined
  /** Of some of the rows, when they happened. */
  times: readonly TopicTimes[]
  /** How far the log is in the table now. */
  offsets: OffsetVector
}

/** Told of what happens; must not throw. */
export interface WriterEvents {
  onTaken?: (taken: { topic: string; messages: number }) => void
  onCommit?: (committed: Committed) => void
  onDeadLetters?: (letters: readonly DeadLetter[]) => void
  onGap?: (gap: Gap) => void
  onFailed?: (failed: { table: DataType; error: unknown }) => void
}

/** Where a test may end a writer: what it throws there ends a table's stream as a crash would, without another commit. */
export type WriterStep = 'taken' | 'staged' | CommitStep | 'noted'

export interface WriterOptions {
  log: MessageLog
  standardize: Standardize
  tables: (id: TableId) => StreamTable
  /** May look into the tables first. */
  openIntake: (options: IntakeOptions) => Promise<Intake> | Intake
  sideRows: {
    deadLetters: (letters: readonly DeadLetter[]) => ColumnBatch
    gaps: (gaps: readonly Gap[]) => ColumnBatch
  }
  dayOf: DayOf
  breakers: Readonly<Record<BreakerName, Breaker>>
  /** Left out where nobody else can write. It only spares work: what guarantees is that a table says where it is. */
  acquireLease?: (table: DataType, topics: readonly string[]) => Promise<{ held: Lease } | { heldBy: string }>
  clock: Clock
  logger: Pick<Log, 'info' | 'warn' | 'error'>
  events?: WriterEvents
  settings: WriterSettings
  onStep?: (step: WriterStep, table: DataType) => void
}
