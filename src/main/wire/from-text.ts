// Text from an address or a command line as the values a schema asks for. What does not convert stays text,
// so that validation is what refuses it, naming the field and what is allowed.
import { z } from 'zod'

interface FieldSchema {
  type?: string | readonly string[]
  items?: FieldSchema
  anyOf?: readonly FieldSchema[]
}

const fieldsOf = new WeakMap<z.ZodType, Readonly<Record<string, FieldSchema>>>()

/** A list is written with commas, by repetition, or both; an empty text is an empty list. */
export function fromText(
  schema: z.ZodType,
  fields: Readonly<Record<string, string | readonly string[]>>,
): Record<string, unknown> {
  const known = knownFields(schema)
  const entries = Object.entries(fields).map(([name, text]) => [
    name,
    Object.hasOwn(known, name) ? convert(known[name], text) : text,
  ])
  return Object.fromEntries(entries) as Record<string, unknown>
}

function knownFields(schema: z.ZodType): Readonly<Record<string, FieldSchema>> {
  const cached = fieldsOf.get(schema)
  if (cached) return cached
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, FieldSchema>
  }
  const known = json.properties ?? {}
  fieldsOf.set(schema, known)
  return known
}

function convert(schema: FieldSchema, text: string | readonly string[]): unknown {
  const array = alternatives(schema).find(({ type }) => type === 'array')
  if (array) {
    const items = [text].flat().flatMap(part => (part === '' ? [] : part.split(',')))
    return items.map(item => convertOne(array.items ?? {}, item))
  }
  return typeof text === 'string' ? convertOne(schema, text) : text
}

function convertOne(schema: FieldSchema, text: string): unknown {
  for (const { type } of alternatives(schema)) {
    if (type === 'integer' && /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
    if (type === 'number' && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return Number(text)
    if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  }
  return text
}

function alternatives({ anyOf, ...schema }: FieldSchema): FieldSchema[] {
  if (anyOf) return anyOf.flatMap(alternatives)
  return typeof schema.type === 'object' ? schema.type.map(type => ({ ...schema, type })) : [schema]
}
