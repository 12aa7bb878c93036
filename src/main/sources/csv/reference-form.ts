// The reference file as a table to load: a row a company, under each name it had.
import { TABLES } from '../../../contract/tables.ts'
import { Failure } from '../../../contract/failure.ts'
import type { FileOptions } from '../file-source.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { checkedText, constantColumn, makeNumbers, makeTexts, makeWords, type ColumnMaker } from '../values/columns.ts'
import { symbolOf, wordInto } from './field-readers.ts'
import { instrumentColumns } from './instrument.ts'
import { columnName, placesOf } from './k2-form.ts'
import { parseDate } from '../../base/values/parse-date.ts'
import type { FieldReader, Form } from './row-reader.ts'
import { makeVendorData } from './vendor-data.ts'

const REFERENCE_COLUMNS = ['company_id', 'symbol', 'company_name']
const RAW_EXCHANGE = 'ASX'
const DAY = 86_400e6

/** Rows of reference_data; a company whose end date is past is no longer active. */
export function createReferenceForm(header: readonly string[], options: FileOptions): Form {
  const places = placesOf(header)
  const missing = REFERENCE_COLUMNS.filter(name => !places.has(name))
  if (missing.length > 0) {
    const message = `The header lacks ${missing.join(', ')}: reference_data needs ${REFERENCE_COLUMNS.join(', ')}.`
    throw new Failure('INVALID_INPUT', message)
  }
  const instrument = instrumentColumns(name => places.get(name), {
    ...options,
    exchange: options.exchange ?? RAW_EXCHANGE,
  })
  const exact = { message_id: makeTexts(), company_id: makeTexts() }
  const words = {
    symbol: makeWords('string', symbolOf),
    company_name: makeWords('string'),
    isin: makeWords('string'),
  }
  const dates = { listing_date: makeNumbers('date'), delisting_date: makeNumbers('date') }
  const isActive = makeNumbers('long')
  const makers: Record<string, ColumnMaker> = { ...exact, ...words, ...dates, ...instrument.makers }
  let companyId = ''
  let isDelisted = false
  const readers: Record<string, Pick<FieldReader, 'read' | 'readEmpty'>> = {
    company_id: { read: (_, bytes, from, to) => void (companyId = idOf(bytes, from, to)) },
    symbol: { read: wordInto(words.symbol) },
    company_name: { read: wordInto(words.company_name) },
    isin: { read: wordInto(words.isin), readEmpty: words.isin.setNull },
    start_date: dateInto(dates.listing_date, () => {}),
    // An end in the future is how some files say that there is none.
    end_date: dateInto(dates.delisting_date, day => (isDelisted = (day + 1) * DAY <= options.loadedAtMicros)),
  }
  const known = new Set([...Object.keys(readers), ...Object.keys(instrument.makers)])
  const others = [...places].filter(([name]) => !known.has(name))
  const vendorData = makeVendorData(others.map(([name, at]) => header[at].trim() || name))

  return {
    table: TABLES.reference_data,
    fieldCount: header.length,
    fields: [
      ...[...places]
        .filter(([name]) => Object.hasOwn(readers, name))
        .map(([name, at]) => ({ at, name: header[at].trim(), ...readers[name] })),
      ...instrument.fields,
      ...others.map(([name, at], part) => ({
        at,
        name,
        read: (_: number, bytes: Buffer, from: number, to: number) => vendorData.takePart(part, bytes, from, to),
      })),
    ],
    endRow(row, ordinal) {
      const exchange = instrument.endRow(row)
      exact.company_id.set(row, companyId)
      // A row of a file has no time of its own: the exchange, the company and its place in the file are what it is.
      exact.message_id.set(row, `${exchange}:${companyId}:${ordinal}`)
      isActive.set(row, isDelisted ? 0 : 1)
      if (!places.has('start_date')) dates.listing_date.setNull(row)
      if (!places.has('end_date')) dates.delisting_date.setNull(row)
      if (!places.has('isin')) words.isin.setNull(row)
      vendorData.endRow(row)
    },
    begin(capacity) {
      for (const maker of [...Object.values(makers), isActive]) maker.begin(capacity)
      vendorData.begin(capacity)
    },
    finish: rowCount => ({
      ...Object.fromEntries(Object.entries(makers).map(([name, maker]) => [name, maker.finish(rowCount)])),
      is_active: { type: 'boolean', values: isActive.finish(rowCount).values },
      ...(others.length > 0 && { vendor_data: vendorData.finish(rowCount) }),
      ingestion_timestamp: constantColumn('timestamp', options.loadedAtMicros, rowCount),
    }),
  }
}

function idOf(bytes: Buffer, from: number, to: number): string {
  if (from === to) throw new BadValue('is missing')
  return checkedText(bytes, from, to)
}

function dateInto(column: ReturnType<typeof makeNumbers>, tell: (day: number) => void) {
  return {
    read(row: number, bytes: Buffer, from: number, to: number) {
      const day = parseDate(bytes.toString('latin1', from, to))
      column.set(row, day)
      tell(day)
    },
    readEmpty(row: number) {
      column.setNull(row)
      tell(Infinity)
    },
  }
}

/** Whether a header is that of a reference file. */
export function isReferenceHeader(header: readonly string[]): boolean {
  const names = new Set(header.map(columnName))
  return REFERENCE_COLUMNS.every(name => names.has(name))
}
