import { expect, it } from 'vitest'
import { emptyBatch } from '../../../src/contract/columns.ts'
import { trades } from '../../../src/contract/tables.ts'
import { formatAnswer, streamFormatter } from '../../../src/main/wire/cli/print.ts'
import { tickBatch, tickRows } from '../../support/sample.ts'

it('prints csv with its header also when there are no rows', () => {
  expect(formatAnswer(emptyBatch(trades.columns), 'csv')).toBe(
    trades.columns.map(({ name }) => name).join(',') + '\r\n',
  )
})

it('quotes what csv must quote and leaves nulls empty', () => {
  const lines = formatAnswer(tickBatch(), 'csv').split('\r\n')
  expect(lines[1]).toBe('BHP,2023-11-14T22:13:20.000000Z,1234567890.12345678,9007199254740993')
  expect(lines[2]).toBe('"ÆØ ""å""",2023-11-14T22:13:20.000001Z,,2')
  expect(lines).toHaveLength(5)
})

it('prints json and ndjson that parse back to the rows', () => {
  expect(JSON.parse(formatAnswer(tickBatch(), 'json'))).toEqual(tickRows)
  const lines = formatAnswer(tickBatch(), 'ndjson').trimEnd().split('\n')
  expect(lines.map(line => JSON.parse(line) as unknown)).toEqual(tickRows)
})

it('prints a table of the columns that hold something, as many as fit', () => {
  const wide = formatAnswer(tickBatch(), 'table', { width: 200 })
  expect(wide).toContain('1234567890.12345678')
  expect(wide).toContain('sequence')
  const narrow = formatAnswer(tickBatch(), 'table', { width: 60 })
  const [note, ...lines] = narrow.split('\n')
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(60)
  expect(note).toContain('(not shown: sequence;')
})

it('never leaves out what went wrong, and puts it last', () => {
  const rows = [{ name: 'log', why: 'Kafka at 127.0.0.1:9092 cannot be reached.', healthy: false, latency_ms: 12.5 }]
  const expected = [
    'name  healthy  latency_ms  why',
    'log   false          12.5  Kafka at 127.0.0.1:9092 cannot be reached.',
    '',
  ]
  expect(formatAnswer(rows, 'table', { width: 30 }).split('\n')).toEqual(expected)
  expect(formatAnswer({ status: 'unhealthy', dependencies: rows }, 'table', { width: 30 })).toContain(expected[1])
})

it('says that there are no rows', () => {
  expect(formatAnswer(emptyBatch(trades.columns), 'table')).toBe('No rows.\n')
})

it('prints an object field by field', () => {
  expect(formatAnswer({ tail: { rows: 3, oldest: null }, ok: true }, 'table')).toBe(
    'tail.rows    3\ntail.oldest  \nok           true\n',
  )
})

it('prints lists of objects inside an object as tables of their own', () => {
  const printed = formatAnswer({ status: 'healthy', dependencies: [{ name: 'tail', healthy: true }] }, 'table')
  expect(printed).toMatch(/^status {2}healthy\n\ndependencies\nname +healthy\ntail +true\n$/)
})

it('prints a stream under one header, aligned, whatever later batches hold', () => {
  const format = streamFormatter('table', 100)
  const lines = (
    format([{ symbol: 'BHP', price: '1.5', side: 'BUY' }]) + format([{ symbol: 'RIO', price: '12.25', side: null }])
  ).split('\n')
  expect(lines).toEqual(['symbol  price  side', 'BHP       1.5  BUY', 'RIO     12.25', ''])
  const csv = streamFormatter('csv')
  expect(csv([{ a: 1, b: 2 }]) + csv([{ b: 4, a: 3 }])).toBe('a,b\r\n1,2\r\n3,4\r\n')
})

it('prints ten thousand rows as csv in no time', () => {
  const rows = Array.from({ length: 10_000 }, (_, a) => ({ a, b: 'x', c: null }))
  const started = performance.now()
  expect(formatAnswer(rows, 'csv').split('\r\n')).toHaveLength(10_002)
  expect(performance.now() - started).toBeLessThan(500)
})
