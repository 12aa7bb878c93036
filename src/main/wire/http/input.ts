// The input of a capability out of a request: from the address for GET, from the body for POST, and from the path.
import type { FastifyRequest } from 'fastify'
import type { Capability } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import { fromText } from '../from-text.ts'

export function inputOf({ input, http }: Capability, request: FastifyRequest): unknown {
  const path = request.params as Record<string, string>
  const query = request.query as Record<string, string | string[]>
  if (http!.method === 'GET') return { ...fromText(input, query), ...inPath(input, path, query) }
  const [misplaced] = Object.keys(query)
  if (misplaced !== undefined)
    throw new Failure('INVALID_INPUT', `${misplaced}: this route takes its fields in a JSON body, not in the address.`)
  const { body = {} } = request
  if (!isObject(body)) throw new Failure('INVALID_INPUT', 'The body must be a JSON object.')
  return { ...body, ...inPath(input, path, body) }
}

/** At the address of another stream, where what it is of has a name of its own. */
export function inputOfOther({ input, http }: Capability, { query: given }: FastifyRequest): unknown {
  const { query, field } = http!.also!
  const { [query]: of, ...others } = given as Record<string, string | string[]>
  if (Object.hasOwn(others, field)) throw new Failure('INVALID_INPUT', `${field}: is given as ${query} already.`)
  return { ...fromText(input, others), ...fromText(input, { [field]: of }) }
}

function inPath(schema: Capability['input'], path: Record<string, string>, others: object): Record<string, unknown> {
  for (const name of Object.keys(path))
    if (Object.hasOwn(others, name)) throw new Failure('INVALID_INPUT', `${name}: is given by the path already.`)
  return fromText(schema, path)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
