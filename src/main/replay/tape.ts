// The rows of a session in their order, marked, counted and summed up: out of the tables first, then, where it goes live,
// out of what is live. Knows no clock and no speed.
import { emptyBatch, type Column, type ColumnBatch } from '../../contract/columns.ts'
import { REPLAYED } from '../../contract/replay-sessions.ts'
import { TAIL_TABLES, type TailTable } from '../../contract/tables.ts'
import { createChecksum } from './checksum.ts'
import { createLateMarks } from './late-marks.ts'
import { liveEdge, type LiveEdge } from './live-edge.ts'
import { liveRows, tooLate, type LiveRows } from './live-rows.ts'
import { nextTimeOf, takeRowsOf, type Part, type TakeOptions } from './merge.ts'
import {
  atTime,
  cursorOf,
  liveCursorOf,
  livePlaceOf,
  placesOf,
  refusedCursor,
  type LivePlace,
  type Place,
} from './place.ts'
import { countAtTime, type RowSource, type TimeRange } from './row-source.ts'
import { openReader, type Direction, type TableReader } from './table-reader.ts'
import type { ReplayTools } from './tools.ts'

export interface TapeOptions {
  sources: readonly RowSource[]
  range: TimeRange
  goesLive: boolean
}

export interface TapeRows {
  rows: Record<TailTable, ColumnBatch>
  count: number
  lastMicros: number
}

export interface Tape {
  /** From the first row to behind the last one in the tables; nothing when there are none. */
  readonly range: TimeRange | undefined
  stage: () => 'lake' | 'live'
  /** Undefined when no such row is left, or is there yet. */
  take: (options: TakeOptions, signal?: AbortSignal) => Promise<TapeRows | undefined>
  nextTime: (direction: Direction, signal?: AbortSignal) => Promise<number | undefined>
  seek: (micros: number, signal?: AbortSignal) => Promise<void>
  jumpToLive: (signal?: AbortSignal) => Promise<void>
  cursor: () => string
  seekCursor: (cursor: string, signal?: AbortSignal) => Promise<void>
  /** All rows before it have been played, and none from it on. */
  visibleUntil: () => number
  /** Says that no row lies between the last one played and this time. */
  passTo: (micros: number) => void
  /** No row still to come, going on, is earlier. */
  nextMicros: () => number
  /** The wall clock. */
  nowMicros: () => number
  counts: () => { rows: number; late: number; missed: number; turns: number; direction: Direction; checksum: string }
  close: () => void
}

export async function openTape(
  tools: ReplayTools,
  { sources, range, goesLive }: TapeOptions,
  signal?: AbortSignal,
): Promise<Tape> {
  const lake = await Promise.all(sources.map(source => openReader(tools, { source, range }, signal)))
  const ranges = lake.flatMap(reader => reader.range ?? [])
  const covered = ranges.length === 0 ? undefined : unionOf(ranges)
  const start = covered?.fromMicros ?? range.fromMicros
  const checksum = createChecksum()
  const marks = createLateMarks(tools, sources, start)
  let readers: readonly TableReader[] = lake
  let live: LiveRows | undefined
  let stages = 0
  let until = start
  let [rows, late, missed, turns] = [0, 0, 0, 0]
  let direction: Direction = 1
  lake.forEach(reader => reader.seek(atTime(start)))

  function leaveLive(): void {
    missed += live?.missed() ?? 0
    live?.close()
    readers = lake
    live = undefined
  }

  function enterLive(edge: LiveEdge): LiveRows {
    stages++
    return liveRows(edge, sources)
  }

  async function nextTime(direction: Direction, caller?: AbortSignal): Promise<number | undefined> {
    const next = await nextTimeOf(readers, direction, caller)
    if (next !== undefined || direction === -1 || !(goesLive || live)) return next
    // Where one sought a moment behind the tables, nothing before it is to come.
    const sought = until > (covered?.toMicros ?? -Infinity) ? until : -Infinity
    live ??= enterLive(liveEdge(tools, sources, Math.max(range.fromMicros, sought)))
    readers = await live.next(caller)
    return nextTimeOf(readers, 1, caller)
  }

  function beginTurn(towards: Direction): void {
    turns++
    direction = towards
  }

  async function leadTo(places: readonly Place[], caller?: AbortSignal): Promise<void> {
    leaveLive()
    beginTurn(1)
    lake.forEach((reader, i) => reader.seek(places[i]))
    checksum.restart()
    await marks.seek(places, caller)
  }

  /** A place that is outside the range, or behind more rows than there are at its time, is of no batch of this session. */
  async function refuseUnlessThere(places: readonly Place[], caller?: AbortSignal): Promise<void> {
    const areThere = await Promise.all(
      places.map(async ({ micros, skip }, i) => {
        if (micros < range.fromMicros || micros > range.toMicros) return false
        return skip === 0 || skip <= (await countAtTime(tools, sources[i], micros, caller))
      }),
    )
    if (areThere.includes(false)) throw refusedCursor()
  }

  async function goBehind({ stage, rows }: LivePlace, caller?: AbortSignal): Promise<void> {
    if (stage > stages) throw refusedCursor()
    if (!live || stage < stages) throw tooLate()
    if (rows === live.place()) return
    const { untilMicros, newestMicros } = live.rewind(rows)
    readers = []
    until = untilMicros
    marks.restart(newestMicros)
    while (live.place() < rows) await take({ direction: 1, limit: rows - live.place() }, caller)
  }

  async function goBack(): Promise<void> {
    if (!live) return
    // Going back from what is live begins at the end of what is in the tables.
    const end = atTime(covered?.toMicros ?? start)
    await leadTo(lake.map(() => end))
    until = end.micros
  }

  function dressed(part: Part | undefined, table: TailTable, lateRows: Uint8Array | undefined): ColumnBatch {
    if (!part) return emptyBatch(REPLAYED[table].columns)
    const ordinal: Column = { type: 'int', values: Int32Array.from(part.ordinals) }
    const isLate: Column = { type: 'boolean', values: lateRows ?? new Uint8Array(part.times.length) }
    return { rowCount: part.rows.rowCount, columns: { ...part.rows.columns, ordinal, is_late: isLate } }
  }

  function addUp(parts: readonly (Part | undefined)[], count: number): void {
    const hashOf = new Uint32Array(count)
    parts.forEach((part, i) => {
      if (!part) return
      const hashes = checksum.add(i, part.rows, sources[i].columns)
      for (let row = 0; row < hashes.length; row++) hashOf[part.ordinals[row]] = hashes[row]
    })
    for (let row = 0; row < count; row++) checksum.mix(row, hashOf[row])
  }

  async function take(options: TakeOptions, caller?: AbortSignal): Promise<TapeRows | undefined> {
    if (options.direction === -1) await goBack()
    let taken = await takeRowsOf(readers, options, caller)
    if (!taken && options.direction === 1 && (await nextTime(1, caller)) !== undefined)
      taken = await takeRowsOf(readers, options, caller)
    if (!taken) return undefined
    const { parts, count, lastMicros } = taken
    if (options.direction !== direction) beginTurn(options.direction)
    const isAgain = live?.isAgain() === true
    const before = { untilMicros: until, newestMicros: marks.newestMicros() }
    const marked = await marks.mark(parts, options.direction, live !== undefined, () => readers.map(r => r.place()))
    if (options.direction === -1) checksum.restart()
    else if (!isAgain) addUp(parts, count)
    live?.pass(taken, before)
    if (!isAgain) {
      rows += count
      late += marked.reduce((sum, flags) => sum + (flags?.reduce((ones, flag) => ones + flag, 0) ?? 0), 0)
    }
    const next = Math.min(...readers.map(reader => reader.nextMicros()))
    until = options.direction === 1 && next > lastMicros ? lastMicros + 1 : lastMicros
    const batches = Object.fromEntries(
      (Object.keys(TAIL_TABLES) as TailTable[]).map(table => {
        const i = sources.findIndex(source => source.table === table)
        return [table, dressed(parts[i], table, marked[i])]
      }),
    ) as Record<TailTable, ColumnBatch>
    return { rows: batches, count, lastMicros }
  }

  return {
    range: covered,
    stage: () => (live ? 'live' : 'lake'),
    nextTime: async (direction, caller) => {
      if (direction === -1) await goBack()
      return nextTime(direction, caller)
    },
    take,
    async seek(micros, caller) {
      const place = atTime(Math.min(Math.max(micros, range.fromMicros), range.toMicros))
      await leadTo(
        lake.map(() => place),
        caller,
      )
      until = micros
    },
    async jumpToLive(caller) {
      const jumping = liveEdge(tools, sources, range.fromMicros)
      await jumping.jump(caller)
      leaveLive()
      beginTurn(1)
      checksum.restart()
      live = enterLive(jumping)
      readers = []
      until = tools.clock.nowMicros()
      marks.restart()
    },
    cursor: () =>
      live ? liveCursorOf({ stage: stages, rows: live.place() }) : cursorOf(readers.map(reader => reader.place())),
    async seekCursor(cursor, caller) {
      const livePlace = livePlaceOf(cursor)
      if (livePlace) return goBehind(livePlace, caller)
      const places = placesOf(cursor, lake.length)
      await refuseUnlessThere(places, caller)
      await leadTo(places, caller)
      until = Math.min(...places.map(({ micros }) => micros))
    },
    visibleUntil: () => until,
    passTo(micros) {
      until = micros
    },
    nextMicros: () => Math.min(...readers.map(reader => reader.nextMicros())),
    nowMicros: () => tools.clock.nowMicros(),
    counts: () => ({ rows, late, missed: missed + (live?.missed() ?? 0), turns, direction, checksum: checksum.text() }),
    close() {
      leaveLive()
      lake.forEach(reader => reader.close())
    },
  }
}

function unionOf(ranges: readonly TimeRange[]): TimeRange {
  return {
    fromMicros: Math.min(...ranges.map(({ fromMicros }) => fromMicros)),
    toMicros: Math.max(...ranges.map(({ toMicros }) => toMicros)),
  }
}
