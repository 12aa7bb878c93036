// Avro schemas of other writers, made ready for reading: names replaced by what they name, fields found by field id.
import { createBoundedCache } from '../../base/bounded-cache.ts'
import type { AvroType } from '../../market/avro-schemas.ts'
import { malformed, readIndex, type Cursor } from '../../market/decode-primitives.ts'
import { createSkippers, typeName, unwrap, type Attributes } from '../../market/decode-skip.ts'

/** Reads one field's value and puts it where it belongs. */
export type Step<T> = (cursor: Cursor, target: T) => void
/** What to do with a field, by its id; all others are passed over. */
export type StepsById<T> = Readonly<Record<number, (type: AvroType) => Step<T>>>

const MOST_DEEP = 32
const MOST_SCHEMA_TEXT = 1e6
const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])

/**
 * What `prepare` makes of a schema, and of what else decides about it, is made once: the files of a table share theirs.
 */
export function preparedSchemas<T, O>(prepare: (schema: AvroType, others: O) => T): (text: string, others: O) => T {
  const prepared = createBoundedCache<{ bytes: number; made: T }>(MOST_SCHEMA_TEXT)
  return (text, others) => {
    const key = text + JSON.stringify(others)
    const known = prepared.get(key)
    if (known) return known.made
    const made = prepare(resolveNames(JSON.parse(text) as AvroType), others)
    prepared.put(key, { bytes: key.length, made })
    return made
  }
}

/** A type may be defined once and named later; Iceberg's own schemas never contain themselves. */
function resolveNames(schema: AvroType): AvroType {
  const named = new Map<string, AvroType>()
  const resolve = (type: AvroType, depth: number): AvroType => {
    if (depth > MOST_DEEP) malformed('a schema nested too deep')
    const inner = unwrapped(type)
    if (Array.isArray(inner)) return inner.map(branch => resolve(branch, depth + 1))
    if (typeof inner === 'string') {
      if (primitives.has(inner)) return inner
      return named.get(inner) ?? malformed(`a schema that names ${inner} without saying what it is`)
    }
    const made = { ...inner } as Record<string, unknown> & { type: string }
    if (inner.type === 'array') made.items = resolve(inner.items as AvroType, depth + 1)
    if (inner.type === 'map') made.values = resolve(inner.values as AvroType, depth + 1)
    if (inner.type === 'record')
      made.fields = fieldsOf(inner).map(field => ({ ...field, type: resolve(field.type, depth + 1) }))
    if (typeof inner.name === 'string') {
      named.set(inner.name, made)
      if (typeof inner.namespace === 'string') named.set(`${inner.namespace}.${inner.name}`, made)
    }
    return made
  }
  return resolve(schema, 0)
}

function unwrapped(type: AvroType): AvroType {
  if (typeof type === 'string' || Array.isArray(type)) return type
  if (typeof type !== 'object' || (type as unknown) === null) malformed('a schema that is none')
  const inner = type as { type: unknown }
  if (typeof inner.type === 'object' && inner.type !== null) return unwrapped(inner.type as AvroType)
  if (typeof inner.type !== 'string') malformed('a schema without a type')
  return primitives.has(inner.type) && !('logicalType' in inner) ? inner.type : type
}

interface AvroFieldById {
  name: string
  type: AvroType
  'field-id'?: number
}

export function fieldsOf(type: AvroType): AvroFieldById[] {
  const { fields } = attributesOf(type)
  if (typeNameOf(type) !== 'record' || !Array.isArray(fields)) malformed('a schema that is not a record')
  return fields as AvroFieldById[]
}

export function attributesOf(type: AvroType): Attributes {
  const inner = unwrap(type)
  return typeof inner === 'string' || Array.isArray(inner) ? {} : inner
}

/** `union` for a choice of types. */
export function typeNameOf(type: AvroType): string {
  const inner = unwrap(type)
  return Array.isArray(inner) ? 'union' : typeName(inner)
}

/** All fields of a record in the writer's order, wanted or not. Without one of `required` it is not what it claims to be. */
export function recordStep<T>(type: AvroType, steps: StepsById<T>, required: readonly number[]): Step<T> {
  const fields = fieldsOf(type)
  for (const id of required) {
    if (!fields.some(field => field['field-id'] === id)) malformed(`it has no field of id ${id}`)
  }
  const all = fields.map(({ type: fieldType, 'field-id': id }) => {
    const make = id === undefined ? undefined : steps[id]
    return make ? make(fieldType) : skipStep(fieldType)
  })
  return (cursor, target) => {
    for (const step of all) step(cursor, target)
    if (cursor.at > cursor.end) malformed('it is cut off')
  }
}

function skipStep(type: AvroType): Step<unknown> {
  const skip = createSkippers()(type)
  return cursor => skip(cursor, 0)
}

/** A union with null, or what cannot be null; `make` is for the other branches. */
export function nullable<T>(make: (type: AvroType) => Step<T>): (type: AvroType) => Step<T> {
  return type => {
    const inner = unwrap(type)
    if (!Array.isArray(inner)) return inner === 'null' ? () => {} : make(inner)
    const branches = inner.map(branch => (branch === 'null' ? () => {} : make(branch)))
    return (cursor, target) => branches[readIndex(cursor, branches.length)](cursor, target)
  }
}

/** Refuses a writer's type that does not hold what the field is for. */
export function expectType(type: AvroType, ...names: string[]): void {
  if (!names.includes(typeNameOf(type))) malformed(`a field is ${typeNameOf(type)} where ${names.join(' or ')} is due`)
}
