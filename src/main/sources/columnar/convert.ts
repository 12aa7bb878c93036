// One column of a file as one of the table. Values that cannot be converted make their rows bad; types that cannot are
// refused before anything is read.
import type { Column } from '../../../contract/columns.ts'
import type { ColumnSpec, ColumnType } from '../../../contract/tables.ts'
import { DECIMAL_SCALE } from '../../market/avro-schemas.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import type { WallClock } from '../../base/values/zone.ts'
import type { BadRows } from './bad-rows.ts'
import { createExactNumbers, decimalReader, longReader } from './convert-numbers.ts'
import { booleanReader, checkedTexts, enumReader, listColumn, textColumn } from './convert-texts.ts'
import { dateReader, timeReader } from './convert-times.ts'
import type { PlannedColumn } from './plan-columns.ts'
import type { SourceField, SourceKind } from './source-columns.ts'

const CONVERTIBLE: Readonly<Record<ColumnType, readonly SourceKind[]>> = {
  string: ['text', 'whole', 'decimal', 'double', 'boolean', 'date'],
  enum: ['text'],
  timestamp: ['instant', 'wall', 'date', 'whole', 'double', 'text'],
  decimal: ['decimal', 'double', 'whole', 'text'],
  long: ['whole', 'decimal', 'double', 'text'],
  int: ['whole'],
  boolean: ['boolean', 'whole', 'text'],
  date: ['date', 'instant', 'wall', 'text'],
  list: ['list', 'text'],
  map: ['map'],
  bytes: [],
}

export function canConvert(spec: ColumnSpec, { kind }: SourceField): boolean {
  return CONVERTIBLE[spec.type].includes(kind)
}

export function convertColumn(
  { spec, field, isNeeded }: PlannedColumn,
  given: Column,
  rowCount: number,
  bad: BadRows,
  wallClock: WallClock,
): Column {
  const source = withNulls(field.kind === 'text' ? textColumn(given, rowCount) : given, rowCount)
  const each: Each = put => bad.forEachValue(spec.name, source, put)
  const made = make(spec, field, source, rowCount, each, wallClock)
  const nulls = made.nulls ?? source.nulls
  if (isNeeded && nulls) nulls.forEach((none, row) => none && bad.missing(row, spec.name))
  return { type: spec.type, ...made, ...(nulls && { nulls }) }
}

type Each = (put: (row: number) => void) => void
type Made = Pick<Column, 'values' | 'words' | 'scale' | 'nulls'>

function make(
  spec: ColumnSpec,
  field: SourceField,
  source: Column,
  rowCount: number,
  each: Each,
  clock: WallClock,
): Made {
  switch (spec.type) {
    case 'decimal':
    case 'long': {
      const numbers = createExactNumbers(rowCount)
      const read = spec.type === 'decimal' ? decimalReader(source) : longReader(source)
      const isQuantity = spec.name.endsWith('quantity')
      each(row => {
        const value = read(row)
        if (isQuantity && value < 0) throw new BadValue('is negative')
        numbers.put(row, value)
      })
      return { values: numbers.values(), ...(spec.type === 'decimal' && { scale: DECIMAL_SCALE }) }
    }
    case 'timestamp':
      return filled(new Float64Array(rowCount), timeReader(source, field, clock), each)
    case 'date':
      return filled(new Int32Array(rowCount), dateReader(source, field), each)
    case 'boolean':
      return filled(new Uint8Array(rowCount), booleanReader(source), each)
    case 'enum':
      return { ...filled(new Uint8Array(rowCount), enumReader(source, spec.values!), each), words: spec.values! }
    case 'list':
      return listColumn(source, rowCount)
    case 'string':
      return checkedTexts(spec.name, textColumn(source, rowCount), each)
    default:
      return { values: source.values, words: source.words, nulls: source.nulls }
  }
}

function filled(values: Float64Array | Int32Array | Uint8Array, read: (row: number) => number, each: Each): Made {
  each(row => void (values[row] = read(row)))
  return { values }
}

/** Not a number is what many programs write for nothing. */
function withNulls(source: Column, rowCount: number): Column {
  if (source.type !== 'double') return source
  let nulls = source.nulls
  for (let row = 0; row < rowCount; row++) {
    if (!Number.isNaN(source.values[row])) continue
    nulls ??= new Uint8Array(rowCount)
    nulls[row] = 1
  }
  return nulls ? { ...source, nulls } : source
}
