// The contract as an OpenAPI 3.1 document: what scripts, generators and /docs read. Pure.
import type { Capability, Contract } from '../../contract/capability.ts'
import { createFailures, headers, success } from './openapi-answers.ts'
import type { Answer, JsonSchema, OpenApi, Operation, Parameter } from './openapi-document.ts'
import { createSchemas } from './openapi-schemas.ts'

export function openApi(contract: Contract, { version }: { version: string }): OpenApi {
  const schemas = createSchemas()
  const failures = createFailures(schemas)
  const paths: OpenApi['paths'] = {}
  for (const [name, capability] of Object.entries(contract)) {
    const { http } = capability
    if (!http) continue
    const method = http.method.toLowerCase() as 'get' | 'post'
    const others = Object.values(contract).filter(({ http: its }) => its?.also?.path === http.path)
    const errors = [...capability.errors, ...others.flatMap(other => other.errors)]
    const operation: Operation = {
      operationId: name,
      summary: capability.summary,
      tags: [name.split('.')[0]],
      ...(http.open && { security: [] }),
      ...inputOf(capability, {
        input: schemas.schemaOf(capability.input, 'input'),
        fileInput:
          capability.file && contract[capability.file]
            ? schemas.schemaOf(contract[capability.file].input, 'input')
            : undefined,
      }),
      responses: { 200: success(capability, schemas), ...failures.failuresOf({ ...capability, errors }) },
    }
    for (const other of others) addOther(operation, other)
    paths[http.path] = { ...paths[http.path], [method]: operation }
  }
  /** What the same address serves where another stream is asked for by its field of the query. */
  function addOther(operation: Operation, other: Capability): void {
    const { path, also } = other.http!
    // In words: among the parameters it would say that it goes together with them.
    operation.description = `With ?${also!.query}=… and no more than \`after\` it serves what ${path} does: ${other.summary}`
    const answer = operation.responses[200] as Answer
    for (const [type, { schema }] of Object.entries(success(other, schemas).content))
      answer.content[type] = { schema: { anyOf: [answer.content[type].schema, schema] } }
  }

  return {
    openapi: '3.1.0',
    info: { title: 'K2 Workstation', version, description },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes,
      parameters: { CorrelationId: correlationId },
      headers,
      responses: sorted(failures.named),
      schemas: sorted(schemas.named),
    },
  }
}

const description =
  'Market data of this machine: the last minutes and what is live. Decimals and 64-bit integers are strings, times ' +
  'are ISO 8601 in UTC with microseconds. Every answer is {success, data, meta} or {success: false, error, meta}; ' +
  '405 names the methods of a path in Allow. The same capabilities over WebSocket: /v1/ws. Metrics: /metrics.'

const securitySchemes = {
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'The key that K2 was started with: K2_API_KEY',
  },
}

const correlationId: Parameter = {
  name: 'X-Correlation-ID',
  in: 'header',
  required: false,
  description: 'An id for this request in answers and logs: up to 128 visible ASCII characters, else one is made',
  schema: { type: 'string' },
}

/** As `after`, whose place it takes. */
function lastEventId(after: JsonSchema): Parameter {
  const schema = { ...after }
  delete schema.description
  return {
    name: 'Last-Event-ID',
    in: 'header',
    required: false,
    description: 'The id of the last event that was received, in place of `after`: go on from there',
    schema,
  }
}

const asJson: JsonSchema = {
  type: 'string',
  enum: ['json'],
  default: 'json',
  description: 'What the rows are written as',
}

interface Inputs {
  input: JsonSchema
  /** Of the stream that serves the rows as a file. */
  fileInput: JsonSchema | undefined
}

/** What is in the path is a parameter there; the rest is in the query of a GET and in the body of a POST. */
function inputOf(
  { http, kind }: Capability,
  { input, fileInput }: Inputs,
): Pick<Operation, 'parameters' | 'requestBody'> {
  const { properties = {}, required = [] } = input
  const inPath = (field: string) => http!.path.includes(`{${field}}`)
  const inBody = (field: string) => http!.method === 'POST' && !inPath(field)
  const parameters = Object.entries(properties)
    .filter(([field]) => !inBody(field))
    .map(([field, schema]) => parameter(field, inPath(field) ? 'path' : 'query', required.includes(field), schema))
  const bodyOf = (schema: JsonSchema): JsonSchema => ({
    ...schema,
    properties: Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([field]) => inBody(field))),
    required: (schema.required ?? []).filter(inBody),
  })
  const body = fileInput
    ? { anyOf: [bodyOf({ ...input, properties: { ...properties, format: asJson } }), bodyOf(fileInput)] }
    : bodyOf(input)
  return {
    parameters: [
      ...parameters,
      { $ref: '#/components/parameters/CorrelationId' },
      ...(kind === 'stream' && properties.after ? [lastEventId(properties.after)] : []),
    ],
    ...(http!.method === 'POST' && {
      requestBody: { required: required.some(inBody), content: { 'application/json': { schema: body } } },
    }),
  }
}

function parameter(name: string, place: 'path' | 'query', required: boolean, json: JsonSchema): Parameter {
  const { description: about, ...schema } = json
  return {
    name,
    in: place,
    required: place === 'path' || required,
    ...(about && { description: about }),
    ...(schema.type === 'array' ? listInAddress(schema) : { schema }),
  }
}

/** Repeated, or with commas between the items: so that an item in an address has none. */
function listInAddress(schema: JsonSchema): Pick<Parameter, 'schema' | 'style' | 'explode'> {
  const items = { ...schema.items, allOf: [{ pattern: '^[^,]*$' }] }
  return { schema: { ...schema, items }, style: 'form', explode: true }
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
