// Which columns a scan reads, and whether DuckDB can find them in every file by field id.
import { Failure } from '../../../contract/failure.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import { asStruct, type Field, type IcebergType, type Schema } from '../iceberg/schema.ts'
import { requireColumn } from './bind-filter.ts'

/** The fields asked for, in that order; all of the schema's when left out. */
export function projectedFields(schema: Schema, columns: readonly string[] | undefined): Field[] {
  if (!columns) return schema.fields
  if (columns.length === 0) throw new Failure('INVALID_INPUT', 'No column was asked for; name at least one.')
  return columns.map(name => requireColumn(schema, name))
}

/**
 * DuckDB finds columns by field id, but the fields inside a struct by name. A struct whose fields were renamed, or
 * dropped and added again under the same name, is refused.
 */
export function checkProjection(metadata: TableMetadata, schema: Schema, columns: readonly string[] | undefined): void {
  for (const field of projectedFields(schema, columns)) {
    if (typeof field.type === 'string') continue
    for (const other of metadata.schemas) {
      const before = other.fields.find(({ id }) => id === field.id)
      if (!before || !disagree(field.type, before.type)) continue
      throw new Failure(
        'INVALID_INPUT',
        `Column ${field.name} is a struct whose fields were renamed, which K2 does not read. Leave it out of the columns.`,
        { details: { column: field.name } },
      )
    }
  }
}

/** Whether somewhere inside one id has two names, or one name two ids. */
function disagree(now: IcebergType, before: IcebergType): boolean {
  if (typeof now === 'string' || typeof before === 'string') return false
  const fields = asStruct(now).fields
  return asStruct(before).fields.some(old =>
    fields.some(field =>
      field.id === old.id ? field.name !== old.name || disagree(field.type, old.type) : field.name === old.name,
    ),
  )
}
