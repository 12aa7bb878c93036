// What callers ask for, checked and in the engine's words.
import { Failure } from '../../contract/failure.ts'
import type { TimeRange } from './row-source.ts'

type MicrosOf = (text: string, field: string) => number

/** Beyond every time that a table can hold exactly: the year 2255. */
const EVER: TimeRange = { fromMicros: -9e15, toMicros: 9e15 }

export function rangeOf(
  { microsOf }: { microsOf: MicrosOf },
  { start_time: start, end_time: end }: { start_time?: string; end_time?: string },
): TimeRange {
  const fromMicros = start === undefined ? EVER.fromMicros : microsOf(start, 'start_time')
  const toMicros = end === undefined ? EVER.toMicros : microsOf(end, 'end_time')
  if (toMicros < fromMicros)
    throw new Failure('INVALID_INPUT', `start_time ${start} is after end_time ${end}: nothing lies between them.`, {
      details: [{ field: 'start_time', problem: 'is after end_time' }],
    })
  return { fromMicros, toMicros }
}

export function symbolsOf({ symbol, symbols }: { symbol?: string; symbols?: readonly string[] }) {
  if (symbol === undefined) return symbols
  if (symbols === undefined) return [symbol]
  throw new Failure('INVALID_INPUT', 'symbol and symbols exclude each other: give one of them.', {
    details: [{ field: 'symbols', problem: 'is given beside symbol' }],
  })
}
