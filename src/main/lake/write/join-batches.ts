// Several batches as one, so that one order and one set of files can be made of their rows.
import { setImmediate } from 'node:timers/promises'
import type { Column, ColumnBatch, Values, Word } from '../../../contract/columns.ts'
import { rescale } from '../../duck/fill-numbers.ts'
import { packedColumn, packedTextsOf, type PackedTexts } from '../../market/packed-texts.ts'

/**
 * A column that only some of the batches have is null in the others; one without any value is left out. Files that are
 * being written meanwhile get their turns between the columns.
 */
export async function joinBatches(batches: readonly ColumnBatch[]): Promise<ColumnBatch> {
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0)
  const names = new Set(batches.flatMap(batch => Object.keys(batch.columns)))
  const columns: ColumnBatch['columns'] = {}
  for (const name of names) {
    const column = joinColumns(batches, name, rowCount)
    if (column) columns[name] = column
    if (batches.length > 1) await setImmediate()
  }
  return { rowCount, columns }
}

/** After the texts, so that they need not be copied once more where they are read in words of four bytes. */
const SPARE_BYTES = 16

interface Part {
  at: number
  rowCount: number
  column: Column | undefined
}

function joinColumns(batches: readonly ColumnBatch[], name: string, rowCount: number): Column | undefined {
  const parts: Part[] = []
  let at = 0
  for (const batch of batches) {
    const column = batch.columns[name] as Column | undefined
    const part = { at, rowCount: batch.rowCount, column: column && hasValues(column) ? column : undefined }
    if (batch.rowCount > 0) parts.push(part)
    at += batch.rowCount
  }
  const columns = parts.flatMap(({ column }) => column ?? [])
  if (columns.length === 0) return undefined
  if (batches.length === 1) return columns[0]
  const { type } = columns[0]
  const packed = columns.flatMap(column => (column.nulls ? [] : (packedTextsOf(column) ?? [])))
  if (packed.length === parts.length) return packedColumn(joinPacked(packed, rowCount))
  const nulls = joinNulls(parts, rowCount)
  if (columns[0].words) return { type, ...joinWords(parts, rowCount), ...nulls }
  return { type, ...joinNumbers(parts, rowCount), ...nulls }
}

/** Whether any row may have one. */
function hasValues(column: Column): boolean {
  if (column.nulls && !column.nulls.includes(0)) return false
  return packedTextsOf(column) !== undefined || !column.words?.every(word => word === null)
}

function joinNulls(parts: readonly Part[], rowCount: number): { nulls?: Uint8Array } {
  if (parts.every(({ column }) => column && !column.nulls)) return {}
  const nulls = new Uint8Array(rowCount)
  for (const { at, rowCount: count, column } of parts) {
    if (!column) nulls.fill(1, at, at + count)
    else if (column.nulls) nulls.set(column.nulls, at)
  }
  return { nulls }
}

function joinPacked(parts: readonly PackedTexts[], rowCount: number): PackedTexts {
  const sizes = parts.map(({ ends }) => ends[ends.length - 1])
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const bytes = new Uint8Array(new ArrayBuffer(total + SPARE_BYTES), 0, total)
  const ends = new Uint32Array(rowCount)
  let at = 0
  let from = 0
  parts.forEach((part, i) => {
    bytes.set(part.bytes.subarray(0, sizes[i]), from)
    for (let row = 0; row < part.ends.length; row++) ends[at++] = from + part.ends[row]
    from += sizes[i]
  })
  return { bytes, ends }
}

/** Words are put one after the other, those of batches that share them once; equal ones may stand there twice. */
function joinWords(parts: readonly Part[], rowCount: number): { values: Values; words: readonly Word[] } {
  const values = new Uint32Array(rowCount)
  const lists = [...new Set(parts.flatMap(({ column }) => (column?.words ? [column.words] : [])))]
  const firsts = new Map<readonly Word[], number>()
  let next = 0
  for (const list of lists) {
    firsts.set(list, next)
    next += list.length
  }
  for (const { at, column } of parts) {
    if (column?.words) copyCodes(values, column.values, at, firsts.get(column.words)!)
  }
  // One call: measured, pushing a million ids one by one took as long as encoding them.
  const words = ([] as Word[]).concat(...(lists as Word[][]))
  return { values, words }
}

function copyCodes(out: Uint32Array, codes: Values, at: number, first: number): void {
  out.set(codes as Uint32Array, at)
  if (first > 0) for (let row = at; row < at + codes.length; row++) out[row] += first
}

function joinNumbers(parts: readonly Part[], rowCount: number): { values: Values; scale?: number } {
  const columns = parts.flatMap(({ column }) => column ?? [])
  const scale = columns.reduce<number | undefined>((most, column) => maxScale(most, column.scale), undefined)
  const scaled = parts.map(({ at, column }) => ({ at, values: column && toScale(column, scale) }))
  const isWide = scaled.some(({ values }) => values instanceof BigInt64Array)
  const values = isWide ? new BigInt64Array(rowCount) : new Float64Array(rowCount)
  for (const { at, values: part } of scaled) {
    if (!part) continue
    if (!isWide) values.set(part as never, at)
    else values.set((part instanceof BigInt64Array ? part : Array.from(part as Float64Array, BigInt)) as never, at)
  }
  return { values, ...(scale !== undefined && { scale }) }
}

function maxScale(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : Math.max(a, b ?? 0)
}

function toScale({ values, scale = 0 }: Column, wanted = scale): Values {
  return wanted === scale ? values : rescale(values, wanted - scale)
}
