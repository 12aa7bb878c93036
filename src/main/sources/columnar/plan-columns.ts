// Which column of a file becomes which of the table: by mapping, by our names, by the slim ones. Pure.
import { Failure } from '../../../contract/failure.ts'
import { TABLES, type ColumnSpec } from '../../../contract/tables.ts'
import type { LoadTable } from '../load-target.ts'
import { canConvert } from './convert.ts'
import type { SourceField } from './source-columns.ts'

/** Our name → the file's. */
export type ColumnMapping = Readonly<Record<string, string>>

export interface PlannedColumn {
  spec: ColumnSpec
  field: SourceField
  /** A row without it is bad: nothing can stand in for it. */
  isNeeded: boolean
}

export interface ColumnPlan {
  columns: readonly PlannedColumn[]
  /** What the table has no column for: it goes to vendor_data, by its name, as text. */
  extras: readonly SourceField[]
}

/** Other names that are understood, in the order in which they are looked for. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  exchange_timestamp: ['exchange_timestamp_ms', 'exchange_timestamp_us', 'exchange_timestamp_ns'],
  ingestion_timestamp: ['ingestion_timestamp_ms', 'ingestion_timestamp_us', 'ingestion_timestamp_ns'],
  source_sequence: ['sequence_number'],
  bid_quantity: ['bid_size'],
  ask_quantity: ['ask_size'],
  listing_date: ['start_date'],
  delisting_date: ['end_date'],
}
/** What a file has to say itself; other required columns are made from the rest. */
const NEEDED: Readonly<Record<LoadTable, readonly string[]>> = {
  trades: ['symbol', 'exchange_timestamp', 'price', 'quantity'],
  quotes: ['symbol', 'exchange_timestamp', 'bid_price', 'ask_price'],
  reference_data: ['company_id', 'symbol', 'company_name'],
}

/** Of the log a row was exported from; as a row of a file it has none. */
const LOG_PLACE = ['_topic', '_partition', '_offset']

/** `price=px,symbol=sym` */
export function parseMapping(text: string): ColumnMapping {
  const mapping: Record<string, string> = {}
  for (const part of text.split(',').filter(piece => piece.trim() !== '')) {
    const [, ours, theirs] = /^\s*([^=]+?)\s*=\s*(.+?)\s*$/.exec(part) ?? []
    if (!ours) throw badMapping(`"${part}" is not of the form column=name_in_the_file.`)
    if (Object.hasOwn(mapping, ours)) throw badMapping(`It names ${ours} twice.`)
    mapping[ours] = theirs
  }
  return mapping
}

export function planColumns(
  table: LoadTable,
  fields: readonly SourceField[],
  mapping: ColumnMapping,
  hasExchange: boolean,
): ColumnPlan {
  const specs: readonly ColumnSpec[] = TABLES[table].columns.filter(({ name }) => !LOG_PLACE.includes(name))
  checkMapping(table, specs, fields, mapping)
  const columns = specs.flatMap(spec => {
    const field = fieldFor(spec.name, fields, mapping)
    const isNeeded = spec.required && NEEDED[table].includes(spec.name)
    return field ? [{ spec, field, isNeeded }] : []
  })
  const found = new Set(columns.map(({ spec }) => spec.name))
  const missing = [...NEEDED[table], ...(hasExchange ? [] : ['exchange'])].filter(name => !found.has(name))
  if (missing.length > 0) throw missingColumns(missing, fields)
  for (const { spec, field } of columns) if (!canConvert(spec, field)) throw wrongType(spec, field)
  const used = new Set(columns.map(({ field }) => field))
  return { columns, extras: fields.filter(field => !used.has(field) && !LOG_PLACE.includes(field.name)) }
}

function fieldFor(name: string, fields: readonly SourceField[], mapping: ColumnMapping): SourceField | undefined {
  if (Object.hasOwn(mapping, name)) return fields.find(field => field.name === mapping[name])
  const mapped = new Set(Object.values(mapping))
  const free = fields.filter(field => !mapped.has(field.name))
  for (const wanted of [name, ...(ALIASES[name] ?? [])]) {
    const exact = free.find(field => field.name === wanted)
    const alike = free.filter(field => field.name.toLowerCase() === wanted)
    if (exact ?? alike.length === 1) return exact ?? alike[0]
  }
  return undefined
}

function checkMapping(
  table: LoadTable,
  specs: readonly ColumnSpec[],
  fields: readonly SourceField[],
  mapping: ColumnMapping,
): void {
  for (const [ours, theirs] of Object.entries(mapping)) {
    if (!specs.some(({ name }) => name === ours))
      throw badMapping(`${table} has no column ${ours}; it has ${specs.map(({ name }) => name).join(', ')}.`)
    if (!fields.some(({ name }) => name === theirs))
      throw badMapping(`The file has no column ${theirs}; it has ${namesOf(fields)}.`)
  }
}

function badMapping(what: string): Failure {
  return new Failure('INVALID_INPUT', `--map cannot be followed. ${what}`)
}

function missingColumns(missing: readonly string[], fields: readonly SourceField[]): Failure {
  const hint = missing.includes('exchange') ? ' The exchange can be given by --exchange too.' : ''
  return new Failure(
    'INVALID_INPUT',
    `The file has no ${missing.join(', ')}; its columns are ${namesOf(fields)}. ` +
      `Say which is which by --map ${missing[0]}=….${hint}`,
    { details: { missing, columns: fields.map(({ name }) => name) } },
  )
}

function wrongType(spec: ColumnSpec, field: SourceField): Failure {
  return new Failure(
    'INVALID_INPUT',
    `Column ${field.name} is ${field.typeName}, of which ${spec.name} (${spec.type}) cannot be made. ` +
      `Map another column to it or convert it first.`,
  )
}

function namesOf(fields: readonly SourceField[]): string {
  return fields.map(({ name }) => name).join(', ') || 'none'
}
