// A schema as the registry keeps it: a record that K2 can read, or why it is none.
import type { AvroRecord } from '../../market/avro-schemas.ts'

export type ParsedSchema = { schema: AvroRecord } | { refused: string }

export function parseSchema(id: number, answer: Readonly<Record<string, unknown>>): ParsedSchema {
  const { schema, schemaType = 'AVRO', references } = answer
  const refuse = (why: string) => ({ refused: `Schema ${id} ${why}; K2 reads Avro records that stand alone.` })
  if (schemaType !== 'AVRO') return refuse(`is ${String(schemaType)}`)
  if (Array.isArray(references) && references.length > 0) {
    const names = references.map(reference => String((reference as { name?: unknown }).name))
    return refuse(`refers to other schemas (${names.join(', ')})`)
  }
  try {
    const parsed = JSON.parse(String(schema)) as Partial<AvroRecord>
    if (parsed?.type !== 'record' || !Array.isArray(parsed.fields)) return refuse('is no record')
    if (!parsed.fields.every(field => typeof field?.name === 'string' && field.type !== undefined))
      return refuse('has fields without name or type')
    return { schema: withNamespace(parsed as AvroRecord) }
  } catch {
    return refuse('is not JSON')
  }
}

/** `com.k2.TradeV2` says both. */
function withNamespace(record: AvroRecord): AvroRecord {
  const dot = record.name.lastIndexOf('.')
  if (dot < 0) return { ...record, namespace: record.namespace ?? '' }
  return { ...record, name: record.name.slice(dot + 1), namespace: record.name.slice(0, dot) }
}
