// The lake: its tables' snapshots, going back, and keeping it in order.
import { z } from 'zod'
import { call } from './capability.ts'
import { answer, batchOf, instant, limit, replaySession, topicOffsets, wantsReceipt } from './fields.ts'
import { TABLES, type ColumnSpec, type TableId, type TableSpec } from './tables.ts'

export const table = z.enum(Object.keys(TABLES) as [TableId]).describe('Table')
const snapshotName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'the id of a snapshot, or the name of a tag')
  .describe('A snapshot: its id, as `k2 lake snapshots` lists them, or a tag')

const CHANGE: ColumnSpec = {
  name: 'change',
  type: 'enum',
  required: true,
  about: 'Whether the row came or went',
  values: ['added', 'removed'],
}

const oneTable = table.default('trades')
const someTable = table.optional().describe('Only this table; all when left out')
const count = z.int().min(0)
const replaySessionOf = { replay_session: replaySession.optional() }

const snapshotRow = z.strictObject({
  snapshot_id: z.string(),
  committed_at: instant,
  operation: z.enum(['append', 'replace', 'overwrite', 'delete']),
  total_rows: count.nullable(),
  added_rows: count,
  deleted_rows: count,
  refs: z.array(z.string()).describe('Branches and tags that point here'),
  total_files: count.nullable(),
  added_files: count,
  deleted_files: count,
  valid_through: instant.nullable().describe('Every record up to here is in it'),
  sequence_number: count,
  parent_id: z.string().nullable(),
  commit_id: z.string().nullable(),
  offsets: z.array(topicOffsets).nullable().describe('How far the log is in it; null for what other engines committed'),
})
export type SnapshotRow = z.input<typeof snapshotRow>

/** Rows of a difference: which way they went, and the row. */
const diffTables = Object.values(TABLES).map(({ name, columns }: TableSpec): TableSpec => ({
  name: `${name}_diff`,
  columns: [CHANGE, ...columns],
}))

export const difference = z.strictObject({ added: count, removed: count, rows: batchOf(...diffTables) })
export type Difference = z.infer<typeof difference>

const lakeErrors = ['NOT_FOUND', 'UNAVAILABLE', 'CORRUPT', 'FORBIDDEN', 'CONFLICT'] as const

export const lake = {
  'lake.init': call({
    summary: 'Create the tables that are not there yet',
    cli: { command: 'lake init' },
    input: z.strictObject({}),
    output: z.array(
      z.strictObject({ table, state: z.enum(['created', 'there']), rows: count, files: count, location: z.string() }),
    ),
    errors: lakeErrors,
  }),
  'snapshots.list': call({
    summary: 'The snapshots of a table, newest first',
    http: { method: 'GET', path: '/v1/snapshots' },
    cli: { command: 'lake snapshots', also: ['query snapshots'], defaults: { limit: 20 } },
    input: z.strictObject({ table: oneTable, limit: limit(100, 10_000), ...replaySessionOf }),
    output: answer(z.array(snapshotRow)),
    errors: lakeErrors,
  }),
  'snapshots.current': call({
    summary: 'The snapshot of a table that is current',
    http: { method: 'GET', path: '/v1/snapshots/current' },
    input: z.strictObject({ table: oneTable, ...replaySessionOf }),
    output: answer(snapshotRow),
    errors: [...lakeErrors, 'SNAPSHOT_NOT_FOUND'],
  }),
  'snapshots.diff': call({
    summary: 'The rows that came and went between two snapshots; rows that were only written anew are no difference',
    http: { method: 'GET', path: '/v1/snapshots/{a}/diff/{b}' },
    cli: { command: 'lake diff', positional: ['a', 'b'] },
    input: z.strictObject({
      a: snapshotName.describe('The earlier snapshot: its id or a tag'),
      b: snapshotName.describe('The later snapshot: its id or a tag'),
      table: oneTable,
      limit: limit(100, 10_000),
      offset: z.int().min(0).max(100_000_000).default(0).describe('How many rows to pass over'),
      ...replaySessionOf,
      receipt: wantsReceipt,
    }),
    output: answer(difference),
    errors: [...lakeErrors, 'SNAPSHOT_NOT_FOUND', 'TIMEOUT', 'PAYLOAD_TOO_LARGE'],
  }),
  'lake.tag': call({
    summary: 'Name a snapshot, so that it is kept for good; or take the name away',
    cli: { command: 'lake tag', positional: ['name'] },
    input: z.strictObject({
      table: oneTable,
      name: z
        .string()
        .regex(/^(?!\d+$)[A-Za-z0-9][\w.-]{0,99}$/, 'letters, digits, dot, dash and underscore, not digits alone')
        .describe('Name of the tag'),
      snapshot_id: snapshotName.optional().describe('The current one when left out'),
      remove: z.boolean().default(false).describe('Take the name away'),
    }),
    output: z.strictObject({ table, name: z.string(), snapshot_id: z.string().nullable() }),
    errors: [...lakeErrors, 'SNAPSHOT_NOT_FOUND'],
  }),
  'lake.rollback': call({
    summary: 'Make the table what it was at a snapshot, by a new snapshot; nothing is written twice afterwards',
    cli: { command: 'lake rollback', positional: ['snapshot_id'] },
    input: z.strictObject({
      table: oneTable,
      snapshot_id: snapshotName,
      reingest: z
        .boolean()
        .default(false)
        .describe('Go back in the log too: what came after is read from it and written again'),
    }),
    output: z.strictObject({
      table,
      snapshot_id: z.string(),
      rolled_back_to: z.string(),
      rows_before: count,
      rows_after: count,
      offsets: z.array(topicOffsets).nullable(),
    }),
    errors: [...lakeErrors, 'SNAPSHOT_NOT_FOUND'],
  }),
  'lake.compact': call({
    summary: 'Write small files together into sorted ones, partition by partition',
    cli: { command: 'lake compact' },
    input: z.strictObject({
      table: someTable,
      min_files: z.int().min(2).max(10_000).default(2).describe('Leave partitions with fewer small files as they are'),
    }),
    output: z.array(
      z.strictObject({
        table,
        partitions: count,
        files_before: count,
        files_after: count,
        rows: count,
        bytes_before: count,
        bytes_after: count,
        commits: count,
        snapshot_id: z.string().nullable().describe('The last commit; null when there was nothing to do'),
      }),
    ),
    errors: lakeErrors,
  }),
  'lake.expire': call({
    summary: 'Let go of snapshots beyond K2_SNAPSHOT_RETENTION, and of the files only they hold',
    cli: { command: 'lake expire' },
    input: z.strictObject({ table: someTable, dry_run: z.boolean().default(false).describe('Only say what would go') }),
    output: z.array(
      z.strictObject({
        table,
        snapshots_removed: count,
        snapshots_kept: count,
        files_removed: count,
        bytes_removed: count,
      }),
    ),
    errors: lakeErrors,
  }),
  'lake.orphans': call({
    summary: 'List files that no snapshot knows, as a crash leaves them; --remove takes them away',
    cli: { command: 'lake orphans' },
    input: z.strictObject({
      table: someTable,
      older_than_hours: z
        .number()
        .min(1)
        .max(24 * 365)
        .default(72)
        .describe('Younger files may belong to a commit that is under way'),
      remove: z.boolean().default(false).describe('Remove them'),
    }),
    output: z.array(
      z.strictObject({ table, file: z.string(), bytes: count, modified_at: instant, removed: z.boolean() }),
    ),
    errors: lakeErrors,
  }),
  'lake.verify': call({
    summary: 'Check that every file is there and says what the tables say of it',
    cli: { command: 'lake verify' },
    input: z.strictObject({
      table: someTable,
      quick: z.boolean().default(false).describe('Only look at metadata and sizes, do not read rows'),
    }),
    output: z.strictObject({
      status: z.enum(['sound', 'unsound']),
      tables: z.array(
        z.strictObject({ table, snapshots: count, manifests: count, files: count, rows: count, bytes: count }),
      ),
      problems: z.array(
        z.strictObject({ table, file: z.string().nullable(), snapshot_id: z.string().nullable(), problem: z.string() }),
      ),
    }),
    errors: lakeErrors,
  }),
}
