// Results of SQL that the engine holds, so that a grid asks for windows of one: some rows from a place on, sorted and
// filtered by the engine.
import { z } from 'zod'
import { call, stream } from './capability.ts'
import type { CellType } from './columns.ts'
import { queryMeta } from './fields.ts'
import { anyRows, fileBytes, fileFormat, sqlErrors, statement } from './sql.ts'

const result = z.uuid().describe('The result, as it was opened')
const column = z.string().min(1).max(1_000).describe('A column of the result, as it is called there')

const CELL_TYPES = [
  'string',
  'enum',
  'timestamp',
  'decimal',
  'long',
  'int',
  'boolean',
  'date',
  'bytes',
  'list',
  'map',
  'double',
] as const satisfies readonly CellType[]

const WITHOUT_VALUE = ['is_null', 'is_not_null'] as const
const WITH_VALUE = ['=', '!=', '<', '<=', '>', '>=', 'contains', 'starts_with'] as const
const operator = z
  .enum([...WITH_VALUE, ...WITHOUT_VALUE])
  .describe('contains and starts_with are of texts and take no heed of case; the others do')

const value = z
  .union([
    z
      .string()
      .max(32_768)
      // eslint-disable-next-line no-control-regex -- no text of DuckDB has one
      .regex(/^[^\u0000]*$/, 'no NUL'),
    z.number(),
    z.boolean(),
  ])
  .describe('What to compare with; a number that is to be exact is given as text')

const condition = z
  .strictObject({ column, op: operator, value: value.optional() })
  .refine(({ op, value }) => (value === undefined) === WITHOUT_VALUE.some(without => without === op), {
    message: 'needs a value to compare with, but for is_null and is_not_null, which take none',
    path: ['value'],
  })

const order = {
  sort: z
    .array(z.strictObject({ column, descending: z.boolean().default(false) }))
    .max(4)
    .default([])
    .describe('In the order of the statement when left out, and where rows are equal; nulls come last'),
  filter: z.array(condition).max(16).default([]).describe('Rows that meet all of them'),
}

export const results = {
  'results.open': call({
    summary: 'Run one statement and hold its rows, so that they can be asked for window by window',
    input: z.strictObject(statement),
    output: z.strictObject({
      result,
      row_count: z.int(),
      columns: z.array(z.strictObject({ name: z.string(), type: z.enum(CELL_TYPES) })),
      is_truncated: z.boolean().describe('The statement has more rows than are held'),
      advice: z.string().nullable().describe('What to do to have all rows, when they are not all held'),
      query: queryMeta,
    }),
    errors: sqlErrors,
  }),
  'results.window': call({
    summary: 'Some rows of a result that is held, from a place on',
    input: z.strictObject({
      result,
      first: z.int().min(0).describe('How many rows come before it, sorted and filtered'),
      count: z.int().min(1).max(10_000),
      ...order,
    }),
    output: z.strictObject({
      rows: anyRows,
      first: z.int(),
      row_count: z.int().describe('How many rows meet the filter'),
    }),
    errors: ['NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'UNAVAILABLE', 'TIMEOUT'],
  }),
  'results.export': stream({
    summary: 'The rows of a result that is held as a file, sorted and filtered as its windows are',
    input: z.strictObject({ result, ...order, format: fileFormat }),
    output: fileBytes,
    errors: ['NOT_FOUND', 'UNAVAILABLE', 'TIMEOUT'],
  }),
  'results.close': call({
    summary: 'Let go of a result',
    input: z.strictObject({ result }),
    output: z.strictObject({ result, closed: z.boolean().describe('False when it was not held') }),
  }),
}
