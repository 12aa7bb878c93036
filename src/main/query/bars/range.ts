// A range of time as it is asked for.
import { Failure } from '../../../contract/failure.ts'
import { microsOf } from '../moments.ts'
import type { WindowAt } from './windows.ts'

export interface AskedRange {
  start_time?: string
  end_time?: string
}

export interface Range {
  startMicros?: number
  /** Exclusive. */
  endMicros?: number
}

export function rangeOf({ start_time: start, end_time: end }: AskedRange): Range {
  const startMicros = start === undefined ? undefined : microsOf(start, 'start_time')
  const endMicros = end === undefined ? undefined : microsOf(end, 'end_time')
  if (startMicros !== undefined && endMicros !== undefined && startMicros > endMicros)
    throw new Failure('INVALID_INPUT', `start_time ${start} is after end_time ${end}.`, {
      details: { start_time: start, end_time: end },
    })
  return { startMicros, endMicros }
}

/** Of a range, what lies in windows that had ended when a clock was there: one that has not is still forming. */
export function endedAt<R extends Range>(range: R, windowAt: WindowAt, clockMicros: number | undefined): R {
  if (clockMicros === undefined) return range
  return upTo(range, windowAt(clockMicros).start)
}

export function upTo<R extends Range>(range: R, micros: number | undefined): R {
  if (micros === undefined) return range
  return { ...range, endMicros: Math.min(range.endMicros ?? Infinity, micros) }
}
