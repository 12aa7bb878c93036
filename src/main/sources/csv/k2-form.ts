// The k2 form: a header names the columns, in any order; what it names beyond the table goes to vendor_data.
import { TABLES } from '../../../contract/tables.ts'
import { Failure } from '../../../contract/failure.ts'
import type { FileOptions } from '../file-source.ts'
import { checkText, constantColumn, makeNumbers, makeWords, type ColumnMaker } from '../values/columns.ts'
import { longInto, symbolOf } from './field-readers.ts'
import { instrumentColumns } from './instrument.ts'
import { optionalColumns } from './optional-columns.ts'
import { parseInstant } from '../../base/values/parse-time.ts'
import { makeRowIds } from './row-ids.ts'
import type { FieldReader, Form, ReadField } from './row-reader.ts'
import { makeVendorData } from './vendor-data.ts'
import { createWallClock } from '../../base/values/zone.ts'

/** What else a column may be called. */
const ALIASES: Readonly<Record<string, string>> = {
  sequence_number: 'source_sequence',
  bid_size: 'bid_quantity',
  ask_size: 'ask_quantity',
}
const REQUIRED = {
  trades: ['symbol', 'exchange_timestamp', 'price', 'quantity'],
  quotes: ['symbol', 'exchange_timestamp', 'bid_price', 'ask_price'],
} as const
/** Columns of the table that a file cannot set: K2 makes them, or they say what a log would. */
const MADE_BY_K2 = ['message_id', '_topic', '_partition', '_offset']

/** Where each column of a header is; the same name twice is a Failure, as one of them would be lost. */
export function placesOf(header: readonly string[]): Map<string, number> {
  const places = new Map<string, number>()
  header.forEach((written, at) => {
    // As programs write it that number their rows in a column without a name.
    const name = columnName(written) || `column_${at + 1}`
    if (places.has(name)) {
      throw new Failure('INVALID_INPUT', `The header names the column ${name} twice; take one of them out.`)
    }
    places.set(name, at)
  })
  return places
}

export function columnName(written: string): string {
  const name = written.trim().toLowerCase().replaceAll(' ', '_')
  return ALIASES[name] ?? name
}

export function createK2Form(type: 'trades' | 'quotes', header: readonly string[], options: FileOptions): Form {
  const places = placesOf(header)
  const table = TABLES[type]
  const missing = REQUIRED[type].filter(name => !places.has(name))
  if (missing.length > 0) {
    const needs = `${type} need ${REQUIRED[type].join(', ')}`
    throw new Failure('INVALID_INPUT', `The header lacks ${missing.join(', ')}: ${needs}. It has ${header.join(', ')}.`)
  }
  const instrument = instrumentColumns(name => places.get(name), options)
  const wallClock = createWallClock(options.timezone ?? 'UTC')
  const id = type === 'trades' ? 'trade_id' : 'quote_id'
  const columns = {
    symbol: makeWords('string', symbolOf),
    exchange_timestamp: makeNumbers('timestamp'),
    source_sequence: makeNumbers('long'),
    ...instrument.makers,
  }
  const { symbol, exchange_timestamp, source_sequence } = columns
  const ids = makeRowIds(id)

  let micros = 0
  let symbolCode = 0
  let hasId = false
  const readers: Record<string, [read: ReadField, readEmpty?: (row: number) => void]> = {
    symbol: [(row, bytes, from, to) => void (symbolCode = symbol.take(row, bytes, from, to))],
    exchange_timestamp: [
      (row, bytes, from, to) => exchange_timestamp.set(row, (micros = parseInstant(bytes, from, to, wallClock))),
    ],
    [id]: [
      (row, bytes, from, to) => {
        checkText(bytes, from, to)
        ids.read(row, bytes, from, to)
        hasId = true
      },
      () => void (hasId = false),
    ],
    source_sequence: [longInto(source_sequence), source_sequence.setNull],
  }
  const makers: Record<string, ColumnMaker> = { ...columns }
  for (const [name, { maker, read, readEmpty }] of Object.entries(optionalColumns(type, options.loadedAtMicros))) {
    if (!places.has(name)) continue
    makers[name] = maker
    readers[name] = [read, readEmpty]
  }
  if (!places.has('source_sequence')) delete makers.source_sequence

  const known = new Set([...Object.keys(readers), ...Object.keys(instrument.makers), ...MADE_BY_K2])
  const others = [...places].filter(([name]) => !known.has(name))
  const vendorData = makeVendorData(others.map(([name, at]) => header[at].trim() || name))
  const fields: FieldReader[] = [
    ...[...places]
      .filter(([name]) => Object.hasOwn(readers, name))
      .map(([name, at]) => ({ at, name: header[at].trim(), read: readers[name][0], readEmpty: readers[name][1] })),
    ...instrument.fields,
    ...others.map(([name, at], part) => ({
      at,
      name,
      read: (_: number, bytes: Buffer, from: number, to: number) => vendorData.takePart(part, bytes, from, to),
    })),
  ]
  const all = Object.values(makers)

  return {
    table,
    fieldCount: header.length,
    fields,
    endRow(row, ordinal) {
      const exchange = instrument.endRow(row)
      if (!hasId) ids.setOrdinal(row, ordinal)
      ids.endRow(row, exchange, micros, symbol.wordAt(symbolCode) as string)
      vendorData.endRow(row)
    },
    begin(capacity) {
      for (const maker of all) maker.begin(capacity)
      ids.begin(capacity)
      vendorData.begin(capacity)
    },
    finish: rowCount => ({
      ingestion_timestamp: constantColumn('timestamp', options.loadedAtMicros, rowCount),
      ...ids.finish(rowCount),
      ...Object.fromEntries(Object.entries(makers).map(([name, maker]) => [name, maker.finish(rowCount)])),
      ...(others.length > 0 && { vendor_data: vendorData.finish(rowCount) }),
    }),
  }
}
