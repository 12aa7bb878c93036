// Dead letters, tried again: what can be read by now becomes the row it should have been, at its old place in the log.
import { cellOf, type ColumnBatch } from '../../contract/columns.ts'
import type { Intake, TakenIn } from '../ingest/intake.ts'
import { createIntake } from '../ingest/take-in.ts'
import type { Reread } from '../lake/stream/replay-letters.ts'
import { NONE, type LogBatch } from '../market/log-batch.ts'
import type { OpenedLog } from './open-log.ts'
import { tableOfTopic } from '../market/topics.ts'

type Letter = Parameters<Reread>[0][number]

export interface RereadTools extends Pick<OpenedLog, 'standardize' | 'schemaOf'> {
  /** Of each company of a topic of reference data the last row that the table has from before this place in the log. */
  companiesBefore: (topic: string, partition: number, offset: number) => Promise<ColumnBatch>
}

export function rereadWith({ standardize, schemaOf, companiesBefore }: RereadTools): Reread {
  return async (letters, signal) => {
    const rows: Awaited<ReturnType<Reread>>['rows'][number][] = []
    let stillBad = 0
    for (const topic of new Set(letters.map(letter => letter.topic))) {
      const table = tableOfTopic(topic)
      // Repeats are told by the table: a letter was no repeat of anything in the log.
      const open = (companies?: ColumnBatch) => createIntake({ table, topic, dedupeMinutes: 0, schemaOf, companies })
      const ofTopic = letters.filter(one => one.topic === topic).sort(byPlace)
      const isGone = (letter: Letter) => table === 'reference_data' && letter.bytes === null && letter.key !== null
      const intake = open()
      for (const letter of ofTopic) if (!isGone(letter)) intake.take(await standardize(batchOf(letter), signal))
      note(intake.drain())
      for (const letter of ofTopic.filter(isGone)) note(await rereadTombstone(letter, ofTopic, open))

      function note(taken: TakenIn): void {
        stillBad += taken.deadLetters.length
        if (taken.rows.rowCount > 0) rows.push({ table, batch: taken.rows })
      }
    }
    return { rows, stillBad }

    /** As the company was before it: what the table says, or a letter of this very replay that comes after that. */
    async function rereadTombstone(
      letter: Letter,
      ofTopic: readonly Letter[],
      open: (companies: ColumnBatch) => Intake,
    ): Promise<TakenIn> {
      const { topic, partition, offset } = letter
      const companies = await companiesBefore(topic, partition, offset)
      const known = offsetOf(companies, String(letter.key))
      const intake = open(companies)
      for (const other of ofTopic) {
        const isBefore = other.partition === partition && other.offset > known && other.offset < offset
        if (isBefore && other.bytes && other.key?.equals(letter.key!))
          intake.take(await standardize(batchOf(other), signal))
      }
      // They are rows of their own, noted before.
      intake.drain()
      intake.take(await standardize(batchOf(letter), signal))
      return intake.drain()
    }
  }
}

function byPlace(a: Letter, b: Letter): number {
  return a.partition - b.partition || a.offset - b.offset
}

/** Of the row of a company; before all offsets where there is none. */
function offsetOf({ rowCount, columns }: ColumnBatch, companyId: string): number {
  for (let row = 0; row < rowCount; row++)
    if (cellOf(columns.company_id, row) === companyId) return Number(columns._offset.values[row])
  return -1
}

const NOTHING = Buffer.alloc(0)

function batchOf({ topic, partition, offset, key, bytes, logMicros }: Letter): LogBatch {
  const keyLength = key?.length ?? 0
  const nextOffset = offset + 1
  return {
    topic,
    partition,
    count: 1,
    nextOffset,
    latest: nextOffset,
    offsets: Float64Array.of(offset),
    timestamps: Float64Array.of(logMicros),
    bytes: Buffer.concat([key ?? NOTHING, bytes ?? NOTHING]),
    keyStarts: Int32Array.of(key ? 0 : NONE),
    keyEnds: Int32Array.of(key ? keyLength : NONE),
    starts: Int32Array.of(bytes ? keyLength : NONE),
    ends: Int32Array.of(bytes ? keyLength + bytes.length : NONE),
  }
}
