// The shape of the OpenAPI 3.1 document that K2 writes: as much of the format as it uses.

export interface JsonSchema {
  $ref?: string
  type?: string | string[]
  description?: string
  default?: unknown
  enum?: readonly unknown[]
  const?: unknown
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  anyOf?: JsonSchema[]
  allOf?: JsonSchema[]
  contentMediaType?: string
  contentSchema?: JsonSchema
}

export interface Reference {
  $ref: string
}

export interface Parameter {
  name: string
  in: 'query' | 'path' | 'header'
  required: boolean
  description?: string
  schema: JsonSchema
  style?: 'form'
  explode?: boolean
}

export interface Media {
  schema: JsonSchema
}

export interface Answer {
  description: string
  headers: Record<string, Reference>
  content: Record<string, Media>
}

export interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  /** Empty where no key is needed. */
  security?: never[]
  parameters: (Parameter | Reference)[]
  requestBody?: { required: boolean; content: Record<string, Media> }
  responses: Record<string, Answer | Reference>
}

export interface OpenApi {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string }
  servers: { url: string }[]
  security: Record<string, never[]>[]
  paths: Record<string, Partial<Record<'get' | 'post', Operation>>>
  components: {
    securitySchemes: Record<string, Record<string, string>>
    parameters: Record<string, Parameter>
    headers: Record<string, { description: string; schema: JsonSchema }>
    responses: Record<string, Answer>
    schemas: Record<string, JsonSchema>
  }
}

/** What a reference of the document stands for; anything else stands for itself. */
export function resolve<T extends object>(document: OpenApi, part: T | Reference): T {
  if (!('$ref' in part)) return part
  const path = part.$ref.slice('#/'.length).split('/')
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document) as T
}
