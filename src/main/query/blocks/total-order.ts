// The total order of rows: exchange_timestamp, source_sequence, _partition, _offset, message_id, nulls last. Later keys
// are asked for only where earlier ones are equal, as reading them costs.
import type { Column } from '../../../contract/columns.ts'
import { compareTexts, TOTAL_ORDER } from '../../market/row-order.ts'

export const TIME = TOTAL_ORDER[0]
/** After the time; each level is wanted when rows are equal in all before it. */
export const KEY_LEVELS = [['source_sequence'], ['_partition', '_offset'], ['message_id']] as const
export const ALL_KEYS: readonly string[] = TOTAL_ORDER

export type CompareRows = (a: number, b: number) => number
type GetKeys = (names: readonly string[]) => Promise<readonly Column[]>

/** Keys are read by `keys`; rows are numbered as in them. Nothing when they are in order as they are. */
export async function totalOrder(time: Column, keys: GetKeys): Promise<Uint32Array | undefined> {
  const times = time.values as Float64Array
  if (isAscending(times)) return undefined
  const columns = [time]
  let order: Uint32Array | undefined
  for (const level of KEY_LEVELS) {
    columns.push(...(await keys(level)))
    const compare = comparisonOf(columns)
    const sorted = sortedOrder(times.length, compare)
    order = sorted.order
    if (!sorted.hasEqual) break
  }
  return order
}

/** Strictly, so that time alone orders the rows. */
function isAscending(times: Float64Array): boolean {
  for (let i = 1; i < times.length; i++) if (!(times[i - 1] < times[i])) return false
  return true
}

function sortedOrder(rowCount: number, compare: CompareRows): { order: Uint32Array | undefined; hasEqual: boolean } {
  let isInOrder = true
  let hasEqual = false
  for (let i = 1; i < rowCount && isInOrder; i++) {
    const found = compare(i - 1, i)
    if (found > 0) isInOrder = false
    else if (found === 0) hasEqual = true
  }
  if (isInOrder) return { order: undefined, hasEqual }
  const order = new Uint32Array(rowCount).map((_, row) => row).sort(compare)
  hasEqual = false
  for (let i = 1; i < rowCount && !hasEqual; i++) hasEqual = compare(order[i - 1], order[i]) === 0
  return { order, hasEqual }
}

export function comparisonOf(columns: readonly Column[]): CompareRows {
  const comparisons = columns.map(compareBy)
  return (a, b) => {
    for (const compare of comparisons) {
      const found = compare(a, b)
      if (found !== 0) return found
    }
    return 0
  }
}

function compareBy({ values, words, nulls }: Column): CompareRows {
  const byValue: CompareRows = words
    ? (a, b) => compareTexts(words[Number(values[a])] as string, words[Number(values[b])] as string)
    : (a, b) => (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0)
  if (!nulls) return byValue
  return (a, b) => (nulls[a] || nulls[b] ? nulls[a] - nulls[b] : byValue(a, b))
}
