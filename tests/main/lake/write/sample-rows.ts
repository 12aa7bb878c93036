// Rows of the tables as batches, to be staged by tests.
import { onTestFinished } from 'vitest'
import type { Column, ColumnBatch } from '../../../../src/contract/columns.ts'
import type { ColumnSpec, TableId } from '../../../../src/contract/tables.ts'
import type { DataFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import { newTableMetadata } from '../../../../src/main/lake/iceberg/new-table.ts'
import { localFiles } from '../../../../src/main/lake/io/local.ts'
import { definitionOf } from '../../../../src/main/lake/tables.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { openTestDuck } from '../../duck/duck.ts'

export const DAY = Date.UTC(2026, 0, 5) * 1000
export const MICROS_PER_DAY = 86_400_000_000

export interface SampleTrade {
  symbol: string
  micros: number
  sequence?: number | null
  price?: number
}

/** Trades whose other columns hold anything allowed; ids count from `firstId`. */
export function tradesBatch(rows: readonly SampleTrade[], firstId = 0): ColumnBatch {
  const count = rows.length
  const symbols = [...new Set(rows.map(({ symbol }) => symbol))]
  const constant = (type: Column['type'], word: string): Column => ({
    type,
    values: new Uint8Array(count),
    words: [word],
  })
  const doubles = (of: (row: SampleTrade, i: number) => number) => Float64Array.from(rows, of)
  const ids = (prefix: string): Column => ({
    type: 'string',
    values: Uint32Array.from(rows.keys()),
    words: rows.map((_, i) => prefix + (firstId + i)),
  })
  return {
    rowCount: count,
    columns: {
      message_id: ids('ASX:1767571200000:BHP:'),
      trade_id: ids(''),
      symbol: {
        type: 'string',
        values: Uint16Array.from(rows, ({ symbol }) => symbols.indexOf(symbol)),
        words: symbols,
      },
      exchange: constant('string', 'ASX'),
      asset_class: constant('enum', 'equities'),
      exchange_timestamp: { type: 'timestamp', values: doubles(({ micros }) => micros) },
      price: { type: 'decimal', scale: 8, values: doubles(({ price = 36.18e8 }) => price) },
      quantity: { type: 'decimal', scale: 0, values: doubles((_, i) => i) },
      currency: constant('string', 'AUD'),
      source_sequence: {
        type: 'long',
        values: doubles(({ sequence }) => sequence ?? 0),
        nulls: Uint8Array.from(rows, ({ sequence }) => (sequence == null ? 1 : 0)),
      },
      trade_conditions: {
        type: 'list',
        values: Uint8Array.from(rows, (_, i) => i % 2),
        words: [[], ['XT', 'a long one, of more']],
      },
      ingestion_timestamp: { type: 'timestamp', values: doubles(({ micros }) => micros + 1500) },
      vendor_data: { type: 'map', values: new Uint8Array(count), words: [{ venue: 'X' }] },
    },
  }
}

/** A batch in which every column holds what its type allows, null in every other row where it may. */
export function anyBatch(columns: readonly ColumnSpec[], count: number): ColumnBatch {
  const nulls = new Uint8Array(count).map((_, row) => row % 2)
  const entries = columns.map(spec => [spec.name, { ...anyColumn(spec, count), ...(!spec.required && { nulls }) }])
  return { rowCount: count, columns: Object.fromEntries(entries) as ColumnBatch['columns'] }
}

function anyColumn({ type, values: allowed }: ColumnSpec, count: number): Column {
  const numbers = new Float64Array(count).map((_, row) => row)
  const texts = (words: Column['words']): Column => ({
    type,
    words,
    values: Uint16Array.from(numbers, row => row % words!.length),
  })
  switch (type) {
    case 'string':
      return texts(['', 'é', 'a text of more than twelve bytes'])
    case 'enum':
      return texts(allowed)
    case 'list':
      return texts([[], ['x'], ['y', 'z']])
    case 'map':
      return texts([{}, { k: 'v' }])
    case 'bytes':
      return texts(['', 'w6k='])
    case 'timestamp':
      return { type, values: numbers.map(row => DAY - row * 1e9) }
    case 'decimal':
      return { type, values: numbers, scale: 8 }
    case 'int':
    case 'date':
      return { type, values: Int32Array.from(numbers) }
    case 'boolean':
      return { type, values: Uint8Array.from(numbers, row => row % 2) }
    default:
      return { type, values: numbers }
  }
}

/** An empty table in a folder of the test, and a DuckDB to write to it. */
export async function openTable(table: TableId = 'trades') {
  const { duck, connection } = await openTestDuck()
  const { spec, ...definition } = definitionOf(table)
  const metadata = newTableMetadata({ location: makeTempFolder(), ...definition, properties: {}, nowMs: 1 })
  const io = localFiles()
  onTestFinished(() => io.close())
  return { duck, connection, io, metadata, spec, specId: metadata['default-spec-id'] }
}

/** What stands after FROM to read these files, in the order of their rows. */
export function fromFiles(files: readonly DataFile[], options = ''): string {
  return `read_parquet([${files.map(({ path }) => `'${path}'`).join()}], hive_partitioning=false${options})`
}
