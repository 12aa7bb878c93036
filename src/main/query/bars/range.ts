// A range of time as it is asked for.
import { Failure } from '../../../contract/failure.ts'
import { microsOf } from '../moments.ts'

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
