// Passing over fields that nobody asked for, whatever their type. Text is not looked at, lengths and counts are.
import type { AvroType } from './avro-schemas.ts'
import { malformed, readBytes, readCount, readIndex, type Cursor } from './decode-primitives.ts'

export type ReadField = (cursor: Cursor, row: number) => void
export type Attributes = Readonly<Record<string, unknown>>

/** `{type: {type: 'string'}}` and `{type: ['null', …]}` mean what they contain. */
export function unwrap(type: AvroType): AvroType {
  if (typeof type === 'string' || Array.isArray(type) || typeof type.type === 'string') return type
  return unwrap(type.type)
}

export function typeName(type: Exclude<AvroType, AvroType[]>): string {
  return typeof type === 'string' ? type : type.type
}

/** Makes skippers for the types of one schema; it remembers named types, as a schema may refer to them later by name. */
export function createSkippers(): (type: AvroType) => ReadField {
  const named = new Map<string, ReadField>()

  function skipOf(type: AvroType): ReadField {
    const inner = unwrap(type)
    if (Array.isArray(inner)) return skipBranches(inner.map(skipOf))
    const attributes: Attributes = typeof inner === 'string' ? {} : inner
    const name = typeName(inner)
    switch (name) {
      case 'null':
        return () => {}
      case 'string':
      case 'bytes':
        return readBytes
      case 'int':
      case 'long':
        return skipVarint
      case 'boolean':
        return skipFixed(1)
      case 'float':
        return skipFixed(4)
      case 'double':
        return skipFixed(8)
      case 'array':
        return skipBlocks(skipOf(attributes.items as AvroType))
      case 'map':
        return skipBlocks(skipAll([readBytes, skipOf(attributes.values as AvroType)]))
      case 'enum':
        return remember(attributes, () => skipVarint)
      case 'fixed':
        return remember(attributes, () => skipFixed(Number(attributes.size)))
      case 'record':
        return remember(attributes, () =>
          skipAll((attributes.fields as { type: AvroType }[]).map(field => skipOf(field.type))),
        )
      default: {
        const known = named.get(name)
        if (!known) throw new TypeError(`There is no Avro type ${name}.`)
        return known
      }
    }
  }

  /** Known by its name before it is made, as a record may contain itself. */
  function remember({ name, namespace }: Attributes, make: () => ReadField): ReadField {
    let skip: ReadField = () => malformed('a type used before it is known')
    const late: ReadField = (cursor, row) => skip(cursor, row)
    named.set(String(name), late)
    named.set(`${String(namespace)}.${String(name)}`, late)
    skip = make()
    return skip
  }

  return skipOf
}

function skipVarint(cursor: Cursor): void {
  for (let bytes = 0; bytes < 10; bytes++) if (!(cursor.bytes[cursor.at++] > 0x7f)) return
  malformed('a number of more than 64 bits')
}

function skipFixed(size: number): ReadField {
  return cursor => void (cursor.at += size)
}

function skipAll(fields: readonly ReadField[]): ReadField {
  return (cursor, row) => {
    for (const skip of fields) skip(cursor, row)
  }
}

function skipBranches(branches: readonly ReadField[]): ReadField {
  return (cursor, row) => branches[readIndex(cursor, branches.length)](cursor, row)
}

function skipBlocks(skipItem: ReadField): ReadField {
  return (cursor, row) => {
    for (let count = readCount(cursor); count !== 0; count = readCount(cursor)) {
      for (; count > 0; count--) {
        const before = cursor.at
        skipItem(cursor, row)
        // Items of no bytes could be a million in a message of ten; what takes none now takes none ever.
        if (cursor.at === before) break
        if (cursor.at > cursor.end) malformed('a list beyond the end of the message')
      }
    }
  }
}
