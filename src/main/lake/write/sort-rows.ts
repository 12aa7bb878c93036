// The rows of a batch by partition, and within one by the table's sort order. Rows mostly come in time order already,
// so two counting sorts put them by partition and symbol, and only runs that are not in order are compared.
import type { Column, ColumnBatch, Values } from '../../../contract/columns.ts'
import { compareTexts } from '../iceberg/order.ts'
import type { SortField, SortOrder } from '../iceberg/metadata.ts'
import type { Schema } from '../iceberg/schema.ts'
import type { Routes } from './route-rows.ts'

export interface SortedRows {
  /** Row numbers, those of a partition together and sorted. */
  rows: Uint32Array
  /** Those of partition p are from starts[p] up to starts[p + 1]. */
  starts: Uint32Array
}

export function sortRows(batch: ColumnBatch, { codes, partitions }: Routes, order: readonly SortColumn[]): SortedRows {
  const keys = order.map(({ name, ascending, nullsFirst }) => keyOf(batch.columns[name], { ascending, nullsFirst }))
  let rows: Uint32Array = new Uint32Array(batch.rowCount).map((_, row) => row)
  const [first] = keys
  const leading = first?.ranks && countingSort(rows, first.ranks, first.rankCount)
  if (leading) rows = leading.rows
  const { rows: byPartition, starts } = countingSort(rows, codes, partitions.length)
  for (let i = 0; i < partitions.length; i++) {
    const part = byPartition.subarray(starts[i], starts[i + 1])
    if (leading) sortRuns(part, first.ranks!, keys.slice(1))
    else sortRun(part, keys)
  }
  return { rows: byPartition, starts }
}

export interface SortColumn {
  name: string
  ascending: boolean
  nullsFirst: boolean
}

/** Nothing for an order that rows cannot be put in here: by a transform, or by a column that is not in the schema. */
export function sortColumnsOf({ fields }: SortOrder, schema: Schema): SortColumn[] | undefined {
  const columns = fields.map((field: SortField): SortColumn | undefined => {
    const source = schema.fields.find(({ id }) => id === field['source-id'])
    if (!source || typeof source.type !== 'string' || field.transform !== 'identity') return undefined
    return {
      name: source.name,
      ascending: field.direction === 'asc',
      nullsFirst: field['null-order'] === 'nulls-first',
    }
  })
  return columns.includes(undefined) || columns.length === 0 ? undefined : (columns as SortColumn[])
}

interface Key {
  compare: (a: number, b: number) => number
  /** The place of each row's text among all; absent for numbers. */
  ranks?: Uint32Array
  rankCount: number
  /** Where every row has a number, and the least comes first. */
  ascending?: Values
}

function keyOf(column: Column | undefined, { ascending, nullsFirst }: Omit<SortColumn, 'name'>): Key {
  if (!column) return { compare: () => 0, rankCount: 0 }
  if (column.words) {
    const { ranks, rankCount } = ranksOf(column, ascending, nullsFirst)
    return { compare: (a, b) => ranks[a] - ranks[b], ranks, rankCount }
  }
  const { values, nulls } = column
  const sign = ascending ? 1 : -1
  const byValue = (a: number, b: number) => (values[a] < values[b] ? -sign : values[a] > values[b] ? sign : 0)
  if (!nulls) return { compare: byValue, rankCount: 0, ...(ascending && { ascending: values }) }
  const nullSign = nullsFirst ? -1 : 1
  return {
    compare: (a, b) => (nulls[a] || nulls[b] ? (nulls[a] - nulls[b]) * nullSign : byValue(a, b)),
    rankCount: 0,
  }
}

/** Equal words have one rank, however often they stand in the dictionary. */
function ranksOf({ values, words, nulls }: Column, ascending: boolean, nullsFirst: boolean) {
  const distinct = [...new Set(words as (string | null)[])].filter(word => word !== null)
  distinct.sort(ascending ? compareTexts : (a, b) => compareTexts(b, a))
  const none = nullsFirst ? 0 : distinct.length
  const rankOf = new Map<string | null, number>(distinct.map((word, i) => [word, i + (nullsFirst ? 1 : 0)]))
  rankOf.set(null, none)
  const rankOfCode = Uint32Array.from(words as (string | null)[], word => rankOf.get(word)!)
  const ranks = new Uint32Array(values.length)
  fillRanks(ranks, values, rankOfCode, nulls, none)
  return { ranks, rankCount: distinct.length + 1 }
}

function fillRanks(
  ranks: Uint32Array,
  codes: Values,
  rankOfCode: Uint32Array,
  nulls: Uint8Array | undefined,
  none: number,
) {
  for (let row = 0; row < ranks.length; row++) ranks[row] = nulls?.[row] ? none : rankOfCode[Number(codes[row])]
}

/** Stable. Rows with code c are from starts[c] up to starts[c + 1]. */
function countingSort(rows: Uint32Array, codes: Uint32Array, codeCount: number): SortedRows {
  const starts = new Uint32Array(codeCount + 1)
  for (let row = 0; row < codes.length; row++) starts[codes[row] + 1]++
  for (let code = 0; code < codeCount; code++) starts[code + 1] += starts[code]
  const next = starts.slice()
  const sorted = new Uint32Array(rows.length)
  for (let i = 0; i < rows.length; i++) sorted[next[codes[rows[i]]]++] = rows[i]
  return { rows: sorted, starts }
}

/** `rows` are in the order of `ranks`; the rows of each rank are put in that of `keys`. */
function sortRuns(rows: Uint32Array, ranks: Uint32Array, keys: readonly Key[]): void {
  for (let from = 0, to = 0; from < rows.length; from = to) {
    while (to < rows.length && ranks[rows[to]] === ranks[rows[from]]) to++
    sortRun(rows.subarray(from, to), keys)
  }
}

/** In place, equal rows as they came. */
function sortRun(rows: Uint32Array, keys: readonly Key[]): void {
  const compare = (a: number, b: number) => {
    for (const key of keys) {
      const order = key.compare(a, b)
      if (order !== 0) return order
    }
    return 0
  }
  if (!isInOrder(rows, keys[0]?.ascending, compare)) rows.sort(compare)
}

function isInOrder(rows: Uint32Array, leading: Values | undefined, compare: (a: number, b: number) => number): boolean {
  for (let i = 1; i < rows.length; i++) {
    // Mostly the leading numbers tell, for a fifth of what comparing keys costs.
    if (leading && leading[rows[i - 1]] < leading[rows[i]]) continue
    if (compare(rows[i - 1], rows[i]) > 0) return false
  }
  return true
}
