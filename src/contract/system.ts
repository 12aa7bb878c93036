// The program itself: is it well, what is it, what is it holding, how is it set.
import { z } from 'zod'
import { call } from './capability.ts'
import { instant } from './fields.ts'
import { table } from './lake.ts'
import { writerStatus } from './writer.ts'

const dependency = z.strictObject({
  name: z.string(),
  healthy: z.boolean(),
  latency_ms: z.number().nullable(),
  why: z.string().nullable(),
})

const tailStats = z.strictObject({
  is_running: z.boolean(),
  trouble: z
    .string()
    .nullable()
    .describe('Why it is not running, or which topics were deleted while it reads the others'),
  symbols_count: z.int(),
  total_messages: z.int().describe('Messages taken in since the start'),
  held_messages: z.int().describe('Messages held now'),
  buffer_minutes: z.number().describe('From the oldest held message to the newest'),
  bytes: z.int(),
  oldest: instant.nullable(),
  newest: instant.nullable(),
  rate_per_second: z.number().describe('Messages taken in a second, over the last seconds'),
  undecodable: z.int().describe('Messages that could not be read'),
  duplicates: z.int().describe('Messages dropped as repeats'),
  skipped: z.int().describe('Messages that the log no longer held when the tail came to them'),
  evicted_uncommitted: z.int().describe('Messages driven out by want of memory before they were in the tables'),
  partitions: z.array(
    z.strictObject({
      topic: z.string(),
      partition: z.int(),
      first_offset: z.string(),
      next_offset: z.string(),
      committed_offset: z
        .string()
        .nullable()
        .describe('Below it all is in the tables; null while nobody is known to write'),
      lag: z.int().describe('Messages in the log that the tail has not read yet'),
    }),
  ),
})
export type TailStats = z.infer<typeof tailStats>

export const tableStats = z.strictObject({
  table,
  rows: z.int(),
  files: z.int().describe('Data files'),
  bytes: z.int().describe('Of its data files'),
  snapshots: z.int().describe('How many are kept'),
  snapshot_id: z.string().nullable().describe('The current one; null where nothing was written yet'),
  committed_at: instant.nullable().describe('When it was committed'),
})
export type TableStats = z.infer<typeof tableStats>

const processStats = z.strictObject({
  name: z.string().describe('Which process'),
  pid: z.int(),
  resident_mb: z.number(),
  loop_delay_p99_ms: z.number().describe('Event-loop delay over the last ten seconds'),
  restarts: z.int(),
})

export const system = {
  'system.health': call({
    summary: 'Is everything well: log, registry, tables, tail and writer, each with its latency and what is wrong',
    http: { method: 'GET', path: '/health', open: true },
    cli: { command: 'doctor' },
    input: z.strictObject({}),
    output: z.strictObject({ status: z.enum(['healthy', 'unhealthy']), dependencies: z.array(dependency) }),
    errors: ['UNAVAILABLE'],
  }),
  'system.live': call({
    summary: 'Is the process alive',
    http: { method: 'GET', path: '/health/live', open: true },
    input: z.strictObject({}),
    output: z.strictObject({ status: z.literal('alive'), uptime_seconds: z.number() }),
  }),
  'system.about': call({
    summary: 'Which K2 this is',
    http: { method: 'GET', path: '/v1/about' },
    input: z.strictObject({}),
    output: z.strictObject({
      name: z.literal('K2 Workstation'),
      version: z.string(),
      environment: z.string(),
      started_at: instant,
      log: z.enum(['embedded', 'kafka']).describe('Where messages come from'),
    }),
  }),
  'stats.get': call({
    summary: 'What the tail and the tables hold, how far the writer is, and what the processes use',
    http: { method: 'GET', path: '/v1/stats' },
    cli: { command: 'query stats' },
    input: z.strictObject({}),
    output: z.strictObject({
      tail: z.strictObject({ trades: tailStats, quotes: tailStats }),
      tables: z.array(tableStats).nullable().describe('Of the tables there are; null while they cannot be asked'),
      writer: writerStatus.nullable().describe('Null while the writer does not answer'),
      processes: z.array(processStats),
    }),
    errors: ['UNAVAILABLE'],
  }),
  'config.get': call({
    summary: 'The effective configuration and where each value came from, secrets masked',
    cli: { command: 'config' },
    input: z.strictObject({}),
    output: z.array(
      z.strictObject({
        name: z.string(),
        value: z.string(),
        source: z.enum(['flag', 'environment', 'file', 'default']),
        about: z.string(),
      }),
    ),
  }),
}
