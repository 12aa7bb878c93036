// Which rows are late: a row with a later exchange time came before them. In the order of events only what is live can
// be; in the order of arrival a row is late or not whichever way one comes to it, so what came before a place is looked up.
import type { Part } from './merge.ts'
import { atTime, type Place } from './place.ts'
import { readOn } from './read-block.ts'
import { readRows, type RowSource } from './row-source.ts'
import type { Direction } from './table-reader.ts'
import type { ReplayTools } from './tools.ts'

export type LateFlags = (Uint8Array | undefined)[]

export interface LateMarks {
  /** Of rows that were just taken, behind which the readers now stand at `places`. */
  mark: (
    parts: readonly (Part | undefined)[],
    direction: Direction,
    isLive: boolean,
    places: () => readonly Place[],
  ) => Promise<LateFlags>
  seek: (places: readonly Place[], signal?: AbortSignal) => Promise<void>
  /** The latest exchange time of the rows that came before. */
  newestMicros: () => number
  /** As if it were that time, or no row had come before. */
  restart: (newestMicros?: number) => void
}

const TIME = 'exchange_timestamp'

export function createLateMarks(tools: ReplayTools, sources: readonly RowSource[], startMicros: number): LateMarks {
  const byArrival = sources[0].order === 'arrival'
  /** The latest exchange time of all rows before the place. */
  let newest = -Infinity

  async function newestBefore(places: readonly Place[], signal?: AbortSignal): Promise<number> {
    const found = await Promise.all(sources.map((source, i) => newestOf(source, places[i], signal)))
    return Math.max(-Infinity, ...found)
  }

  async function newestOf(source: RowSource, { micros, skip }: Place, signal?: AbortSignal): Promise<number> {
    const range = { fromMicros: startMicros, toMicros: micros }
    const tail = `ORDER BY "${TIME}" DESC LIMIT 1`
    const before =
      micros > startMicros ? await readRows(tools, source, { range, columns: [TIME], tail }, signal) : undefined
    const newestBefore = before && before.rowCount > 0 ? Number(before.columns[TIME].values[0]) : -Infinity
    if (skip === 0) return newestBefore
    const leveled = { source: { ...source, columns: [TIME] }, level: 0 }
    const same = await readOn(tools, leveled, atTime(micros), { untilMicros: micros + 1, limit: skip }, signal)
    return Math.max(newestBefore, ...(same.batch.columns[TIME].values as Float64Array))
  }

  /** Goes on from `newest`, through the rows in their order. */
  function flagRows(parts: readonly (Part | undefined)[], isForward: boolean): LateFlags {
    const flags = parts.map(part => part && new Uint8Array(part.times.length))
    const times = parts.map(part => part && (part.rows.columns[TIME].values as Float64Array))
    const turns = parts.flatMap((part, i) =>
      part ? Array.from(part.ordinals, (ordinal, row) => ({ ordinal, i, row })) : [],
    )
    turns.sort((a, b) => (isForward ? a.ordinal - b.ordinal : b.ordinal - a.ordinal))
    for (const { i, row } of turns) {
      const time = times[i]![row]
      if (time < newest) flags[i]![row] = 1
      else newest = time
    }
    return flags
  }

  return {
    async mark(parts, direction, isLive, places) {
      if (byArrival) {
        if (direction === 1) return flagRows(parts, true)
        const before = await newestBefore(places())
        newest = before
        const flags = flagRows(parts, false)
        newest = before
        return flags
      }
      if (isLive) return flagRows(parts, true)
      // In order of events the last row is the newest.
      for (const part of parts) if (part) newest = Math.max(direction === 1 ? newest : -Infinity, part.times.at(-1)!)
      return parts.map(() => undefined)
    },
    async seek(places, signal) {
      newest = byArrival ? await newestBefore(places, signal) : -Infinity
    },
    newestMicros: () => newest,
    restart(newestMicros = -Infinity) {
      newest = newestMicros
    },
  }
}
