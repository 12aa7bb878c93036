// What a column in the making consists of, whatever it holds, and how its arrays grow and are handed over.
import type { Column, Values, Word } from '../../contract/columns.ts'
import type { ColumnType } from '../../contract/tables.ts'
import type { Sink } from './decode.ts'

export interface GrowingColumn {
  sink: Sink
  /** As they lie now; another array after it has grown. 64-bit numbers are pairs, low half first. */
  values: () => Values
  nulls: () => Uint8Array | undefined
  /** What codes stand for. */
  words: () => readonly Word[]
  /** Of a column of ids. */
  textAt: (row: number) => string
  /** Of a column of ids: instead of the one that the last row has. */
  putText: (row: number, text: Buffer) => void
  /** So many rows have room. */
  grow: (rows: number) => void
  /** A row that was begun and did not come to be. */
  forget: (row: number) => void
  /** To a row below, whose own values are gone then; from the first row on upwards. */
  move: (from: number, to: number) => void
  bytes: (rowCount: number) => number
  /** The first rows, and starts anew. */
  finish: (rowCount: number) => Column
  /** One that was finished and that nobody reads any more: its memory is taken for later rows where it fits. */
  reuse: (column: Column) => void
}

/** A column without its nulls. */
export interface Part extends Pick<GrowingColumn, 'sink' | 'values' | 'grow' | 'move' | 'bytes' | 'reuse'> {
  words?: () => readonly Word[]
  textAt?: (row: number) => string
  putText?: (row: number, text: Buffer) => void
  finish: (rowCount: number, type: ColumnType) => Column
}

export type SetNull = (row: number) => void
export type Growable = Float64Array | Int32Array | Uint32Array | Uint8Array

export function enlarged<A extends Growable>(values: A, length: number): A {
  const larger = new (values.constructor as new (length: number) => A)(length)
  larger.set(values)
  return larger
}

/** More than this many times what is wanted would be held for nothing. */
const MOST_SPARE = 2

/** Room for so many: an array that was given back, with what was in it, or a larger one with what is in it now. */
export function withRoom<A extends Growable>(values: A, spare: A | undefined, length: number): A {
  if (values.length > 0) return enlarged(values, length)
  return fits(spare, length) ? spare : enlarged(values, length)
}

export function fits<A extends { length: number }>(spare: A | undefined, length: number): spare is A {
  return spare !== undefined && spare.length >= length && spare.length <= length * MOST_SPARE
}

/** All of the memory that an array was handed over from. */
export function wholeOf<A extends Growable>({ constructor, buffer }: A): A {
  return new (constructor as new (buffer: ArrayBufferLike) => A)(buffer)
}

export function emptied<A extends Growable>(values: A): A {
  return new (values.constructor as new (length: number) => A)(0)
}

/** The array itself, unless more than half of it would be kept in memory for nothing. */
export function handedOver<A extends Growable>(values: A, length: number): A {
  return (length * 2 < values.length ? values.slice(0, length) : values.subarray(0, length)) as A
}
