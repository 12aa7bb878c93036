// Sorted blocks that overlap in time, as one order over all their rows.
import type { Column } from '../../../contract/columns.ts'
import { joinColumns } from './combine-columns.ts'
import { comparisonOf, KEY_LEVELS, type CompareRows } from './total-order.ts'

/** A key column of each block, cut to the same rows as the times. */
export type GetParts = (names: readonly string[]) => Promise<readonly (readonly Column[])[]>

/**
 * Rows are numbered through the blocks, one after the other. Further keys are asked for only where rows of two blocks
 * have the same time; rows that are equal in all keys stay in the order of the blocks.
 */
export async function mergeOrder(times: readonly Column[], parts: GetParts): Promise<Uint32Array> {
  const starts = [0]
  for (const { values } of times) starts.push(starts[starts.length - 1] + values.length)
  const keys = [joinColumns(times)]
  let { order, hasEqual } = mergeRuns(starts, comparisonOf(keys))
  for (const level of KEY_LEVELS) {
    if (!hasEqual) break
    for (const columns of await parts(level)) keys.push(joinColumns(columns))
    ;({ order, hasEqual } = mergeRuns(starts, comparisonOf(keys)))
  }
  return order
}

/** `hasEqual` when rows of two runs were compared and found equal. */
function mergeRuns(starts: readonly number[], compare: CompareRows): { order: Uint32Array; hasEqual: boolean } {
  const rowCount = starts[starts.length - 1]
  let from: Uint32Array = new Uint32Array(rowCount).map((_, row) => row)
  let to = new Uint32Array(rowCount)
  let bounds = starts
  let hasEqual = false
  while (bounds.length > 2) {
    const merged = [0]
    for (let i = 0; i + 1 < bounds.length; i += 2) {
      const end = bounds[Math.min(i + 2, bounds.length - 1)]
      if (mergeTwo(from, to, { start: bounds[i], middle: bounds[i + 1], end }, compare)) hasEqual = true
      merged.push(end)
    }
    ;[from, to] = [to, from as Uint32Array<ArrayBuffer>]
    bounds = merged
  }
  return { order: from, hasEqual }
}

interface Pair {
  start: number
  middle: number
  end: number
}

function mergeTwo(from: Uint32Array, to: Uint32Array, { start, middle, end }: Pair, compare: CompareRows): boolean {
  let left = start
  let right = middle
  let hasEqual = false
  for (let at = start; at < end; at++) {
    if (left === middle) to[at] = from[right++]
    else if (right === end) to[at] = from[left++]
    else {
      const found = compare(from[left], from[right])
      if (found === 0) hasEqual = true
      to[at] = found <= 0 ? from[left++] : from[right++]
    }
  }
  return hasEqual
}
