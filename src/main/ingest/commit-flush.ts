// The commits of one flush, in the order that makes a crash between any two of them harmless: what was set aside and what
// is missing first, the rows last. Each table says itself how far the log is in it, and what it has already is left out.
import type { ColumnBatch } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import { offsetIn, type OffsetVector } from '../market/topic-offsets.ts'
import type { Hold } from './hold.ts'
import type { DeadLetter, Gap } from './intake.ts'
import type { StagedRows, StreamCommit, StreamTable } from '../market/stream-table.ts'
import { isUnmoved, movedTo, notBehind, sameTopics, says } from './vectors.ts'

/** A table beside the rows, with how far the log is in it. */
export interface SideTable<T> {
  table: StreamTable
  vector: OffsetVector
  batchOf: (rows: readonly T[]) => ColumnBatch
}

export interface Flush {
  staged: readonly StagedRows[]
  deadLetters: readonly DeadLetter[]
  gaps: readonly Gap[]
  /** What the table said when the writer last looked. */
  from: OffsetVector
  to: OffsetVector
  /** As `to`, but past a gap that the stream stops at. */
  gapsTo: OffsetVector
  validThroughMicros?: number
}

export type CommitStep = 'dead_letters' | 'sequence_gaps' | 'committing' | 'committed'

export interface CommitOptions {
  table: StreamTable
  deadLetters: SideTable<DeadLetter>
  gaps: SideTable<Gap>
  hold: Hold
  onStep: (step: CommitStep) => void
}

export async function commitFlush(flush: Flush, options: CommitOptions): Promise<{ snapshotId: string | undefined }> {
  const { table, deadLetters, gaps, hold, onStep } = options
  const { staged, from, to, validThroughMicros } = flush
  try {
    if (await commitSide(flush.deadLetters, deadLetters, to, hold)) onStep('dead_letters')
    if (await commitSide(flush.gaps, gaps, flush.gapsTo, hold)) onStep('sequence_gaps')
    onStep('committing')
  } catch (error) {
    await discard(staged)
    throw error
  }
  const committed = await commitOnce(table, { staged, offsets: { from, to }, validThroughMicros }, hold)
  onStep('committed')
  return committed
}

async function commitSide<T extends { topic: string; partition: number; offset: number }>(
  rows: readonly T[],
  side: SideTable<T>,
  to: OffsetVector,
  hold: Hold,
): Promise<boolean> {
  const { table, vector, batchOf } = side
  const fresh = rows.filter(({ topic, partition, offset }) => {
    const life = to.find(own => own.topic === topic)!
    return offset >= (offsetIn(vector, life, partition) ?? 0)
  })
  if (fresh.length === 0) return false
  const moved = notBehind(vector, to)
  const staged = [await hold('s3', () => table.stage([batchOf(fresh)]))]
  await commitOnce(table, { staged, offsets: { from: sameTopics(moved, vector), to: moved } }, hold)
  side.vector = movedTo(vector, moved)
  return true
}

/**
 * One commit, whatever its server does meanwhile. When nobody knows how a try ended, the table is asked before the next:
 * it says `to` if it landed, `from` if it did not, and anything else if another writer was there.
 */
async function commitOnce(
  table: StreamTable,
  commit: StreamCommit,
  hold: Hold,
): Promise<{ snapshotId: string | undefined }> {
  const { from, to } = commit.offsets
  let isDoubtful = false
  try {
    return await hold('catalog', commitOrLook)
  } catch (error) {
    // What is given up may still be under way, and its files in the table in a moment.
    if (!isCancelled(error)) await discard(commit.staged)
    throw error
  }

  async function commitOrLook(): Promise<{ snapshotId: string | undefined }> {
    if (isDoubtful) {
      const now = await table.offsets()
      if (says(now, to)) return { snapshotId: undefined }
      if (!isUnmoved(now, from, to)) throw fenced(table.id, now, from)
    }
    try {
      return await table.commit(commit)
    } catch (error) {
      // After a try of unknown outcome, being fenced may be that try's own doing.
      if (isDoubtful && isFenced(error) && says(await table.offsets(), to)) return { snapshotId: undefined }
      isDoubtful ||= isOutcomeUnknown(error)
      throw error
    }
  }
}

/** What cannot be removed is an orphan, and what may be in a table is never removed. */
export async function discard(staged: readonly StagedRows[]): Promise<void> {
  await Promise.allSettled(staged.map(rows => rows.discard()))
}

export function isCancelled(error: unknown): boolean {
  return error instanceof Failure && error.code === 'CANCELLED'
}

export function isFenced(error: unknown): boolean {
  return error instanceof Failure && error.code === 'FENCED'
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof Failure && (error.details as { outcome?: string } | undefined)?.outcome === 'unknown'
}

function fenced(table: string, found: OffsetVector, expected: OffsetVector): Failure {
  const message = `Another writer has moved on the same partitions of ${table} while a commit was under way.`
  return new Failure('FENCED', `${message} Nothing more is written here.`, { details: { expected, found } })
}
