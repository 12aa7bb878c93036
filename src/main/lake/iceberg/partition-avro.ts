// Partition values in manifests: their Avro types, how they are written, and how any writer's are read.
import type { AvroType } from '../../market/avro-schemas.ts'
import { malformed, readSize, type Cursor } from '../../market/decode-primitives.ts'
import { putByte, putBytes, putLong, putText, reserve, type ValueBuffer } from '../../market/value-buffer.ts'
import { attributesOf, fieldsOf, nullable, recordStep, typeNameOf, type Step, type StepsById } from './avro-schema.ts'
import { booleanAt, bytesAt, fixedAt, putBig, readBig, sizeOfFixed, textAt } from './avro-values.ts'
import type { PartitionColumn } from './partition.ts'
import { primitiveOf } from './primitive.ts'
import type { PrimitiveType, Value } from './schema.ts'
import { decodeValue, encodeUnscaled } from './single-value.ts'

const UUID_BYTES = 16

/** The field of a partition record. Avro's names are letters, digits and underscores; others keep theirs as an attribute. */
export function partitionField({ id, name, type = 'string' }: PartitionColumn): {
  name: string
  type: AvroType
  default: null
  'field-id': number
  'iceberg-field-name'?: string
} {
  const safe = safeName(name)
  const original = safe === name ? {} : { 'iceberg-field-name': name }
  return { name: safe, type: ['null', avroTypeOf(type, safe)], default: null, 'field-id': id, ...original }
}

function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_]/g, unit => `_x${unit.charCodeAt(0).toString(16).toUpperCase()}`)
  return /^[A-Za-z_]/.test(safe) ? safe : `_${safe}`
}

/** Fixed types need names that are not used twice, so they have their field's in them. */
function avroTypeOf(type: PrimitiveType, field: string): AvroType {
  const { kind, precision = 0, scale, length = 0 } = primitiveOf(type)!
  switch (kind) {
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'time':
      return { type: 'long', logicalType: 'time-micros' }
    case 'timestamp':
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': kind === 'timestamptz' }
    case 'decimal':
      return {
        type: 'fixed',
        size: bytesFor(precision),
        logicalType: 'decimal',
        precision,
        scale,
        name: `decimal_${field}`,
      }
    case 'uuid':
      return { type: 'fixed', size: UUID_BYTES, logicalType: 'uuid', name: `uuid_${field}` }
    case 'fixed':
      return { type: 'fixed', size: length, name: `fixed_${field}` }
    case 'binary':
      return 'bytes'
    default:
      return kind
  }
}

/** Bytes that hold every decimal of so many digits. */
function bytesFor(precision: number): number {
  return Math.ceil((precision * Math.log2(10) + 1) / 8)
}

export function putPartition(
  out: ValueBuffer,
  columns: readonly PartitionColumn[],
  values: readonly (Value | null)[],
): void {
  for (const [i, { type = 'string' }] of columns.entries()) {
    const value = values[i] ?? null
    reserve(out, 20)
    putByte(out, value === null ? 0 : 2)
    if (value !== null) putValue(out, type, value)
  }
}

function putValue(out: ValueBuffer, type: PrimitiveType, value: Value): void {
  const { kind, precision = 0 } = primitiveOf(type)!
  switch (kind) {
    case 'boolean':
      return putByte(out, value ? 1 : 0)
    case 'int':
    case 'date':
      return putLong(out, value as number)
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return putBig(out, BigInt(value as bigint))
    case 'float':
      out.length = out.bytes.writeFloatLE(value as number, out.length)
      return
    case 'double':
      out.length = out.bytes.writeDoubleLE(value as number, out.length)
      return
    case 'string':
      return putText(out, value as string)
    case 'decimal': {
      const size = bytesFor(precision)
      const bytes = encodeUnscaled(BigInt(value as bigint))
      return putBytes(out, Buffer.concat([Buffer.alloc(size - bytes.length, bytes[0] > 0x7f ? 0xff : 0), bytes]))
    }
    case 'binary': {
      const bytes = value as Uint8Array
      reserve(out, bytes.length + 20)
      putLong(out, bytes.length)
      return putBytes(out, bytes)
    }
    default:
      reserve(out, (value as Uint8Array).length)
      return putBytes(out, value as Uint8Array)
  }
}

type Partition = (Value | null)[]

/** Reads a partition in the order of `columns`, whatever order, types and further fields the writer had. */
export function partitionStep(
  type: AvroType,
  columns: readonly PartitionColumn[],
): (cursor: Cursor) => readonly (Value | null)[] {
  const steps: Record<number, StepsById<Partition>[number]> = {}
  for (const [i, column] of columns.entries()) {
    steps[column.id] = nullable(branch => {
      const read = valueReader(branch, column.type)
      return (cursor, partition) => void (partition[i] = read(cursor))
    })
  }
  // An unpartitioned table's record has no fields and takes no bytes.
  const read: Step<Partition> = fieldsOf(type).length === 0 ? () => {} : recordStep(type, steps, [])
  const none: Partition = columns.map(() => null)
  return cursor => {
    const partition = none.slice()
    read(cursor, partition)
    return partition
  }
}

/** By the writer's type; a number is made a long where the column was promoted since. */
function valueReader(type: AvroType, wanted: PrimitiveType | undefined): (cursor: Cursor) => Value {
  const { logicalType } = attributesOf(type)
  const kind = wanted === undefined ? undefined : primitiveOf(wanted)?.kind
  switch (typeNameOf(type)) {
    case 'boolean':
      return booleanAt
    case 'int':
      return kind === 'long' ? readBig : readSize
    case 'long':
      return kind === 'int' || kind === 'date' ? readSize : readBig
    case 'float':
      return cursor => fixedAt(cursor, 4).readFloatLE()
    case 'double':
      return cursor => fixedAt(cursor, 8).readDoubleLE()
    case 'string':
      return textAt
    case 'bytes':
      return logicalType === 'decimal' ? cursor => decodeValue('decimal(38, 0)', bytesAt(cursor)) : bytesAt
    case 'fixed': {
      const size = sizeOfFixed(type)
      const isDecimal = logicalType === 'decimal'
      return cursor => (isDecimal ? decodeValue('decimal(38, 0)', fixedAt(cursor, size)) : fixedAt(cursor, size))
    }
    default:
      return malformed(`a partition value of the type ${typeNameOf(type)}`)
  }
}
