// Where the log and the tables meet: what could not be written, and how far the writer is.
import { z } from 'zod'
import { call } from './capability.ts'
import { answer, instant, limit, topicName } from './fields.ts'
import { STREAM_ERRORS } from './writer.ts'

const partition = z.int().min(0).max(100_000)
const offset = z.int().min(0)

const deadLetterRow = z.strictObject({
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  detected_at: instant,
  reason: z.string(),
  error: z.string(),
  bytes: z.int().describe('Length of the message'),
})

const place = { topic: topicName, partition: partition.describe('Partition'), offset: offset.describe('Offset') }

export const offsets = {
  'deadLetters.list': call({
    summary: 'Messages that could not be written, newest first',
    cli: { command: 'ingest dlq list' },
    input: z.strictObject({
      topic: topicName.optional(),
      reason: z
        .string()
        .regex(/^[a-z_]{1,40}$/, 'a word such as undecodable')
        .optional()
        .describe('Only those with this reason'),
      limit: limit(100, 10_000),
    }),
    output: answer(z.array(deadLetterRow)),
    errors: ['UNAVAILABLE', 'NOT_FOUND', 'CORRUPT'],
  }),
  'deadLetters.show': call({
    summary: 'One of them, with its key and bytes',
    cli: { command: 'ingest dlq show', positional: ['topic', 'partition', 'offset'] },
    input: z.strictObject(place),
    output: z.strictObject({
      ...deadLetterRow.shape,
      key: z.string().nullable().describe('As text where it is text, else as base64'),
      text: z.string().nullable().describe('The message as text; null where it is none'),
      base64: z.string().nullable(),
    }),
    errors: ['UNAVAILABLE', 'NOT_FOUND', 'CORRUPT'],
  }),
  'deadLetters.replay': call({
    summary: 'Try them again; those that can be read now are written, and a repeat changes nothing',
    cli: { command: 'ingest dlq replay' },
    input: z
      .strictObject({
        topic: topicName.optional().describe('Only those of this topic'),
        partition: partition.optional().describe('Only this partition of the topic'),
        offset: offset.optional().describe('Only this one of the partition'),
      })
      .refine(({ topic, partition, offset }) => topic !== undefined || (partition ?? offset) === undefined, {
        path: ['topic'],
        error: 'is required with a partition or an offset, which every topic has',
      })
      .refine(({ partition, offset }) => partition !== undefined || offset === undefined, {
        path: ['partition'],
        error: 'is required with an offset, which every partition has',
      }),
    output: z.strictObject({ tried: z.int(), written: z.int(), already_there: z.int(), still_bad: z.int() }),
    errors: STREAM_ERRORS,
  }),
  'offsets.show': call({
    summary: 'How far the log is in the tables',
    cli: { command: 'ingest offsets show', positional: ['topic'] },
    input: z.strictObject({ topic: topicName.optional() }),
    output: z.array(
      z.strictObject({
        table: z.string(),
        topic: z.string(),
        partition: z.int(),
        next_offset: z.string(),
        earliest: z.string().nullable().describe('The oldest the log holds; null where it cannot be asked'),
        latest: z.string().nullable(),
        lag: z.int().nullable(),
        cluster: z.string(),
        epoch: z.string(),
      }),
    ),
    errors: ['UNAVAILABLE', 'NOT_FOUND', 'CORRUPT'],
  }),
  'offsets.set': call({
    summary: 'Say where the writer goes on in a partition',
    cli: { command: 'ingest offsets set', positional: ['topic', 'partition', 'to'] },
    input: z.strictObject({
      topic: topicName,
      partition: partition.describe('Partition'),
      to: z
        .string()
        .regex(/^[\w:+. -]{1,40}$/, 'earliest, latest, an offset or a time')
        .describe('earliest, latest, an offset, or a time: the first message not older than it'),
    }),
    output: z.strictObject({
      table: z.string(),
      topic: z.string(),
      partition: z.int(),
      before: z.string().nullable(),
      next_offset: z.string(),
      snapshot_id: z.string(),
    }),
    errors: STREAM_ERRORS,
  }),
}
