// The fields that capabilities share: names, limits and words are the same at every door.
import { z } from 'zod'
import { isColumnBatch, type ColumnBatch } from './columns.ts'
import { TAIL_TABLES, type ColumnSpec, type TableSpec, type TailTable } from './tables.ts'

// The page's CSP forbids eval; without this zod probes for it and the browser logs a violation.
z.config({ jitless: true })

export const symbol = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}]+$/u, 'no control characters')
  .describe('Instrument, as the exchange names it')
export const exchange = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[A-Za-z0-9._-]+$/, 'letters, digits, dot, dash and underscore')
  .describe('Exchange, matched without case')
export const limit = (fallback: number, max: number) =>
  z.int().min(1).max(max).default(fallback).describe('How many rows at the most')
export const windowMinutes = z.int().min(1).max(60).default(15).describe('How far back, in minutes')
export const dataType = z.enum(Object.keys(TAIL_TABLES) as [TailTable]).describe('Kind of data')
export const instant = z.iso.datetime({ precision: 6 }).describe('Time in UTC with microseconds')

const cellSchemas = {
  string: z.string(),
  enum: z.string(),
  timestamp: instant,
  decimal: z.string().regex(/^-?\d+(\.\d+)?$/),
  long: z.string().regex(/^-?\d+$/),
  int: z.int(),
  boolean: z.boolean(),
  date: z.iso.date(),
  bytes: z.base64(),
  list: z.array(z.string()),
  map: z.record(z.string(), z.string()),
} as const

/** How a JSON client sees one row; what OpenAPI says of it. */
export function rowSchema(table: TableSpec): z.ZodType {
  const shape = Object.fromEntries(table.columns.map(spec => [spec.name, cellSchema(spec)]))
  return table.mayLack ? z.strictObject(shape).partial() : z.strictObject(shape)
}

function cellSchema(spec: ColumnSpec): z.ZodType {
  const schema = spec.values ? z.enum(spec.values as [string]) : cellSchemas[spec.type]
  return (spec.required ? schema : schema.nullable()).describe(spec.about)
}

/** Which tables a schema's batches can be of; the REST side encodes and documents them as rows. */
export const batchTables = new WeakMap<z.ZodType, readonly TableSpec[]>()

/** Rows of a table as columns on every typed transport, as an array of objects over REST. */
export function batchOf(...tables: TableSpec[]) {
  const schema = z.custom<ColumnBatch>(isColumnBatch, `columns of ${tables.map(table => table.name).join(' or ')}`)
  batchTables.set(schema, tables)
  return schema
}

/** A time as people give it: without an offset it is UTC, a bare date its midnight. */
export const moment = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/,
    'a time such as 2014-03-10T09:30:00Z, or a date such as 2014-03-10',
  )
export const startTime = moment.describe('From this time on; UTC where no offset is given, a date is its midnight')
export const endTime = moment.describe('Before this time')
/** Which state of the tables: at most one of the two, the newest when both are left out. */
export const pastState = {
  snapshot_id: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'the id of a snapshot, or the name of a tag')
    .optional()
    .describe('As the table was at this snapshot: its id, or a tag'),
  as_of: moment.optional().describe('As the tables were at this time: the last snapshot committed at or before'),
}
export interface PastState {
  snapshot_id?: string
  as_of?: string
}

/** Where an earlier answer ended. */
export const cursor = z
  .string()
  .max(4_096)
  .regex(/^[\w-]+\.[\w-]+$/, 'the next_cursor of an earlier answer to the same query')
  .describe('Go on where an earlier answer to the same query ended: its next_cursor')

/** How far the log is in one topic's partitions, in one life of one log. */
export const topicOffsets = z.strictObject({
  cluster: z.string(),
  epoch: z.string(),
  topic: z.string(),
  next: z.record(z.string().regex(/^\d{1,10}$/), z.int().min(0)).describe('The next offset of each partition'),
})

/** What an answer can be had again by, to the letter. */
export const receipt = z.strictObject({
  snapshot: z
    .string()
    .regex(/^\d{1,20}$/, 'the id of a snapshot')
    .nullable()
    .describe('The snapshot of the table that it stands on'),
  offsets: z.array(topicOffsets).describe('How far the log is in it, where it has rows from beyond the snapshot'),
  query: z
    .strictObject({ name: z.string().max(100), input: z.record(z.string(), z.unknown()) })
    .describe('What was asked, with its times as they were then'),
  hash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .describe(
      'SHA-256 over lines of UTF-8, each ended by a line feed: the names of the columns as a JSON array, then each row ' +
        'as a JSON array of its values as this API answers them, without spaces, the keys of maps in order; of sql.run ' +
        'the lines of the rows sorted by their bytes; of objects a line of each, as JSON with its keys in order; ' +
        'of snapshots.diff such a line of its counts before those of its rows',
    ),
})
export type Receipt = z.infer<typeof receipt>
export const wantsReceipt = z.boolean().optional().describe('Answer with a receipt, by which the same can be had again')

export const replaySession = z
  .uuid()
  .describe('As this replay session sees it: its snapshot, and nothing from its clock on')

/** What of the tables an answer stands on, and whether it says so for good. */
export const standing = { replay_session: replaySession.optional(), ...pastState, receipt: wantsReceipt }

/** What part a source had in an answer. */
const sourceShare = z.strictObject({ rows: z.int(), ms: z.number() })

/** Where an answer came from, how fresh and how complete it is. Every query answers with one. */
export const queryMeta = z.strictObject({
  ms: z.number().describe('Milliseconds the engine took'),
  engine: z.enum(['tail', 'lake', 'hybrid', 'catalog']),
  snapshot_id: z.string().nullable().describe('The Iceberg snapshot read, if one was'),
  files: z
    .strictObject({ total: z.int(), pruned: z.int(), read: z.int() })
    .optional()
    .describe('Data files of the snapshot: how many there are, how many could not match, how many were read'),
  sources: z.strictObject({ tail: sourceShare.optional(), lake: sourceShare.optional() }),
  told_by: z
    .enum(['offsets', 'place'])
    .optional()
    .describe(
      'How rows of both sources were told apart: by the offsets of the snapshot; or each by its place in the log or ' +
        'its message id, as another engine has written to the table or offsets were set back',
    ),
  watermark: instant.nullable().describe('Time of the newest record that could be in the answer'),
  freshness_ms: z.number().nullable().describe('Age of the watermark'),
  receipt: receipt
    .nullable()
    .optional()
    .describe(
      'For `POST /v1/receipts`, if one was asked for; null where the answer cannot be had again, being partial',
    ),
  partial: z.boolean().describe('True when something that belongs in the answer could not be read'),
  why: z.string().nullable().describe('Why it is partial'),
  columns: z
    .array(z.strictObject({ name: z.string(), type: z.string() }))
    .optional()
    .describe('Of SQL: the columns in their order, with their types in DuckDB'),
})
export type QueryMeta = z.infer<typeof queryMeta>

export const pagination = z.strictObject({
  limit: z.int(),
  offset: z.int().optional(),
  next_cursor: z.string().nullable().optional(),
  has_more: z.boolean(),
  total: z.int().optional(),
})

/** The outputs made by `answer`; over REST their parts land in the envelope. */
export const answers = new WeakSet<z.ZodType>()

/** Data with its provenance. */
export function answer<D extends z.ZodType>(data: D) {
  const schema = z.strictObject({ data, query: queryMeta, pagination: pagination.optional() })
  answers.add(schema)
  return schema
}

export const topicName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,249}$/, 'letters, digits, dot, dash and underscore')
  .describe('Topic')
