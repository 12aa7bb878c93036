// SQL over the tables, and its rows as files.
import { z } from 'zod'
import { call, stream } from './capability.ts'
import { isColumnBatch, type ColumnBatch } from './columns.ts'
import { answer, limit, pastState, replaySession, wantsReceipt } from './fields.ts'

/** What rows can be written as, beside the JSON of an answer. */
export const FILE_FORMATS = ['csv', 'ndjson', 'arrow', 'parquet'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]
export const fileFormat = z.enum(FILE_FORMATS).describe('What the rows are written as')
export const fileBytes = z.custom<Uint8Array>(value => value instanceof Uint8Array, 'bytes')

/** Rows whose columns are known only when they are there: columns on typed transports, objects over REST. */
export const anyRows = z
  .custom<ColumnBatch>(isColumnBatch, 'columns')
  .meta({ type: 'array', items: { type: 'object', additionalProperties: true } })

export const statement = {
  sql: z
    .string()
    .min(1)
    .max(65_536)
    // eslint-disable-next-line no-control-regex -- DuckDB takes a statement as ended there
    .regex(/^[^\u0000]*$/, 'no NUL')
    .describe(
      'One SELECT over trades, quotes, reference_data, sequence_gaps and dead_letters, or EXPLAIN of one; a table takes ' +
        "AT (VERSION => 'id or tag') and AT (TIMESTAMP => 'time'); notional(price, quantity) and vwap(price, quantity) are exact",
    ),
  params: z
    .array(z.union([z.string().max(32_768), z.number(), z.boolean(), z.null()]))
    .max(100)
    .default([])
    .describe('Values for ? or $1, $2, … in their order'),
  ...pastState,
  snapshot_id: pastState.snapshot_id.describe(
    'As the tables were at this snapshot: its id, or a tag; current for the newest, without what is not in the tables yet',
  ),
  live: z
    .boolean()
    .optional()
    .describe('With what the log has beyond the tables, as where no state of them is chosen; false leaves it out'),
  replay_session: replaySession.optional(),
}

export const sqlErrors = [
  'NOT_FOUND',
  'SNAPSHOT_NOT_FOUND',
  'PAYLOAD_TOO_LARGE',
  'UNAVAILABLE',
  'TIMEOUT',
  'CORRUPT',
  'FORBIDDEN',
] as const

export const sql = {
  'sql.run': call({
    summary: 'The rows of one read-only statement of SQL over the tables, as they are or were',
    http: { method: 'POST', path: '/v1/sql' },
    cli: { command: 'query sql', positional: ['sql'] },
    file: 'sql.export',
    input: z.strictObject({ ...statement, limit: limit(1_000, 100_000), receipt: wantsReceipt }),
    output: answer(anyRows),
    errors: sqlErrors,
  }),
  'sql.export': stream({
    summary: 'The rows of one statement as a file, however many they are',
    input: z.strictObject({
      ...statement,
      limit: z.int().min(1).optional().describe('How many rows at the most; all when left out'),
      format: fileFormat,
    }),
    output: fileBytes,
    errors: sqlErrors,
  }),
}
