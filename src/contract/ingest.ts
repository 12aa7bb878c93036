// Taking files in. Over the typed transports and the command line; not on REST, which only reads.
import { z } from 'zod'
import { stream } from './capability.ts'
import { exchange } from './fields.ts'
import { ASSET_CLASSES } from './tables.ts'

const path = z
  .string()
  .min(1, 'must not be empty')
  .max(4096, 'at most 4,096 characters')
  .regex(/^[^\0]*$/, 'must not hold a NUL character')
const timezone = z
  .string()
  .max(64, 'at most 64 characters')
  .regex(/^[A-Za-z0-9_+\-/]+$/, 'must be a name such as Australia/Sydney')

export const loadProgress = z.strictObject({
  file: z.string(),
  state: z.enum(['loading', 'loaded', 'skipped', 'failed']),
  rows: z.int().describe('Rows read so far; in the end, rows in the table'),
  bad_rows: z.int().describe('Rows that went to the dead letters'),
  bytes_read: z.int().describe('Of the file as it lies on the disk'),
  bytes_total: z.int(),
  rows_per_second: z.number(),
  seconds_left: z.number().nullable().describe('Of this file; null while it cannot be told'),
  snapshot_id: z.string().optional().describe('The Iceberg snapshot with its rows'),
  dead_letters: z.string().optional().describe('The file with its bad rows'),
  why: z.string().optional().describe('Why it was skipped or failed, and what to do'),
})
export type LoadProgress = z.infer<typeof loadProgress>

export const ingest = {
  'ingest.load': stream({
    summary: 'Load files into the tables, each whole or not at all, telling how far it is',
    cli: { command: 'ingest load', positional: ['files'] },
    input: z.strictObject({
      files: z
        .array(path)
        .min(1, 'must name a file or a folder')
        .max(10_000, 'at most 10,000; name the folder that holds them')
        .describe('Files and folders; of folders all .csv, .csv.gz, .csv.zst, .parquet and .arrow below'),
      type: z
        .enum(['trades', 'quotes', 'reference_data'])
        .optional()
        .describe('What they hold; told by their content when left out'),
      exchange: exchange.optional().describe('Exchange of the rows whose file does not say it'),
      asset_class: z
        .enum(ASSET_CLASSES)
        .optional()
        .describe('Asset class of the rows whose file does not say it; known from the exchange when left out'),
      format: z.enum(['auto', 'k2', 'asx-raw']).default('auto').describe('Form of CSV files'),
      to: z.enum(['lake', 'kafka']).default('lake').describe('Where the rows go'),
      dlq: path
        .optional()
        .describe('File for the rows that cannot be read, .csv or .jsonl; else FILE.dead.csv beside each file'),
      map: z
        .string()
        .max(2000, 'at most 2,000 characters')
        .regex(/^[^\0]*$/, 'must not hold a NUL character')
        .optional()
        .describe('Columns of Parquet and Arrow files that have other names: price=px,symbol=ticker'),
      timezone: timezone.optional().describe("Zone of times without an offset; else UTC, for asx-raw the exchange's"),
      reference: path.optional().describe('Reference file that names the companies of asx-raw files'),
      again: z.boolean().default(false).describe('Load also what was loaded before'),
    }),
    output: loadProgress,
    errors: ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'CORRUPT', 'UNAVAILABLE'],
  }),
}
