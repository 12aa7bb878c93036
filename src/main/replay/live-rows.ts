// The rows of a live stage as they were given. The last of them are kept: a reader whose connection broke never got those
// that were on their way to it, names the last batch it has, and is given once more what came behind that one.
import { emptyBatch, type ColumnBatch } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import { TAIL_TABLES } from '../../contract/tables.ts'
import type { LiveEdge } from './live-edge.ts'
import { memoryReader } from './memory-reader.ts'
import { nextTimeOf, type Taken } from './merge.ts'
import { refusedCursor } from './place.ts'
import type { RowSource } from './row-source.ts'
import type { TableReader } from './table-reader.ts'

export interface LiveRows {
  /** How many rows of the stage lie before where it stands. */
  place: () => number
  /** Whether the rows behind the place were given before. */
  isAgain: () => boolean
  /** Readers of the rows behind the place, when those at hand are taken; where it fails, the next one gives the same. */
  next: (signal?: AbortSignal) => Promise<readonly TableReader[]>
  /** Goes behind rows that were taken, and keeps them. */
  pass: (taken: Taken, before: Standing) => void
  /** Goes to the beginning of the batch that a place is in, and says how it stood there: its rows are to be passed again. */
  rewind: (place: number) => Standing
  missed: () => number
  close: () => void
}

/** What a session knows of the rows before a place. */
export interface Standing {
  untilMicros: number
  newestMicros: number
}

interface Given extends Standing {
  from: number
  rows: readonly (ColumnBatch | undefined)[]
  /** As `KEPT_ROWS` counts. */
  size: number
}

/** Some 20 MB, and more than the buffers of a connection hold. */
const KEPT_ROWS = 50_000
/** Measured: what a batch takes beside its rows is as much as so many rows take. */
const ROWS_A_BATCH = 16

export function liveRows(edge: LiveEdge, sources: readonly RowSource[]): LiveRows {
  const kept: Given[] = []
  let size = 0
  let place = 0
  let end = 0
  let polled: readonly TableReader[] = []

  function keep(given: Given): void {
    kept.push(given)
    size += given.size
    while (size > KEPT_ROWS && kept.length > 1) size -= kept.shift()!.size
  }

  return {
    place: () => place,
    isAgain: () => place < end,
    async next(signal) {
      const again = kept.find(({ from }) => from === place)
      if (again) return readersOf(again, sources)
      if ((await nextTimeOf(polled, 1, signal)) === undefined) polled = await edge.poll(signal)
      return polled
    },
    pass({ parts, count }, before) {
      if (place === end) {
        keep({ ...before, from: place, rows: parts.map(part => part?.rows), size: count + ROWS_A_BATCH })
        end += count
      }
      place += count
    },
    rewind(to) {
      if (to > end) throw refusedCursor()
      const given = kept.findLast(({ from }) => from <= to)
      if (!given) throw tooLate()
      place = given.from
      return given
    },
    missed: edge.missed,
    close: () => polled.forEach(reader => reader.close()),
  }
}

function readersOf({ rows }: Given, sources: readonly RowSource[]): TableReader[] {
  return sources.map((source, i) =>
    memoryReader(source, rows[i] ?? emptyBatch(TAIL_TABLES[source.table].columns), -Infinity),
  )
}

export function tooLate(): Failure {
  return new Failure(
    'OFFSET_OUT_OF_RANGE',
    'The live rows behind this cursor are no longer held: too many came since, or the session has left what was live. ' +
      'Leave the cursor out to go on where the session stands, without them; to have them all, open another session ' +
      'that goes live, from the time of your last row on.',
  )
}
