// How many rows there are up to any time, as far as the spans of files tell: for windows that hold about as many rows as
// one wants, jump over times without any, and take a quiet year in one step.
import type { FileSpan } from '../lake/reads.ts'

export interface Density {
  /** Before the first row and after the last one; nothing where there is no file. */
  range: { fromMicros: number; toMicros: number } | undefined
  /** Rows before a time. */
  before: (micros: number) => number
  /** The first time before which there are so many. */
  timeOf: (rows: number) => number
}

/** Every span's rows lie evenly in it; between the ends of spans the count is a straight line. */
export function densityOf(spans: readonly FileSpan[]): Density {
  const known = spans.filter(({ fromMicros, toMicros }) => Number.isFinite(fromMicros) && Number.isFinite(toMicros))
  const changes = known
    .flatMap(({ rows, fromMicros, toMicros }) => {
      const rate = rows / (toMicros + 1 - fromMicros)
      return [
        { at: fromMicros, rate },
        { at: toMicros + 1, rate: -rate },
      ]
    })
    .sort((a, b) => a.at - b.at)
  const times: number[] = []
  const counts: number[] = []
  let count = 0
  let rate = 0
  for (const change of changes) {
    if (times.length > 0) count += rate * (change.at - times[times.length - 1])
    rate += change.rate
    if (times[times.length - 1] === change.at) continue
    times.push(change.at)
    counts.push(count)
  }
  const last = times.length - 1
  return {
    range: last < 0 ? undefined : { fromMicros: times[0], toMicros: times[last] },
    before(micros) {
      if (last < 0 || micros <= times[0]) return 0
      if (micros >= times[last]) return counts[last]
      const i = lastAtMost(times, micros)
      return counts[i] + ((micros - times[i]) / (times[i + 1] - times[i])) * (counts[i + 1] - counts[i])
    },
    timeOf(rows) {
      if (last < 0) return 0
      if (rows <= 0) return times[0]
      if (rows >= counts[last]) return times[last]
      const i = lastAtMost(counts, rows)
      return Math.ceil(times[i] + ((rows - counts[i]) / (counts[i + 1] - counts[i])) * (times[i + 1] - times[i]))
    },
  }
}

/** The place of the last of rising numbers that is at most so much; the first is. */
function lastAtMost(numbers: readonly number[], most: number): number {
  let from = 0
  for (let to = numbers.length; to - from > 1;) {
    const middle = (from + to) >>> 1
    if (numbers[middle] <= most) from = middle
    else to = middle
  }
  return from
}
