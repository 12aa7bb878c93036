// Decimals as the smallest integers that say the same: what bars and answers compute on.
import type { Column } from '../../../contract/columns.ts'

const POWERS = Float64Array.from({ length: 19 }, (_, k) => 10 ** k)
const LARGEST_INT32 = 2 ** 31 - 1

/**
 * The same numbers with the greatest power of ten taken out of all of them, in 32 bits where they fit: 36.18 and 20.00
 * with eight places become 3618 and 2000 with two. Beyond 2^53 they stay as they are.
 */
export function narrowDecimals(column: Column): Column {
  const { values, scale = 0 } = column
  if (column.type !== 'decimal' || !(values instanceof Float64Array)) return column
  const k = dividingPower(values, scale)
  const power = POWERS[k]
  let largest = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i])
    if (size > largest) largest = size
  }
  const narrow = largest / power <= LARGEST_INT32 ? new Int32Array(values.length) : new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) narrow[i] = Math.round(values[i] / power)
  return { ...column, values: narrow, scale: scale - k }
}

/** How often ten divides every one of them, `most` times at the most. */
function dividingPower(values: Float64Array, most: number): number {
  let k = most
  for (let i = 0; i < values.length && k > 0; i++) {
    const value = values[i]
    // The quotient is off by less than a half for all that is below 2^53, so what it gives back tells.
    while (k > 0 && Math.round(value / POWERS[k]) * POWERS[k] !== value) k--
  }
  return k
}
