// Tries messages again that were set aside: those that can be read now are written, each once however often this is done.
import type { ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { TableId } from '../../../contract/tables.ts'
import { commitChange } from '../commit/commit-change.ts'
import { rowsIn } from '../iceberg/data-file.ts'
import { headOf } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import { stageBatches } from '../write/stage-batches.ts'
import { streamLetters, type Letter, type LetterFilter } from './dead-letters.ts'
import { leaveOutRepeats } from './known-repeats.ts'
import { leaveOutKnown } from './known-rows.ts'

/** Decodes messages again; rows carry their place in the log. */
export type Reread = (
  letters: readonly Letter[],
  signal?: AbortSignal,
) => Promise<{ rows: readonly { table: TableId; batch: ColumnBatch }[]; stillBad: number }>

export interface Replayed {
  tried: number
  written: number
  already_there: number
  still_bad: number
}

/** Of the snapshot that has rows of a replay: how many. No stream's offsets move with it. */
export const REPLAYED_KEY = 'k2.replayed'

/** Others commit meanwhile, a stream once a second. */
const MOST_TRIES = 20

export interface Replaying {
  reread: Reread
  /** Within which a message that is the same to the letter is a repeat; 0 for none. */
  windowMicros: number
}

export async function replayLetters(
  lake: Lake,
  filter: LetterFilter,
  { reread, windowMicros }: Replaying,
  signal?: AbortSignal,
): Promise<Replayed> {
  const done: Replayed = { tried: 0, written: 0, already_there: 0, still_bad: 0 }
  for await (const letters of streamLetters(lake, filter, signal)) {
    const seen = new Set<string>()
    const fresh = letters.filter(letter => isFirst(seen, letter))
    const { rows, stillBad } = await reread(fresh, signal)
    done.tried += fresh.length
    done.still_bad += stillBad
    for (const { table, batch } of rows) {
      if (batch.rowCount === 0) continue
      const { written, known } = await writeOnce(lake, table, { batch, windowMicros }, signal)
      done.written += written
      done.already_there += known
    }
  }
  return done
}

function isFirst(seen: Set<string>, { topic, partition, offset, logMicros }: Letter): boolean {
  const place = `${topic} ${partition} ${offset} ${logMicros}`
  if (seen.has(place)) return false
  seen.add(place)
  return true
}

/** What is in the table is looked up for the very snapshot that the commit is made on, so that two replays write once. */
async function writeOnce(
  lake: Lake,
  id: TableId,
  { batch, windowMicros }: { batch: ColumnBatch; windowMicros: number },
  signal: AbortSignal | undefined,
): Promise<{ written: number; known: number }> {
  await lake.ensure(id)
  const table = lake.table(id)
  for (let tries = 1; ; tries++) {
    const { metadata } = await table.load(signal)
    const ofPlace = await leaveOutKnown(lake, id, { metadata, batch }, signal)
    const ofContent = await leaveOutRepeats(lake, id, { metadata, batch: ofPlace.batch, windowMicros }, signal)
    const [missing, known] = [ofContent.batch, ofPlace.known + ofContent.known]
    if (missing.rowCount === 0) return { written: 0, known }
    const added = await stage(lake, id, metadata, missing, signal)
    const head = headOf(metadata)?.['snapshot-id']
    try {
      await commitChange(table, {
        operation: 'append',
        added,
        summary: { [REPLAYED_KEY]: String(rowsIn(added)) },
        refuse(now) {
          if (headOf(now)?.['snapshot-id'] !== head) throw overtaken(id)
        },
      })
      return { written: missing.rowCount, known }
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'CONFLICT') || tries >= MOST_TRIES) throw error
    }
  }
}

async function stage(
  lake: Lake,
  id: TableId,
  metadata: Awaited<ReturnType<ReturnType<Lake['table']>['load']>>['metadata'],
  batch: ColumnBatch,
  signal: AbortSignal | undefined,
) {
  const connection = await lake.duck.connect()
  try {
    const { io, definition } = lake.table(id)
    const specId = metadata['partition-specs'][0]['spec-id']
    return await stageBatches({ connection, io, metadata, specId, spec: definition.spec, batches: [batch], signal })
  } finally {
    connection.closeSync()
  }
}

function overtaken(id: TableId): Failure {
  return new Failure(
    'CONFLICT',
    `Others committed to ${id} all the while. What was replayed before stays written; try the rest again.`,
    { retryable: true },
  )
}
