// Dead letters, tried again: what can be read by now becomes the row it should have been, at its old place in the log.
import { createIntake } from './ingest/take-in.ts'
import type { Reread } from './lake/stream/replay-letters.ts'
import { NONE, type LogBatch } from './market/log-batch.ts'
import type { OpenedLog } from './open-log.ts'
import { tableOfTopic } from './market/topics.ts'

type Letter = Parameters<Reread>[0][number]

export function rereadWith({ standardize, schemaOf }: Pick<OpenedLog, 'standardize' | 'schemaOf'>): Reread {
  return async (letters, signal) => {
    const rows: Awaited<ReturnType<Reread>>['rows'][number][] = []
    let stillBad = 0
    for (const topic of new Set(letters.map(letter => letter.topic))) {
      const table = tableOfTopic(topic)
      // Repeats are told by their place in the table: a letter is no repeat of anything in the log.
      const intake = createIntake({ table, topic, dedupeMinutes: 0, schemaOf })
      for (const letter of letters.filter(one => one.topic === topic))
        intake.take(await standardize(batchOf(letter), signal))
      const taken = intake.drain()
      stillBad += taken.deadLetters.length
      if (taken.rows.rowCount > 0) rows.push({ table, batch: taken.rows })
    }
    return { rows, stillBad }
  }
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
