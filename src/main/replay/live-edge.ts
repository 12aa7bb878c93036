// Behind the last row of the tables: what the live view has from the same offsets on. Where it has let go of some, the
// tables have got them meanwhile, and are read from those offsets on; so no row is missed and none comes twice.
import { isSameLife, offsetIn, type TopicOffsets, type OffsetVector } from '../market/topic-offsets.ts'
import type { FreshRows } from '../tail/relay-contract.ts'
import { memoryReader } from './memory-reader.ts'
import type { RowSource } from './row-source.ts'
import { openReader, type TableReader } from './table-reader.ts'
import type { ReplayTools } from './tools.ts'

export interface LiveEdge {
  /** Readers of what came since the last time; none may have rows. Where it fails, the next one gives the same again. */
  poll: (signal?: AbortSignal) => Promise<TableReader[]>
  /** Goes on with what comes from now on. */
  jump: (signal?: AbortSignal) => Promise<void>
  /** Messages that were nowhere any more, counted since the start. */
  missed: () => number
}

/** What came of one table, and where it goes on behind that. */
interface Onward {
  reader: TableReader
  boundary: OffsetVector
  missed: number
}

/** The live view bounds itself, and a row left out would be a gap. */
const ALL_ROWS = Number.MAX_SAFE_INTEGER
const END_OF_TIME = 9e15

/** `sinceMicros`: rows with an earlier time, as the session's order tells it, are passed over. */
export function liveEdge(tools: ReplayTools, sources: readonly RowSource[], sinceMicros: number): LiveEdge {
  let boundaries = sources.map(({ at }): OffsetVector => at.offsets ?? [])
  let missed = 0

  async function fresh(
    { table, order, instruments }: RowSource,
    boundary: OffsetVector,
    limit: number,
    signal?: AbortSignal,
  ) {
    const live = await tools.live()
    const { symbols, exchange } = instruments
    // The live view chooses by when rows happened, which says nothing of when they arrived.
    const since_micros = order === 'event' ? sinceMicros : undefined
    const question = { data_type: table, boundary, limit, exchange, since_micros }
    return live['tail.fresh']({ ...question, symbols: symbols && [...symbols] }, { signal })
  }

  async function pollOne(source: RowSource, boundary: OffsetVector, signal?: AbortSignal): Promise<Onward> {
    const found = await fresh(source, boundary, ALL_ROWS, signal)
    if (found.lacking.length > 0) {
      const at = await tools.reads.at(source.table, undefined, signal)
      if (at.offsets && hasLacking(at.offsets, found, boundary)) {
        const range = { fromMicros: sinceMicros, toMicros: END_OF_TIME }
        const reader = await openReader(tools, { source: { ...source, at, beyond: boundary }, range }, signal)
        return { reader, boundary: furthest(boundary, at.offsets), missed: 0 }
      }
    }
    return {
      reader: memoryReader(source, found.rows, sinceMicros),
      boundary: furthest(boundary, found.next),
      missed: found.lacking.reduce((sum, { from, to }) => sum + to - from, 0),
    }
  }

  return {
    async poll(signal) {
      const onward = await Promise.all(sources.map((source, i) => pollOne(source, boundaries[i], signal)))
      // Only now that all have answered: rows of a poll that fails are given to nobody.
      boundaries = onward.map(({ boundary }) => boundary)
      missed += onward.reduce((sum, one) => sum + one.missed, 0)
      return onward.map(({ reader }) => reader)
    },
    async jump(signal) {
      const found = await Promise.all(sources.map((source, i) => fresh(source, boundaries[i], 1, signal)))
      boundaries = found.map(({ next }, i) => furthest(boundaries[i], next))
    },
    missed: () => missed,
  }
}

/**
 * The further of two, partition by partition: a live view that begins again is behind for a while, and a table may be
 * ahead in one partition and behind in another. Lives of a topic are apart, as their offsets are other messages.
 */
function furthest(one: OffsetVector, other: OffsetVector): OffsetVector {
  const lives = new Map<string, TopicOffsets>()
  for (const { cluster, epoch, topic, next } of [...one, ...other]) {
    const life = JSON.stringify([cluster, epoch, topic])
    const known = lives.get(life)?.next ?? {}
    const moved = Object.entries(next).map(([partition, offset]) => [
      partition,
      Math.max(offset, known[partition] ?? 0),
    ])
    lives.set(life, { cluster, epoch, topic, next: { ...known, ...(Object.fromEntries(moved) as typeof next) } })
  }
  return [...lives.values()]
}

/** Whether a table has some of what the live view has let go of, and they can be told from rows that were given. */
function hasLacking(offsets: OffsetVector, { lacking, next }: FreshRows, boundary: OffsetVector): boolean {
  return lacking.some(({ topic, partition, from }) => {
    const life = next.find(one => one.topic === topic)
    if (!life) return false
    // In a table, rows of an earlier life of the topic have the same offsets.
    const isFirstLife = boundary.every(one => one.topic !== topic || isSameLife(one, life))
    return isFirstLife && (offsetIn(offsets, life, String(partition)) ?? 0) > from
  })
}
