// The columns of a partition: one per field of its spec, of the type that the field's transform makes.
import type { PartitionSpec } from './metadata.ts'
import { fieldOfId, type PrimitiveType, type Schema, type Value } from './schema.ts'
import { transformOf } from './transform.ts'

export interface PartitionColumn {
  id: number
  name: string
  /** Absent when the source column is gone from the schema, or the transform is not known. */
  type?: PrimitiveType
}

export function partitionColumns(spec: PartitionSpec, schema: Schema): PartitionColumn[] {
  return spec.fields.map(({ 'field-id': id, 'source-id': sourceId, name, transform }) => {
    const source = fieldOfId(schema, sourceId)?.type
    const { kind, resultType } = transformOf(transform)
    return typeof source === 'string' && kind !== 'unknown' ? { id, name, type: resultType(source) } : { id, name }
  })
}

/** With a type for every column: where nothing says it, values do, and where there are none any type will. */
export function withTypes(
  columns: readonly PartitionColumn[],
  partitions: readonly (readonly (Value | null)[])[],
): PartitionColumn[] {
  return columns.map((column, i) => {
    if (column.type !== undefined) return column
    const value = partitions.find(partition => partition[i] != null)?.[i]
    return { ...column, type: typeOfValue(value) }
  })
}

function typeOfValue(value: Value | null | undefined): PrimitiveType {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'int' : 'double'
    case 'bigint':
      return 'long'
    case 'boolean':
      return 'boolean'
    case 'object':
      return 'binary'
    default:
      return 'string'
  }
}
