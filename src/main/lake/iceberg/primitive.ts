// What the text of a primitive type says: `decimal(18, 8)` is a decimal of scale 8, `fixed[16]` has 16 bytes.
import type { PrimitiveType } from './schema.ts'

export type PrimitiveKind =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'decimal'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'string'
  | 'uuid'
  | 'fixed'
  | 'binary'

export interface Primitive {
  kind: PrimitiveKind
  /** Of decimals. */
  precision?: number
  scale?: number
  /** Of fixed, in bytes. */
  length?: number
}

const plain: ReadonlySet<string> = new Set([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'string',
  'uuid',
  'binary',
])
const known = new Map<PrimitiveType, Primitive | undefined>()

/** Undefined for a type of a later version of the specification, or none at all. */
export function primitiveOf(type: PrimitiveType): Primitive | undefined {
  // A table has few types, asked for again and again.
  if (!known.has(type) && known.size < 1000) known.set(type, parsed(type))
  return known.has(type) ? known.get(type) : parsed(type)
}

function parsed(type: PrimitiveType): Primitive | undefined {
  if (plain.has(type)) return { kind: type as PrimitiveKind }
  const decimal = /^decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)$/.exec(type)
  if (decimal) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  const fixed = /^fixed\[(\d{1,9})\]$/.exec(type)
  return fixed ? { kind: 'fixed', length: Number(fixed[1]) } : undefined
}
