// Contract schemas as the JSON schemas of an OpenAPI document: rows of a table instead of its columns, each named once.
import { z } from 'zod'
import { batchTables, pagination, queryMeta, rowSchema } from '../../contract/fields.ts'
import type { FailureCode } from '../../contract/failure.ts'
import type { TableSpec } from '../../contract/tables.ts'
import type { JsonSchema } from './openapi-document.ts'

export type Schemas = ReturnType<typeof createSchemas>

/** Collects, under `named`, the schemas that others refer to. */
export function createSchemas() {
  const named: Record<string, JsonSchema> = {}

  function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const json = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        const tables = batchTables.get(zodSchema as unknown as z.ZodType)
        if (tables) Object.assign(jsonSchema, rowsOfTables(tables))
        simplify(jsonSchema as JsonSchema, io)
      },
    })
    delete json.$schema
    return json as JsonSchema
  }

  function refer(name: string, make: () => JsonSchema): JsonSchema {
    named[name] ??= make()
    return { $ref: `#/components/schemas/${name}` }
  }

  function meta(): JsonSchema {
    return refer('Meta', () => metaSchema)
  }

  function rowsOfTables(tables: readonly TableSpec[]): JsonSchema {
    const rows = tables.map(table => refer(rowName(table), () => schemaOf(rowSchema(table), 'output')))
    return { type: 'array', items: rows.length === 1 ? rows[0] : { anyOf: rows } }
  }

  return {
    named,
    schemaOf,
    meta,
    metaOfQuery: () => refer('MetaOfQuery', () => metaOfQuery(schemaOf(queryMeta, 'output'))),
    pagination: () => refer('Pagination', () => schemaOf(pagination, 'output')),
    failure(codes: readonly FailureCode[]): JsonSchema {
      const any = refer('Failure', () => failureSchema(meta()))
      return { allOf: [any, { properties: { error: { properties: { code: { enum: codes } } } } }] }
    },
  }
}

/** trades → TradesRow */
function rowName({ name }: TableSpec): string {
  return name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase()) + 'Row'
}

function simplify(json: JsonSchema, io: 'input' | 'output'): void {
  // Beyond exact doubles an input is refused; of an output these bounds say nothing.
  if (io === 'output' && json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum
  if (io === 'output' && json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum
  // Python's and Go's expressions have no classes of Unicode by this name.
  if (json.pattern) json.pattern = json.pattern.replaceAll('\\p{Cc}', '\\u0000-\\u001f\\u007f-\\u009f')
}

const metaSchema: JsonSchema = {
  type: 'object',
  properties: {
    correlation_id: { type: 'string', description: 'The id of the request, in logs too' },
    timestamp: { type: 'string', format: 'date-time', description: 'When it was answered, UTC with microseconds' },
  },
  required: ['correlation_id', 'timestamp'],
  additionalProperties: false,
}

function metaOfQuery(query: JsonSchema): JsonSchema {
  const { properties, required } = metaSchema
  return { ...metaSchema, properties: { ...properties, query }, required: [...required!, 'query'] }
}

function failureSchema(meta: JsonSchema): JsonSchema {
  return {
    type: 'object',
    properties: {
      success: { const: false },
      data: { description: 'The answer, where it is one: what /health found' },
      error: {
        type: 'object',
        properties: {
          code: { type: 'string', description: 'What kind of failure; programs go by this' },
          message: { type: 'string', description: 'What happened and what to do, for people' },
          details: { description: 'What else is known, by code; for INVALID_INPUT every field and its problem' },
          retryable: { type: 'boolean', description: 'Whether the same request can succeed later' },
        },
        required: ['code', 'message', 'retryable'],
        additionalProperties: false,
      },
      meta,
    },
    required: ['success', 'error', 'meta'],
    additionalProperties: false,
  }
}
