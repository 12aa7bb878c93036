// Topics of the log: what market data is called there, and making it.
import { z } from 'zod'
import { call } from './capability.ts'

const topicRow = z.strictObject({
  topic: z.string(),
  state: z.enum(['created', 'there', 'missing']),
  partitions: z.int().nullable(),
  messages: z.int().nullable().describe('Messages held, as far as offsets tell'),
  subject: z.string().describe('Its subject in the Schema Registry'),
  schema_id: z.int().nullable().describe('Of the newest schema registered for it; null without a registry'),
  compatibility: z.string().nullable(),
  why: z.string().nullable().describe('Why something that was asked for is not set'),
})

export const topics = {
  'topics.init': call({
    summary: 'Create the topics that are missing, and register their schemas',
    cli: { command: 'topics init' },
    input: z.strictObject({
      retention: z
        .string()
        .regex(/^\d+(ms|s|m|h|d)$/, 'a number with ms, s, m, h or d')
        .optional()
        .describe('How long new topics keep messages, 1m to 36500d; 7d when left out'),
      replication: z
        .int()
        .min(1)
        .max(99)
        .optional()
        .describe('Copies of each partition of new topics; 1 when left out'),
      partitions: z.int().min(1).max(10_000).optional().describe("Partitions; the exchange's own number when left out"),
    }),
    output: z.array(topicRow),
    errors: ['UNAVAILABLE', 'TIMEOUT', 'CONFLICT', 'UNAUTHORIZED', 'FORBIDDEN'],
  }),
  'topics.list': call({
    summary: 'The topics of market data in the log',
    cli: { command: 'topics list' },
    input: z.strictObject({}),
    output: z.array(topicRow),
    errors: ['UNAVAILABLE', 'TIMEOUT', 'UNAUTHORIZED', 'FORBIDDEN'],
  }),
}
