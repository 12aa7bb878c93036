// What rows say, in a form that two programs in two languages can compare: their number, the exact sum of every number,
// and a checksum that does not depend on their order. Its twin is python/digest.py.
import { createHash } from 'node:crypto'
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  DuckDBTypeId,
  DuckDBUUIDValue,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api'
import { decimalText, type Column, type ColumnBatch } from '../../src/contract/columns.ts'

export interface Digest {
  rows: number
  checksum: string
  sums: Record<string, string>
}

/** Numbers and times as texts, bytes as base64, maps as pairs in the order of their keys. */
type Canonical = string | boolean | null | Canonical[]

/** A number without its decimal point. */
interface Unscaled {
  value: bigint
  scale: number
}

function createDigest(names: readonly string[]) {
  const sums = new Map<string, Unscaled>()
  let rows = 0
  let total = 0n
  return {
    /** A column that holds numbers, so that it has a sum even when it has no row. */
    declareNumber: (name: string) => sums.has(name) || sums.set(name, { value: 0n, scale: 0 }),
    addNumber(name: string, { value, scale }: Unscaled) {
      const sum = sums.get(name)!
      const wide = Math.max(scale, sum.scale)
      const toWide = (one: Unscaled) => one.value * 10n ** BigInt(wide - one.scale)
      sums.set(name, { value: toWide(sum) + toWide({ value, scale }), scale: wide })
    },
    addRow(row: Canonical[]) {
      rows++
      total += BigInt('0x' + createHash('md5').update(JSON.stringify(row)).digest('hex'))
    },
    finish: (): Digest => ({
      rows,
      checksum: BigInt.asUintN(128, total).toString(16).padStart(32, '0'),
      sums: Object.fromEntries(
        names.flatMap(name => {
          const sum = sums.get(name)
          return sum ? [[name, decimalText(sum.value, sum.scale)]] : []
        }),
      ),
    }),
  }
}

const isNumber = (type: Column['type']) => type === 'decimal' || type === 'long' || type === 'int'

/** Of batches of one of our tables, with the columns in this order. */
export async function digestBatches(
  batches: AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>,
  names: readonly string[],
): Promise<Digest> {
  const digest = createDigest(names)
  for await (const { rowCount, columns } of batches) {
    const ordered = names.map(name => columns[name])
    names.forEach((name, i) => isNumber(ordered[i].type) && digest.declareNumber(name))
    for (let row = 0; row < rowCount; row++) {
      digest.addRow(ordered.map(column => canonicalCell(column, row)))
      ordered.forEach((column, i) => {
        if (!isNumber(column.type) || column.nulls?.[row]) return
        digest.addNumber(names[i], { value: BigInt(column.values[row]), scale: column.scale ?? 0 })
      })
    }
  }
  return digest.finish()
}

function canonicalCell(column: Column, row: number): Canonical {
  if (column.nulls?.[row]) return null
  const value = column.values[row]
  if (!column.words) {
    if (column.type === 'decimal') return decimalText(value, column.scale ?? 0)
    return column.type === 'boolean' ? value === 1 : String(value)
  }
  const word = column.words[Number(value)]
  if (word === null || typeof word === 'string') return word
  return Array.isArray(word) ? [...(word as string[])] : sortPairs(Object.entries(word))
}

/** By their keys' code points, as Python does. */
function sortPairs(pairs: [Canonical, Canonical][]): Canonical[] {
  const bytes = (pair: Canonical[]) => Buffer.from(String(pair[0]))
  return pairs.sort((a, b) => Buffer.compare(bytes(a), bytes(b)))
}

/** Of any query, whatever the types of its columns are. */
export async function digestQuery(connection: DuckDBConnection, sql: string): Promise<Digest> {
  const reader = await connection.runAndReadAll(sql)
  const names = reader.columnNames()
  const digest = createDigest(names)
  const types = reader.columnTypes()
  const numbers = types.map(({ typeId }) => integers.has(typeId) || typeId === DuckDBTypeId.DECIMAL)
  names.forEach((name, i) => numbers[i] && digest.declareNumber(name))
  const columns = reader.getColumns()
  for (let row = 0; row < reader.currentRowCount; row++) {
    digest.addRow(columns.map((column, i) => canonicalValue(types[i], column[row])))
    columns.forEach((column, i) => {
      const value = column[row]
      if (numbers[i] && value !== null) digest.addNumber(names[i], unscaled(value))
    })
  }
  return digest.finish()
}

const integers = new Set([DuckDBTypeId.INTEGER, DuckDBTypeId.BIGINT])

function unscaled(value: DuckDBValue): Unscaled {
  return value instanceof DuckDBDecimalValue ? value : { value: BigInt(value as number | bigint), scale: 0 }
}

function canonicalValue(type: DuckDBType, value: DuckDBValue): Canonical {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (type.typeId === DuckDBTypeId.FLOAT || type.typeId === DuckDBTypeId.DOUBLE) return doubleText(value as number)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof DuckDBDecimalValue) return decimalText(value.value, value.scale)
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) return String(value.micros)
  if (value instanceof DuckDBTimeValue) return String(value.micros)
  if (value instanceof DuckDBDateValue) return String(value.days)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64')
  if (value instanceof DuckDBUUIDValue) return uuidText(value)
  return canonicalNested(type, value)
}

function canonicalNested(type: DuckDBType, value: DuckDBValue): Canonical {
  if (value instanceof DuckDBListValue) {
    const { valueType } = type as unknown as { valueType: DuckDBType }
    return value.items.map(item => canonicalValue(valueType, item))
  }
  if (value instanceof DuckDBMapValue) {
    const { keyType, valueType } = type as unknown as { keyType: DuckDBType; valueType: DuckDBType }
    const pairs = value.entries.map(entry => [
      canonicalValue(keyType, entry.key),
      canonicalValue(valueType, entry.value),
    ])
    return sortPairs(pairs as [Canonical, Canonical][])
  }
  if (value instanceof DuckDBStructValue) {
    const { entryTypes } = type as unknown as { entryTypes: DuckDBType[] }
    return Object.values(value.entries).map((entry, i) => canonicalValue(entryTypes[i], entry))
  }
  throw new Error(`No canonical form for ${String(type)}`)
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}

function uuidText(value: DuckDBUUIDValue): string {
  return Buffer.from(value.toUint128().toString(16).padStart(32, '0'), 'hex').toString('base64')
}
