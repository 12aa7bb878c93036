// What a log holds after a load, read by avsc: the judge of what the product writes, so it shares no code with it.
import { createRequire } from 'node:module'
import { cellOf, type Column, type Row, type Word } from '../../../../src/contract/columns.ts'
import { TABLES, type ColumnSpec } from '../../../../src/contract/tables.ts'
import type { MessageLog } from '../../../../src/main/log/message-log.ts'
import { recordOf } from '../../../../src/main/market/avro-schemas.ts'
import { keyOf, valueOf } from '../../../../src/main/market/log-batch.ts'
import type { LoadTable } from '../../../../src/main/sources/load-target.ts'

interface AvscType {
  fromBuffer(bytes: Buffer): Record<string, unknown>
}
interface Avsc {
  Type: {
    forSchema(schema: unknown, options: { registry?: object; typeHook?: (schema: unknown) => unknown }): AvscType
  }
  types: { LongType: { __with(methods: object): unknown } }
}
const avsc = createRequire(import.meta.url)('avsc') as Avsc

const long = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
})

/** Longs beyond 2^53 are exact with a type of their own, which has to be put in wherever a long is declared. */
function typeOf(table: LoadTable): AvscType {
  const isLong = (schema: unknown) =>
    schema === 'long' || (typeof schema === 'object' && (schema as { type?: unknown } | null)?.type === 'long')
  return avsc.Type.forSchema(recordOf('Row', TABLES[table]), {
    typeHook: schema => (isLong(schema) ? long : undefined),
  })
}

export interface LoggedRow {
  topic: string
  partition: number
  key: string
  schemaId: number
  /** Cells as JSON clients see them. */
  row: Row
}

export async function readLog(log: MessageLog, table: LoadTable, topics: readonly string[]): Promise<LoggedRow[]> {
  const ranges = await Promise.all(topics.map(topic => log.ranges(topic)))
  let left = ranges.flat().reduce((sum, { earliest, latest }) => sum + latest - earliest, 0)
  const type = typeOf(table)
  const rows: LoggedRow[] = []
  const done = new AbortController()
  if (left === 0) return rows
  for await (const batch of log.read({ topics, from: () => 'earliest', signal: done.signal })) {
    for (let i = 0; i < batch.count; i++) {
      const value = valueOf(batch, i)!
      if (value[0] !== 0) throw new Error('magic byte is not 0')
      rows.push({
        topic: batch.topic,
        partition: batch.partition,
        key: keyOf(batch, i)!.toString(),
        schemaId: value.readUInt32BE(1),
        row: rowOf(table, type.fromBuffer(value.subarray(5))),
      })
    }
    left -= batch.count
    if (left <= 0) break
  }
  done.abort()
  return rows
}

function rowOf(table: LoadTable, record: Record<string, unknown>): Row {
  const specs = TABLES[table].columns.filter(({ name }) => !name.startsWith('_'))
  return Object.fromEntries(specs.map(spec => [spec.name, cell(spec, unwrapped(record[spec.name]))]))
}

/** avsc wraps the branch of some unions by its type's name. */
function unwrapped(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value)) return value
  const [[name, inner], ...others] = Object.entries(value)
  return others.length === 0 && ['bytes', 'array', 'map', 'long', 'string'].includes(name) ? inner : value
}

function cell({ type }: ColumnSpec, value: unknown): Row[string] {
  if (value === null || value === undefined) return null
  if (type === 'decimal') {
    const bytes = value as Buffer
    const unscaled = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    return cellOf(number(type, BigInt.asIntN(bytes.length * 8, unscaled)), 0)
  }
  if (type === 'timestamp' || type === 'long') return cellOf(number(type, value as bigint), 0)
  if (type === 'date') return cellOf(number(type, BigInt(value as number)), 0)
  if (type === 'map') return { ...(value as Record<string, string>) }
  return value as Exclude<Word, null>
}

function number(type: Column['type'], value: bigint): Column {
  return { type, values: BigInt64Array.of(value), scale: 8 }
}
