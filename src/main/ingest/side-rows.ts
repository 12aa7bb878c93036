// Dead letters and gaps as rows of the tables they are kept in.
import type { Column, ColumnBatch, Values } from '../../contract/columns.ts'
import { deadLetters, sequenceGaps, type TableSpec } from '../../contract/tables.ts'
import type { DeadLetter, Gap } from './intake.ts'

export function deadLetterRows(letters: readonly DeadLetter[]): ColumnBatch {
  return batchOf(deadLetters, letters, {
    detected_at: ({ logMicros }) => logMicros,
    topic: ({ topic }) => topic,
    partition: ({ partition }) => partition,
    offset: ({ offset }) => offset,
    key: ({ key }) => key && key.toString('base64'),
    bytes: ({ bytes }) => bytes && bytes.toString('base64'),
    reason: ({ reason }) => reason,
    error: ({ error }) => error,
  })
}

export function gapRows(gaps: readonly Gap[]): ColumnBatch {
  return batchOf(sequenceGaps, gaps, {
    detected_at: ({ logMicros }) => logMicros,
    symbol: ({ symbol }) => symbol,
    exchange: ({ exchange }) => exchange,
    asset_class: ({ assetClass }) => assetClass,
    data_type: ({ dataType }) => dataType,
    expected_sequence: ({ expected }) => expected,
    received_sequence: ({ received }) => received,
    gap_size: ({ expected, received }) => received - expected,
    severity: ({ severity }) => severity,
    _topic: ({ topic }) => topic,
    _partition: ({ partition }) => partition,
    _offset: ({ offset }) => offset,
  })
}

type Value = string | number | bigint | null

function batchOf<T>(table: TableSpec, items: readonly T[], valueOf: Record<string, (item: T) => Value>): ColumnBatch {
  const columns = table.columns.map(({ name, type }): [string, Column] => {
    const values = items.map(valueOf[name])
    const nulls = values.includes(null) ? { nulls: Uint8Array.from(values, value => (value === null ? 1 : 0)) } : {}
    const isText = type === 'string' || type === 'enum' || type === 'bytes'
    return [name, { type, ...(isText ? coded(values as (string | null)[]) : { values: numbers(values) }), ...nulls }]
  })
  return { rowCount: items.length, columns: Object.fromEntries(columns) }
}

function coded(texts: readonly (string | null)[]): { values: Values; words: string[] } {
  const codes = new Map<string, number>()
  const values = Uint32Array.from(texts, text => {
    const code = codes.get(text ?? '')
    if (code !== undefined) return code
    codes.set(text ?? '', codes.size)
    return codes.size - 1
  })
  return { values, words: [...codes.keys()] }
}

function numbers(values: readonly Value[]): Values {
  const isExact = values.every(value => typeof value !== 'bigint' || BigInt.asIntN(54, value) === value)
  return isExact ? Float64Array.from(values, Number) : BigInt64Array.from(values, value => BigInt(value ?? 0))
}
