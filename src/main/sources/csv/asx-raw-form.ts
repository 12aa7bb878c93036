// The asx-raw form: no header, the exchange's wall time, the company in the file's name.
//   trades  Date,Time,Price,Volume,Qualifier,Venue,BuyerID    03/10/2014,07:57:14.754,36.667,20000,3,X,    (10 March)
//   quotes  Date,Time,Bid,Ask,BidVol,AskVol                   0.0 is no quote on that side
import { TABLES } from '../../../contract/tables.ts'
import { exchangeOf } from '../../market/exchanges.ts'
import { NUMBERED_BY_ROW } from '../../market/row-numbers.ts'
import type { FileOptions } from '../file-source.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import {
  checkedText,
  constantColumn,
  makeKnownTexts,
  makeNumbers,
  makeWords,
  type ColumnMaker,
} from '../values/columns.ts'
import { decimalInto, quantityInto } from './field-readers.ts'
import { instrumentColumns } from './instrument.ts'
import { parseDecimal } from '../../base/values/parse-number.ts'
import { parseMonthFirstDate, parseTimeOfDay } from '../../base/values/parse-time.ts'
import type { Company } from './companies.ts'
import { makeRowIds } from './row-ids.ts'
import type { FieldReader, Form } from './row-reader.ts'
import { makeVendorData } from './vendor-data.ts'
import { createWallClock } from '../../base/values/zone.ts'

export const RAW_FIELDS = { trades: 7, quotes: 6 } as const
const RAW_EXCHANGE = 'ASX'
/** An ordinary trade: nothing to say of it. */
const NO_QUALIFIER = '0'

export function createAsxRawForm(type: 'trades' | 'quotes', company: Company, options: FileOptions): Form {
  const exchange = options.exchange ?? RAW_EXCHANGE
  const wallClock = createWallClock(options.timezone ?? exchangeOf(exchange).zone)
  const instrument = instrumentColumns(() => undefined, { ...options, exchange })
  const id = type === 'trades' ? 'trade_id' : 'quote_id'
  const columns = {
    symbol: makeKnownTexts('string'),
    exchange_timestamp: makeNumbers('timestamp'),
    source_sequence: makeNumbers('long'),
    ...instrument.makers,
  }
  const { symbol, exchange_timestamp, source_sequence } = columns
  const ids = makeRowIds(id)
  let day = 0
  let micros = 0
  const time: FieldReader[] = [
    { at: 0, name: 'date', read: (_, bytes, from, to) => void (day = parseMonthFirstDate(bytes, from, to)) },
    {
      at: 1,
      name: 'time',
      read: (row, bytes, from, to) => {
        micros = wallClock.instantOf(day + parseTimeOfDay(bytes, from, to))
        exchange_timestamp.set(row, micros)
      },
    },
  ]
  const rest = type === 'trades' ? tradeFields(company) : quoteFields(company)
  const makers: Record<string, ColumnMaker> = { ...columns, ...rest.makers }
  const all = Object.values(makers)

  return {
    table: TABLES[type],
    fieldCount: RAW_FIELDS[type],
    fields: [...time, ...rest.fields],
    endRow(row, ordinal) {
      const ticker = company.symbolOn(day)
      symbol.set(row, ticker)
      ids.setOrdinal(row, ordinal)
      ids.endRow(row, instrument.endRow(row), micros, ticker)
      // The file's own order, as many trades share a millisecond; and repeated rows are trades of their own.
      source_sequence.set(row, ordinal)
      rest.endRow(row)
    },
    begin(capacity) {
      for (const maker of all) maker.begin(capacity)
      ids.begin(capacity)
      rest.vendorData.begin(capacity)
    },
    finish: rowCount => ({
      ...ids.finish(rowCount),
      ...Object.fromEntries(Object.entries(makers).map(([name, maker]) => [name, maker.finish(rowCount)])),
      vendor_data: rest.vendorData.finish(rowCount),
      ingestion_timestamp: constantColumn('timestamp', options.loadedAtMicros, rowCount),
    }),
  }
}

function tradeFields({ companyId }: Company) {
  const price = makeNumbers('decimal')
  const quantity = makeNumbers('decimal')
  const conditions = makeWords('list', (bytes, from, to) => [checkedText(bytes, from, to)])
  const vendorData = makeVendorData(['qualifiers', 'venue', 'buyer_id'], { company_id: companyId, ...NUMBERED_BY_ROW })
  const fields: FieldReader[] = [
    { at: 2, name: 'price', read: decimalInto(price) },
    { at: 3, name: 'volume', read: quantityInto(quantity) },
    {
      at: 4,
      name: 'qualifier',
      read(row, bytes, from, to) {
        vendorData.takePart(0, bytes, from, to)
        const isPlain = from === to || (to - from === 1 && bytes[from] === NO_QUALIFIER.charCodeAt(0))
        if (isPlain) conditions.setNull(row)
        else conditions.take(row, bytes, from, to)
      },
    },
    { at: 5, name: 'venue', read: (_, bytes, from, to) => vendorData.takePart(1, bytes, from, to) },
    { at: 6, name: 'buyer id', read: (_, bytes, from, to) => vendorData.takePart(2, bytes, from, to) },
  ]
  return { fields, makers: { price, quantity, trade_conditions: conditions }, vendorData, endRow: vendorData.endRow }
}

/** A side without a price is no quote, whatever its volume says. */
function quoteFields({ companyId }: Company) {
  const vendorData = makeVendorData([], { company_id: companyId, ...NUMBERED_BY_ROW })
  const sides = [
    { side: 'bid', at: 2 },
    { side: 'ask', at: 3 },
  ].map(({ side, at }) => {
    const [price, quantity] = [makeNumbers('decimal'), makeNumbers('decimal')]
    let isThere = false
    const fields: FieldReader[] = [
      {
        at,
        name: side,
        read(row, bytes, from, to) {
          const value = parseDecimal(bytes, from, to)
          if (value < 0) throw new BadValue('is negative')
          isThere = value !== 0
          if (isThere) price.set(row, value)
          else price.setNull(row)
        },
      },
      {
        at: at + 2,
        name: `${side} volume`,
        read(row, bytes, from, to) {
          readQuantity(row, bytes, from, to)
          if (!isThere) quantity.setNull(row)
        },
      },
    ]
    const readQuantity = quantityInto(quantity)
    return { fields, makers: { [`${side}_price`]: price, [`${side}_quantity`]: quantity } }
  })
  return {
    fields: sides.flatMap(({ fields }) => fields),
    makers: { ...sides[0].makers, ...sides[1].makers },
    vendorData,
    endRow: vendorData.endRow,
  }
}
