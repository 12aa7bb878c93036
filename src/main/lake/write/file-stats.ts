// What DuckDB says about a Parquet file it wrote (RETURN_STATS), as what a manifest says about it.
// A bound that cannot be told exactly is left out: without one a file is read, with a wrong one it would be missed.
import type { PerColumn } from '../iceberg/data-file.ts'
import { primitiveOf } from '../iceberg/primitive.ts'
import { asStruct, type Field, type PrimitiveType, type Value } from '../iceberg/schema.ts'
import { encodeValue } from '../iceberg/single-value.ts'
import { truncateBounds } from '../iceberg/truncate-bounds.ts'

/** By column, its name and those of what it is nested in, each in quotes: `"a"`, `"list"."element"`. */
export type ReturnedStats = ReadonlyMap<string, ReadonlyMap<string, string>>

export interface FileStats {
  columnBytes: PerColumn<number>
  valueCounts: PerColumn<number>
  nullCounts: PerColumn<number>
  lowerBounds: PerColumn<Uint8Array>
  upperBounds: PerColumn<Uint8Array>
}

export function fileStats(fields: readonly Field[], returned: ReturnedStats): FileStats {
  const columnBytes = new Map<number, number>()
  const valueCounts = new Map<number, number>()
  const nullCounts = new Map<number, number>()
  const lowerBounds = new Map<number, Uint8Array>()
  const upperBounds = new Map<number, Uint8Array>()
  const add = (path: string, { id, type }: Field, isRepeated: boolean) => {
    if (typeof type !== 'string') {
      const inRepeated = isRepeated || type.type !== 'struct'
      for (const inner of asStruct(type).fields) add(`${path}.${quoted(inner.name)}`, inner, inRepeated)
      return
    }
    const stats = returned.get(path)
    if (!stats) return
    columnBytes.set(id, Number(stats.get('column_size_bytes')))
    // Of lists and maps DuckDB counts entries, the empty ones too: no count of values.
    if (isRepeated) return
    valueCounts.set(id, Number(stats.get('num_values')))
    nullCounts.set(id, Number(stats.get('null_count')))
    const { lower, upper } = boundsOf(type, stats.get('min'), stats.get('max'))
    if (lower) lowerBounds.set(id, lower)
    if (upper) upperBounds.set(id, upper)
  }
  for (const field of fields) add(quoted(field.name), field, false)
  return { columnBytes, valueCounts, nullCounts, lowerBounds, upperBounds }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** DuckDB cuts texts at 256 bytes; cutting them further rounds the upper bound up, so that it holds for the whole text. */
function boundsOf(type: PrimitiveType, min: string | undefined, max: string | undefined) {
  const low = min === undefined ? undefined : parseValue(type, min, -0)
  const high = max === undefined ? undefined : parseValue(type, max, 0)
  const lower = low === undefined ? undefined : truncateBounds(low, low).lower
  const upper = high === undefined ? undefined : truncateBounds(high, high).upper
  return {
    lower: lower === undefined ? undefined : encodeValue(type, lower),
    upper: upper === undefined ? undefined : encodeValue(type, upper),
  }
}

/** `zero`: the one that is right for this bound, as -0 is below 0. */
function parseValue(type: PrimitiveType, text: string, zero: number): Value | undefined {
  switch (primitiveOf(type)?.kind) {
    case 'boolean':
      return text === '1' || text === 'true'
    case 'int':
      return Number(text)
    case 'long':
      return BigInt(text)
    case 'float':
    case 'double':
      return Number.isNaN(Number(text)) ? undefined : Number(text) || zero
    case 'decimal':
      return parseDecimal(text, primitiveOf(type)!.scale!)
    case 'date':
      return parseDays(text)
    case 'timestamp':
    case 'timestamptz':
      return parseMicros(text)
    case 'string':
      return text
    case 'binary':
      return /^(?:[0-9A-F]{2})*$/.test(text) ? Buffer.from(text, 'hex') : undefined
    default:
      return undefined
  }
}

function parseDecimal(text: string, scale: number): bigint | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined || fraction.length > scale) return undefined
  return BigInt(sign + whole + fraction.padEnd(scale, '0'))
}

/** Nothing for years before 1 and beyond what a Date holds, nor for infinities. */
function parseDays(text: string): number | undefined {
  const [, year, month, day] = /^(\d{4,6})-(\d\d)-(\d\d)$/.exec(text) ?? []
  if (year === undefined) return undefined
  const days = new Date(0).setUTCFullYear(Number(year), Number(month) - 1, Number(day)) / 86_400_000
  return Number.isNaN(days) ? undefined : days
}

function parseMicros(text: string): bigint | undefined {
  const [, date, hour, minute, second, fraction = ''] =
    /^(\S+) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:\+00)?$/.exec(text) ?? []
  const days = date === undefined ? undefined : parseDays(date)
  if (days === undefined) return undefined
  const seconds = days * 86_400 + Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}
