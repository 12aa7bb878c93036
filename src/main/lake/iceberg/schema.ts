// Iceberg's schemas, types and values, as the specification writes them in JSON.

export interface ListType {
  type: 'list'
  'element-id': number
  element: IcebergType
  'element-required': boolean
}

export interface MapType {
  type: 'map'
  'key-id': number
  key: IcebergType
  'value-id': number
  value: IcebergType
  'value-required': boolean
}

export interface StructType {
  type: 'struct'
  fields: Field[]
}

/** `string`, `long`, `timestamptz`, `decimal(18, 8)`, `fixed[16]`, … */
export type PrimitiveType = string
export type IcebergType = PrimitiveType | ListType | MapType | StructType

export interface Field {
  id: number
  name: string
  required: boolean
  type: IcebergType
  doc?: string
}

export interface Schema extends StructType {
  'schema-id': number
  'identifier-field-ids'?: number[]
}

/**
 * A value of a primitive type: number for int, date (days) and floats; bigint for long, time and timestamps
 * (microseconds) and for decimals (unscaled); bytes for binary, fixed and uuid.
 */
export type Value = boolean | number | bigint | string | Uint8Array

/** The field of this name at the top of a schema. */
export function fieldNamed(schema: StructType, name: string): Field | undefined {
  return schema.fields.find(field => field.name === name)
}

/** The field of this id, however deep. */
export function fieldOfId(schema: StructType, id: number): Field | undefined {
  for (const field of schema.fields) {
    if (field.id === id) return field
    const inner = typeof field.type === 'string' ? undefined : fieldOfId(asStruct(field.type), id)
    if (inner) return inner
  }
  return undefined
}

/** Lists and maps as structs of their parts, so that one walk covers all nesting. */
export function asStruct(type: ListType | MapType | StructType): StructType {
  if (type.type === 'struct') return type
  if (type.type === 'list') {
    const { 'element-id': id, element, 'element-required': required } = type
    return { type: 'struct', fields: [{ id, name: 'element', required, type: element }] }
  }
  return {
    type: 'struct',
    fields: [
      { id: type['key-id'], name: 'key', required: true, type: type.key },
      { id: type['value-id'], name: 'value', required: type['value-required'], type: type.value },
    ],
  }
}
