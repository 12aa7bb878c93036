// The Avro records in the log, made from the tables so that they cannot drift apart.
import { quotes, referenceData, trades, type ColumnSpec, type TableSpec } from '../../contract/tables.ts'
import type { DataType } from './topics.ts'

export type AvroType = string | AvroType[] | { type: string; [attribute: string]: unknown }
export interface AvroField {
  name: string
  type: AvroType
  default?: null
}
export interface AvroRecord {
  type: 'record'
  name: string
  namespace: string
  fields: AvroField[]
}

export const DECIMAL_SCALE = 8

/** Of messages that K2 writes without a registry, and of those it writes anew when it reads them. No registry counts so far. */
export const EMBEDDED_SCHEMA_IDS: Record<DataType, number> = {
  trades: 0x7fff_ff01,
  quotes: 0x7fff_ff02,
  reference_data: 0x7fff_ff03,
}

export const avroSchemas: Record<DataType, AvroRecord> = {
  trades: recordOf('TradeV2', trades),
  quotes: recordOf('QuoteV2', quotes),
  reference_data: recordOf('ReferenceDataV2', referenceData),
}

/** Columns that start with an underscore are the log's own and not part of the message. */
export function recordOf(name: string, table: TableSpec): AvroRecord {
  const fields = table.columns.filter(spec => !spec.name.startsWith('_')).map(fieldOf)
  return { type: 'record', name, namespace: 'com.k2.marketdata', fields }
}

function fieldOf(spec: ColumnSpec): AvroField {
  const type = typeOf(spec)
  return spec.required ? { name: spec.name, type } : { name: spec.name, type: ['null', type], default: null }
}

function typeOf({ name, type, values }: ColumnSpec): AvroType {
  switch (type) {
    case 'enum':
      return { type: 'enum', name: pascalCase(name), symbols: [...(values ?? [])] }
    case 'timestamp':
      return { type: 'long', logicalType: 'timestamp-micros' }
    case 'decimal':
      return { type: 'bytes', logicalType: 'decimal', precision: 18, scale: DECIMAL_SCALE }
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'list':
      return { type: 'array', items: 'string' }
    case 'map':
      return { type: 'map', values: 'string' }
    default:
      return type
  }
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())
}
