// A place between two rows of an ordered read: all rows before a time lie before it, and so many of those at the time.
// It needs no row to be named by, and means the same as long as the rows are those of one snapshot.
import { Failure } from '../../contract/failure.ts'

export interface Place {
  micros: number
  /** Rows at exactly that time which lie before the place. */
  skip: number
}

export function atTime(micros: number): Place {
  return { micros, skip: 0 }
}

/** The place before row `at` of rows that lie from `from` to `to`. */
export function placeBefore(times: Float64Array, at: number, from: Place, to: Place): Place {
  if (at === 0) return from
  if (at === times.length) return to
  const micros = times[at]
  return { micros, skip: countAt(times, at, micros) + (reachesStart(times, at, micros) ? carried(from, micros) : 0) }
}

/** Before which of the rows, that lie from `from` to `to`, a place is; nothing where it is before or behind all of them. */
export function rowAt(times: Float64Array, place: Place, from: Place, to: Place): number | undefined {
  if (compare(place, from) < 0 || compare(place, to) > 0) return undefined
  const { micros, skip } = place
  let low = 0
  for (let high = times.length; low < high;) {
    const middle = (low + high) >>> 1
    if (times[middle] < micros) low = middle + 1
    else high = middle
  }
  const row = low + skip - carried(from, micros)
  return row <= times.length ? row : undefined
}

function compare(a: Place, b: Place): number {
  return a.micros - b.micros || a.skip - b.skip
}

/** How many of the rows just before `at` are of that time. */
export function countAt(times: Float64Array, at: number, micros: number): number {
  let count = 0
  while (count < at && times[at - 1 - count] === micros) count++
  return count
}

function reachesStart(times: Float64Array, at: number, micros: number): boolean {
  return countAt(times, at, micros) === at
}

export function carried(from: Place, micros: number): number {
  return from.micros === micros ? from.skip : 0
}

/** One place a table, as readers of a session are given them. */
export function cursorOf(places: readonly Place[]): string {
  return places.map(({ micros, skip }) => `${micros}:${skip}`).join('.')
}

const PLACE = /^(-?\d+):(\d+)$/
const LIVE_PLACE = /^live:(\d+):(\d+)$/

export function placesOf(cursor: string, tables: number): Place[] {
  const places = cursor.split('.').map((text): Place => {
    const [micros, skip] = PLACE.exec(text)?.slice(1).map(Number) ?? []
    if (!Number.isSafeInteger(micros) || !Number.isSafeInteger(skip)) throw refusedCursor()
    return { micros, skip }
  })
  if (places.length !== tables) throw refusedCursor()
  return places
}

/** Rows are live in stages, as a session can leave what is live and come to it again. */
export interface LivePlace {
  stage: number
  /** Rows of the stage that lie before the place. */
  rows: number
}

export function liveCursorOf({ stage, rows }: LivePlace): string {
  return `live:${stage}:${rows}`
}

/** Nothing for a place in the tables. */
export function livePlaceOf(cursor: string): LivePlace | undefined {
  if (!cursor.startsWith('live')) return undefined
  const [stage, rows] = LIVE_PLACE.exec(cursor)?.slice(1).map(Number) ?? []
  if (!Number.isSafeInteger(stage) || !Number.isSafeInteger(rows)) throw refusedCursor()
  return { stage, rows }
}

export function refusedCursor(): Failure {
  const problem = 'is not the cursor of a batch of this session'
  const message = `This cursor ${problem}. Give one as it came with a batch, or leave it out to go on where the session stands.`
  return new Failure('INVALID_INPUT', message, { details: [{ field: 'after', problem }] })
}
