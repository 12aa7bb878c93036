// The columns that say which instrument a row is of: from the file where it has them, else from flags and exchange table.
import { ASSET_CLASSES } from '../../../contract/tables.ts'
import { Failure } from '../../../contract/failure.ts'
import type { FileOptions } from '../file-source.ts'
import { createDictionary } from '../../market/decode-dictionary.ts'
import { exchangeOf } from '../../market/exchanges.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { checkedText, constantColumn, makeKnownTexts, type ColumnMaker } from '../values/columns.ts'
import { exchangeNameOf, oneOf } from './field-readers.ts'
import type { FieldReader, ReadField } from './row-reader.ts'

export interface InstrumentColumns {
  fields: FieldReader[]
  makers: Readonly<Record<string, ColumnMaker>>
  /** After the fields; gives the row's exchange. */
  endRow: (row: number) => string
}

/** `placeOf` says where the file has a column, if it does. */
export function instrumentColumns(
  placeOf: (name: string) => number | undefined,
  { exchange, assetClass }: Pick<FileOptions, 'exchange' | 'assetClass'>,
): InstrumentColumns {
  const given = exchange?.toUpperCase()
  const has = (name: string) => placeOf(name) !== undefined
  if (!has('exchange') && given === undefined) {
    throw new Failure('INVALID_INPUT', 'The file has no column exchange: say the exchange with --exchange.')
  }
  if (!has('exchange') && !has('asset_class') && !(assetClass ?? exchangeOf(given!).assetClass)) {
    const message = `K2 does not know what is traded on ${given}: say it with --asset-class ${ASSET_CLASSES.join('|')}.`
    throw new Failure('INVALID_INPUT', message)
  }
  /** The row's own values; empty where the file leaves it to us. */
  const own: Record<Name, string> = { exchange: '', asset_class: '', currency: '' }
  const implied: Record<Name, () => string | undefined> = {
    exchange: () => given,
    asset_class: () => assetClass ?? exchangeOf(own.exchange).assetClass,
    currency: () => exchangeOf(own.exchange).currency,
  }
  if (!names.some(has)) return constantInstrument(given!, assetClass ?? exchangeOf(given!).assetClass!)
  const makers = Object.fromEntries(names.map(name => [name, makeKnownTexts(typeOf(name))]))
  const columns = names.map(name => ({ name, column: makers[name], isRead: has(name), implied: implied[name] }))
  return {
    fields: names.flatMap(name => {
      const at = placeOf(name)
      if (at === undefined) return []
      const dictionary = createDictionary(texts[name])
      const read: ReadField = (_, bytes, from, to) =>
        void (own[name] = dictionary.words[dictionary.codeOf(bytes, from, to)])
      return { at, name, read, readEmpty: () => void (own[name] = '') }
    }),
    makers,
    endRow(row) {
      // The exchange comes first: the others follow from it.
      for (const { name, column, isRead, implied } of columns) {
        if (!isRead || own[name] === '') {
          const value = implied()
          if (value === undefined) throw new BadValue(`${name} is missing, and is not known from the exchange`)
          own[name] = value
        }
        column.set(row, own[name])
      }
      return own.exchange
    },
  }
}

/** Nothing about it is in the file. */
function constantInstrument(exchange: string, assetClass: string): InstrumentColumns {
  const words = { exchange, asset_class: assetClass, currency: exchangeOf(exchange).currency }
  const constant = (name: Name): ColumnMaker => ({
    begin: () => {},
    setNull: () => {},
    finish: rowCount => constantColumn(typeOf(name), words[name], rowCount),
  })
  return {
    fields: [],
    makers: Object.fromEntries(names.map(name => [name, constant(name)])),
    endRow: () => exchange,
  }
}

const names = ['exchange', 'asset_class', 'currency'] as const
type Name = (typeof names)[number]
const typeOf = (name: Name) => (name === 'asset_class' ? 'enum' : 'string')
const texts = { exchange: exchangeNameOf, asset_class: oneOf(ASSET_CLASSES), currency: checkedText }
