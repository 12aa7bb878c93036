// What a route may answer, for OpenAPI: its success, and by status the failures of it and of any route.
import type { z } from 'zod'
import type { Capability } from '../../contract/capability.ts'
import { failureCodes, type FailureCode } from '../../contract/failure.ts'
import { answers } from '../../contract/fields.ts'
import { FILE_TYPES } from './http/send-file.ts'
import type { Answer, JsonSchema, OpenApi, Reference } from './openapi-document.ts'
import type { Schemas } from './openapi-schemas.ts'

export const headers: OpenApi['components']['headers'] = {
  CorrelationId: { description: 'The id of the request in logs', schema: { type: 'string' } },
  RateLimitLimit: { description: 'Requests a minute for this caller', schema: { type: 'integer' } },
  RateLimitRemaining: { description: 'Requests left in this minute', schema: { type: 'integer' } },
  RateLimitReset: { description: 'Seconds until the minute ends', schema: { type: 'integer' } },
  RetryAfter: { description: 'Seconds to wait', schema: { type: 'integer' } },
}

export function success(capability: Capability, schemas: Schemas): Answer {
  const { kind, output } = capability
  if (kind === 'stream')
    return {
      description: 'Server-Sent Events until one side ends them: a batch each, or `event: failure` and an end',
      headers: headersOf(capability),
      content: { 'text/event-stream': { schema: eventSchema(schemas.schemaOf(output, 'output')) } },
    }
  const parts = answers.has(output) ? (output as z.ZodObject<Record<'data' | 'query', z.ZodType>>).shape : undefined
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      success: { const: true },
      data: schemas.schemaOf(parts?.data ?? output, 'output'),
      meta: parts ? schemas.metaOfQuery() : schemas.meta(),
      ...(parts && { pagination: schemas.pagination() }),
    },
    required: ['success', 'data', 'meta'],
    additionalProperties: false,
  }
  const content = { 'application/json': { schema }, ...(capability.file && files) }
  return { description: 'The answer', headers: headersOf(capability), content }
}

const files = Object.fromEntries(
  Object.values(FILE_TYPES).map(type => [
    type.split(';', 1)[0],
    { schema: { type: 'string', ...(!type.startsWith('text/') && { format: 'binary' }) } },
  ]),
)

/** One event, as its fields. */
function eventSchema(batch: JsonSchema): JsonSchema {
  return {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'The cursor of the batch, to be given back as Last-Event-ID' },
      event: { type: 'string', description: '`failure` when the stream broke; its data is the error of a Failure' },
      data: { type: 'string', contentMediaType: 'application/json', contentSchema: batch },
    },
    required: ['data'],
  }
}

/** By status. Routes that fail alike share an answer among the components. */
export function createFailures(schemas: Schemas) {
  const named: Record<string, Answer> = {}

  function failuresOf(capability: Capability): Record<string, Reference> {
    const { open, method } = capability.http!
    const codes = new Set<FailureCode>(['INVALID_INPUT', 'FORBIDDEN', 'MISDIRECTED', 'INTERNAL', ...capability.errors])
    if (!open) codes.add('UNAUTHORIZED').add('RATE_LIMITED')
    if (method === 'POST') codes.add('PAYLOAD_TOO_LARGE').add('UNSUPPORTED_MEDIA_TYPE')
    const byStatus: Record<number, FailureCode[]> = {}
    for (const code of codes) (byStatus[failureCodes[code].status] ??= []).push(code)
    return Object.fromEntries(Object.entries(byStatus).map(([status, some]) => [status, refer(some, capability)]))
  }

  function refer(codes: FailureCode[], capability: Capability): Reference {
    const name = codes.join('_or_') + (isLimited(capability) ? '' : '_unlimited')
    named[name] ??= {
      description: codes.join(', '),
      headers: {
        ...headersOf(capability),
        ...(codes.includes('RATE_LIMITED') && { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } }),
      },
      content: { 'application/json': { schema: schemas.failure(codes) } },
    }
    return { $ref: `#/components/responses/${name}` }
  }
  return { named, failuresOf }
}

function headersOf(capability: Capability): Record<string, Reference> {
  const names = {
    'X-Correlation-ID': 'CorrelationId',
    ...(isLimited(capability) && {
      'X-RateLimit-Limit': 'RateLimitLimit',
      'X-RateLimit-Remaining': 'RateLimitRemaining',
      'X-RateLimit-Reset': 'RateLimitReset',
    }),
  }
  return Object.fromEntries(
    Object.entries(names).map(([header, component]) => [header, { $ref: `#/components/headers/${component}` }]),
  )
}

function isLimited({ http }: Capability): boolean {
  return http!.path.startsWith('/v1/')
}
