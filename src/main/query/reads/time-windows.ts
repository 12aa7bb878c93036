// The first rows of a long time are read from a part of it that likely holds them, and from a larger one when it does
// not: a sort of what a table has took 42 to 66 ms for 20 million rows, of such a part 6 to 9.
import type { FileSpan } from '../../lake/reads.ts'
import type { TimeRange } from './row-filter.ts'

/** Below it there is nothing to be gained. */
const FEW_ROWS = 50_000
/** Of the first window, as if rows lay evenly over the time of their file and each one passed. */
const FIRST_ROWS = { least: 500, perWanted: 4 }
/** Of each one after it, by how many rows of those that are wanted were in the one before. */
const GROWTH = { least: 4, most: 64, spare: 2 }
const HALVINGS = 60

/**
 * Each one holds the one before; the last is the whole range. `wanted` rows are to be found at one of its ends; how many
 * there were is what the generator is to be told.
 */
export function* timeWindows(
  spans: readonly FileSpan[],
  range: TimeRange,
  wanted: number,
  isBackwards: boolean,
): Generator<TimeRange, void, number | undefined> {
  const known = spans.every(({ fromMicros, toMicros }) => Number.isFinite(fromMicros) && Number.isFinite(toMicros))
  if (known && spans.length > 0) {
    const whole = narrowed(spans, range)
    const total = rowsWithin(spans, whole)
    let rows = Math.max(FIRST_ROWS.least, FIRST_ROWS.perWanted * wanted)
    while (rows < total / 4 && total > FEW_ROWS) {
      const found = yield windowOf(spans, whole, range, rows, isBackwards)
      const growth = (GROWTH.spare * wanted) / Math.max(1, found ?? 0)
      rows *= Math.min(GROWTH.most, Math.max(GROWTH.least, growth))
    }
  }
  yield range
}

function narrowed(spans: readonly FileSpan[], range: TimeRange): TimeRange {
  let [least, most] = [Infinity, -Infinity]
  for (const { fromMicros, toMicros } of spans) {
    least = Math.min(least, fromMicros)
    most = Math.max(most, toMicros + 1)
  }
  return { fromMicros: Math.max(range.fromMicros, least), toMicros: Math.min(range.toMicros, most) }
}

function rowsWithin(spans: readonly FileSpan[], { fromMicros, toMicros }: TimeRange): number {
  let rows = 0
  for (const span of spans) {
    const shared = Math.min(toMicros, span.toMicros + 1) - Math.max(fromMicros, span.fromMicros)
    if (shared > 0) rows += span.rows * Math.min(1, shared / (span.toMicros + 1 - span.fromMicros))
  }
  return rows
}

/** The smallest one at an end of the range with so many rows, by bisection. */
function windowOf(
  spans: readonly FileSpan[],
  { fromMicros, toMicros }: TimeRange,
  range: TimeRange,
  rows: number,
  isBackwards: boolean,
): TimeRange {
  const within = (edge: number): TimeRange =>
    isBackwards ? { fromMicros: edge, toMicros } : { fromMicros, toMicros: edge }
  let [near, far] = isBackwards ? [toMicros, fromMicros] : [fromMicros, toMicros]
  for (let i = 0; i < HALVINGS && Math.abs(far - near) > 1; i++) {
    const middle = Math.floor((near + far) / 2)
    if (rowsWithin(spans, within(middle)) < rows) near = middle
    else far = middle
  }
  return isBackwards ? { fromMicros: far, toMicros: range.toMicros } : { fromMicros: range.fromMicros, toMicros: far }
}
