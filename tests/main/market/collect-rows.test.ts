// Rows collected from messages that avsc wrote, of every table: each column is what avsc's own reader says.
import type { Type } from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalText, rowsOf, timestampText, type Row } from '../../../src/contract/columns.ts'
import { TABLES, type ColumnSpec } from '../../../src/contract/tables.ts'
import { avroSchemas } from '../../../src/main/market/avro-schemas.ts'
import { createRowCollector } from '../../../src/main/market/collect-rows.ts'
import { createCursor, pointCursor } from '../../../src/main/market/decode-primitives.ts'
import type { DataType } from '../../../src/main/market/topics.ts'
import { typeOf } from '../lake/iceberg/foreign-avro.ts'

const LOG_MICROS = 1_500_000_000_000_001
const HEADER = Buffer.from([0, 0, 0, 0, 7])
const tables: DataType[] = ['trades', 'quotes', 'reference_data']

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('BHP', 'CBA', 'ASX', 'AUD', ''),
  fc.string({ minLength: 60, maxLength: 200 }),
)
/** avsc loses the one key that plain objects cannot be given by assigning. */
const mapKey = text.filter(key => key !== '__proto__')
const bigDecimal = fc.bigInt({ min: 1n - 10n ** 18n, max: 10n ** 18n - 1n })

function valueArbitrary({ type, values }: ColumnSpec): fc.Arbitrary<unknown> {
  switch (type) {
    case 'enum':
      return fc.constantFrom(...values!)
    case 'timestamp':
      return fc.bigInt({ min: 0n, max: 2n ** 53n - 1n })
    case 'decimal':
      return fc.oneof(bigDecimal, fc.bigInt({ min: -300n, max: 300n })).map(bytesOf)
    case 'long':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'date':
      return fc.integer({ min: -50_000, max: 100_000 })
    case 'boolean':
      return fc.boolean()
    case 'list':
      return fc.array(text, { maxLength: 4 })
    case 'map':
      return fc.dictionary(mapKey, text, { maxKeys: 4, noNullPrototype: true })
    default:
      return text
  }
}

/** Big-endian two's complement, in as few bytes as hold it. */
function bytesOf(unscaled: bigint): Buffer {
  let size = 1
  while (BigInt.asIntN(size * 8, unscaled) !== unscaled) size++
  return Buffer.from(
    BigInt.asUintN(size * 8, unscaled)
      .toString(16)
      .padStart(size * 2, '0'),
    'hex',
  )
}

const fieldsOf = (table: DataType) => TABLES[table].columns.filter(({ name }) => !name.startsWith('_'))

const rowArbitrary = (table: DataType) =>
  fc.record(
    Object.fromEntries(
      fieldsOf(table).map(spec => {
        const value = valueArbitrary(spec)
        return [spec.name, spec.required ? value : fc.option(value)]
      }),
    ),
  )

/** What avsc read, as the product shows it. */
function shown(spec: ColumnSpec, value: unknown): unknown {
  if (value === null) return null
  if (spec.type === 'timestamp') return timestampText(Number(value))
  if (spec.type === 'decimal')
    return decimalText(BigInt.asIntN((value as Buffer).length * 8, BigInt(`0x${(value as Buffer).toString('hex')}`)), 8)
  if (spec.type === 'long') return (value as bigint).toString()
  if (spec.type === 'date') return new Date((value as number) * 86_400e3).toISOString().slice(0, 10)
  if (spec.name === 'exchange') return (value as string).toUpperCase()
  return spec.type === 'map' ? { ...(value as object) } : value
}

function judged(table: DataType, type: Type, message: Buffer, offset: number): Row {
  const read = type.fromBuffer(message.subarray(HEADER.length)) as Record<string, unknown>
  const cells = fieldsOf(table).map(spec => [spec.name, shown(spec, read[spec.name])])
  return { ...(Object.fromEntries(cells) as Row), _topic: 'some topic', _partition: 3, _offset: String(offset) }
}

describe.each(tables)('messages of %s', table => {
  const schema = avroSchemas[table]
  const type = typeOf(schema)
  const messageOf = (row: object) => Buffer.concat([HEADER, type.toBuffer(row)])
  const collectorOf = () => createRowCollector(TABLES[table], () => schema)

  /** The messages in one run of bytes, as in a log. */
  function collect(collector: ReturnType<typeof collectorOf>, messages: readonly Buffer[], firstOffset: number): void {
    const bytes = Buffer.concat(messages)
    const cursor = createCursor()
    pointCursor(cursor, bytes)
    collector.reserve(messages.length)
    const from = collector.rowCount()
    let at = 0
    messages.forEach((message, i) => {
      cursor.at = at
      cursor.end = at += message.length
      collector.read(cursor, firstOffset + i, LOG_MICROS)
    })
    collector.place(from, 'some topic', 3)
  }

  it('become the rows that avsc reads in them', () => {
    fc.assert(
      fc.property(fc.array(rowArbitrary(table), { maxLength: 8 }), rows => {
        const messages = rows.map(messageOf)
        const collector = collectorOf()
        collect(collector, messages, 40)
        const drained = collector.drain()
        expect(drained.rowCount).toBe(rows.length)
        expect(rowsOf(drained)).toEqual(messages.map((message, i) => judged(table, type, message, 40 + i)))
        expect(collector.drain().rowCount).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it('become the same rows in memory that other rows were in before', () => {
    const some = fc.array(rowArbitrary(table), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(some, some, (earlier, rows) => {
        const collector = collectorOf()
        const used = Array.from({ length: 700 }, (_, i) => messageOf(earlier[i % earlier.length]))
        collect(collector, used, 0)
        const first = collector.drain()
        const memory = first.columns._offset.values.buffer
        collector.reuse(first)
        collector.drain()
        const messages = Array.from({ length: 600 }, (_, i) => messageOf(rows[i % rows.length]))
        collect(collector, messages, 40)
        const drained = collector.drain()
        expect(drained.columns._offset.values.buffer).toBe(memory)
        expect(rowsOf(drained)).toEqual(messages.map((message, i) => judged(table, type, message, 40 + i)))
      }),
      { numRuns: 10 },
    )
  })

  it('leave no trace where they are cut off, taken out or cut back', () => {
    const kept = fc.array(
      fc.record({ row: rowArbitrary(table), fate: fc.constantFrom('kept', 'kept', 'out', 'cut') }),
      {
        maxLength: 12,
      },
    )
    fc.assert(
      fc.property(kept, fc.nat(12), fc.nat(300), (all, back, cutAt) => {
        const collector = collectorOf()
        collect(
          collector,
          all.slice(0, 2).map(({ row }) => messageOf(row)),
          0,
        )
        const before = collector.rowCount()
        const marks: number[] = []
        const expected = all.slice(0, 2).map(({ row }, i) => judged(table, type, messageOf(row), i))
        all.forEach(({ row, fate }, i) => {
          const message = messageOf(row)
          if (fate === 'cut') {
            const part = Buffer.from(message.subarray(0, cutAt % message.length))
            expect(() => collect(collector, [part], 100 + i)).toThrow()
            return
          }
          collect(collector, [message], 100 + i)
          marks.push(fate === 'out' ? 1 : 0)
          if (fate === 'kept') expected.push(judged(table, type, message, 100 + i))
        })
        collector.takeOut(before, Uint8Array.from(marks))
        expect(collector.rowCount()).toBe(expected.length)
        const end = Math.max(collector.rowCount() - back, 0)
        collector.cutBack(end)
        expected.length = end
        if (all.length > 0) {
          collect(collector, [messageOf(all[0].row)], 900)
          expected.push(judged(table, type, messageOf(all[0].row), 900))
        }
        expect(rowsOf(collector.drain())).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what was collected', () => {
  it('takes the memory it says, and little more', () => {
    const type = typeOf(avroSchemas.trades)
    const collector = createRowCollector(TABLES.trades, () => avroSchemas.trades)
    const row = Object.fromEntries(
      fieldsOf('trades').map(spec => [
        spec.name,
        spec.required ? fc.sample(valueArbitrary(spec), { numRuns: 1, seed: 1 })[0] : null,
      ]),
    )
    const message = Buffer.concat([HEADER, type.toBuffer({ ...row, message_id: 'x'.repeat(30), trade_id: '12345678' })])
    const cursor = createCursor(message)
    const ROWS = 50_000
    for (let i = 0; i < ROWS; i++) {
      collector.reserve(1)
      cursor.at = 0
      cursor.end = message.length
      collector.read(cursor, i, 0)
    }
    expect(collector.bytes() / ROWS).toBeGreaterThan(100)
    expect(collector.bytes() / ROWS).toBeLessThan(150)
    const { columns } = collector.drain()
    const arrays = Object.values(columns).reduce((sum, { values }) => sum + values.byteLength, 0)
    expect(arrays / ROWS).toBeLessThan(120)
  })
})
