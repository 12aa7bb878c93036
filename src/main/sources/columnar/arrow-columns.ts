// One column of an Arrow record batch as a column of ours: raw buffers where values all take the same number of bytes.
import { isUtf8 } from 'node:buffer'
import { DataType, TimeUnit, Vector, type Data } from 'apache-arrow'
import { decimalText, type Column, type Word } from '../../../contract/columns.ts'
import { createDictionary } from '../../market/decode-dictionary.ts'
import { createExactNumbers } from './convert-numbers.ts'
import { isSingle, kindOf } from './arrow-types.ts'

export function arrowColumn(vector: Vector<DataType>): Column {
  const [data] = vector.data
  const nulls = nullsOf(data)
  return { ...columnOf(vector, data), ...(nulls && { nulls }) }
}

function nullsOf(data: Data<DataType>): Uint8Array | undefined {
  if (DataType.isNull(data.type)) return new Uint8Array(data.length).fill(1)
  if (data.nullCount === 0) return undefined
  return Uint8Array.from({ length: data.length }, (_, row) => (data.getValid(row) ? 0 : 1))
}

function columnOf(vector: Vector<DataType>, data: Data<DataType>): Column {
  const { type, length } = data
  if (DataType.isDictionary(type)) return dictionaryColumn(data)
  if (DataType.isNull(type)) return { type: 'string', values: new Uint8Array(length), words: [''] }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return textsOf(data)
  switch (kindOf(type)) {
    case 'whole':
      return wholesOf(data)
    case 'double': {
      const values = Float64Array.from(data.values as Float32Array)
      return { type: 'double', values: values.length > 0 && isSingle(type) ? values.map(shortest) : values }
    }
    case 'decimal':
      return decimalsOf(data, type as DataType & { scale: number; bitWidth: number })
    case 'boolean':
      return { type: 'boolean', values: Uint8Array.from({ length }, (_, row) => (vector.get(row) ? 1 : 0)) }
    case 'date':
      return {
        type: 'date',
        values: Int32Array.from({ length }, (_, row) => Math.floor(Number(vector.get(row) ?? 0) / DAY_MS)),
      }
    case 'instant':
    case 'wall':
      return {
        type: 'timestamp',
        values: microsOf(data.values as BigInt64Array, (type as unknown as { unit: TimeUnit }).unit),
      }
    case 'list':
      return wordsOf('list', vector, (value: Iterable<string | null>) => [...value].map(text => text ?? ''))
    case 'map':
      return wordsOf('map', vector, (value: Iterable<[string, string | null]>) =>
        Object.fromEntries([...value].flatMap(([key, text]) => (text === null ? [] : [[key, text]]))),
      )
    case 'text':
      return wordsOf('string', vector, (value: string) => value)
    default:
      return wordsOf('string', vector, (value: unknown) => String(value))
  }
}

const DAY_MS = 86_400_000

/** Codes and words as they are; of numbers, each one looked up. */
function dictionaryColumn(data: Data<DataType>): Column {
  const codes = Uint32Array.from({ length: data.length }, (_, row) =>
    data.getValid(row) ? Number((data.values as Int32Array)[row]) : 0,
  )
  const parts = data.dictionary!.data.map(part => ({
    length: part.length,
    column: arrowColumn(new Vector<DataType>([part])),
  }))
  const [{ column: first }] = parts
  if (first.words) {
    const words = parts.flatMap(({ length, column: { words: own, values, nulls } }) =>
      Array.from({ length }, (_, i) => (nulls?.[i] === 1 ? null : own![Number(values[i])])),
    )
    return { type: first.type, values: codes, words: words.length > 0 ? words : [''] }
  }
  if (parts.length > 1 || first.nulls) throw new Error('a dictionary of numbers comes in parts or with nulls')
  const values = new (first.values.constructor as Float64ArrayConstructor)(data.length) as Column['values']
  codes.forEach((code, row) => (values[row] = first.values[code]))
  return { ...first, values }
}

function textsOf({ values, valueOffsets, length }: Data<DataType>): Column {
  const offsets = valueOffsets as Int32Array | BigInt64Array
  const bytes = Buffer.from(
    (values as Uint8Array).buffer,
    (values as Uint8Array).byteOffset,
    (values as Uint8Array).byteLength,
  )
  const dictionary = createDictionary((run, from, to) => {
    if (!isUtf8(run.subarray(from, to))) throw new Error('a text is not UTF-8')
    return run.toString('utf8', from, to)
  })
  const codes = new Uint32Array(length)
  for (let row = 0; row < length; row++)
    codes[row] = dictionary.codeOf(bytes, Number(offsets[row]), Number(offsets[row + 1]))
  return { type: 'string', values: codes, words: dictionary.words }
}

function wholesOf(data: Data<DataType>): Column {
  const { length } = data
  const values = data.values as Int32Array | BigInt64Array | BigUint64Array
  if (!(values instanceof BigInt64Array || values instanceof BigUint64Array))
    return { type: 'long', values: Float64Array.from(values) }
  if (values instanceof BigUint64Array && values.some(value => BigInt.asIntN(64, value) !== value))
    return { type: 'string', values: Uint32Array.from({ length }, (_, row) => row), words: Array.from(values, String) }
  const numbers = createExactNumbers(length)
  values.forEach((value, row) => numbers.put(row, value))
  return { type: 'long', values: numbers.values() }
}

/** Little-endian two's complement. What 64 bits do not hold goes as text, all of the column. */
function decimalsOf(data: Data<DataType>, { scale, bitWidth }: { scale: number; bitWidth: number }): Column {
  const { buffer, byteOffset } = data.values as Uint32Array
  const words = new Uint32Array(buffer, byteOffset, (data.length * bitWidth) / 32)
  const perValue = bitWidth / 32
  const unscaled = Array.from({ length: data.length }, (_, row) => {
    let value = 0n
    for (let word = perValue - 1; word >= 0; word--) value = (value << 32n) | BigInt(words[row * perValue + word])
    return BigInt.asIntN(bitWidth, value)
  })
  if (unscaled.some(value => BigInt.asIntN(64, value) !== value))
    return {
      type: 'string',
      values: Uint32Array.from(unscaled.keys()),
      words: unscaled.map(value => decimalText(value, scale)),
    }
  const numbers = createExactNumbers(data.length)
  unscaled.forEach((value, row) => numbers.put(row, value))
  return { type: 'decimal', scale, values: numbers.values() }
}

/** What is finer than a microsecond is cut. */
function microsOf(values: BigInt64Array, unit: TimeUnit): Float64Array {
  if (unit === TimeUnit.NANOSECOND)
    return Float64Array.from(values, nanos => Number((nanos - (((nanos % 1000n) + 1000n) % 1000n)) / 1000n))
  const factor = { [TimeUnit.SECOND]: 1e6, [TimeUnit.MILLISECOND]: 1e3, [TimeUnit.MICROSECOND]: 1 }[unit]
  return Float64Array.from(values, value => Number(value) * factor)
}

function wordsOf<T>(type: Column['type'], vector: Vector<DataType>, wordOf: (value: T) => Word): Column {
  const codes = new Uint32Array(vector.length)
  const words: Word[] = []
  const known = new Map<string, number>()
  for (let row = 0; row < vector.length; row++) {
    const value = vector.get(row) as T | null
    if (value === null) continue
    const word = wordOf(value)
    const key = typeof word === 'string' ? word : JSON.stringify(word)
    const code = known.get(key) ?? words.push(word) - 1
    known.set(key, code)
    codes[row] = code
  }
  return { type, values: codes, words: words.length > 0 ? words : [''] }
}

/** A float of four bytes as the shortest decimal that is read as it: 36.67 and not 36.66999816894531. */
function shortest(single: number): number {
  const scaled = Math.round(single * 1e4)
  // No two decimals of six digits are the same float.
  if (Math.abs(scaled) < 1e6 && Math.fround(scaled / 1e4) === single) return scaled / 1e4
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(single.toPrecision(digits))
    if (Math.fround(decimal) === single) return decimal
  }
  return Number.isNaN(single) ? NaN : Number(single.toPrecision(9))
}
