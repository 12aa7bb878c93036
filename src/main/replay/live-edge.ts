// Behind the last row of the tables: what the live view has from the same offsets on. Where it has let go of some, the
// tables have got them meanwhile, and are read from those offsets on; so no row is missed and none comes twice.
import type { OffsetVector } from '../market/topic-offsets.ts'
import { memoryReader } from './memory-reader.ts'
import type { RowSource } from './row-source.ts'
import { openReader, type TableReader } from './table-reader.ts'
import type { ReplayTools } from './tools.ts'

export interface LiveEdge {
  /** Readers of what came since the last time; none may have rows. */
  poll: (signal?: AbortSignal) => Promise<TableReader[]>
  /** Goes on with what comes from now on. */
  jump: (signal?: AbortSignal) => Promise<void>
  /** Messages that were nowhere any more, counted since the start. */
  missed: () => number
}

/** Of one table, whole rows: those of some minutes of a busy market. */
const MOST_ROWS = 1_000_000

/** `sinceMicros`: rows that happened earlier are passed over. */
export function liveEdge(tools: ReplayTools, sources: readonly RowSource[], sinceMicros?: number): LiveEdge {
  const boundaries = sources.map(({ at }): OffsetVector => at.offsets ?? [])
  let missed = 0

  async function fresh({ table, instruments }: RowSource, boundary: OffsetVector, limit: number, signal?: AbortSignal) {
    const live = await tools.live()
    const { symbols, exchange } = instruments
    const question = { data_type: table, boundary, limit, exchange, since_micros: sinceMicros }
    return live['tail.fresh']({ ...question, symbols: symbols && [...symbols] }, { signal })
  }

  async function pollOne(source: RowSource, i: number, signal?: AbortSignal): Promise<TableReader> {
    const boundary = boundaries[i]
    const found = await fresh(source, boundary, MOST_ROWS, signal)
    if (found.lacking.length > 0) {
      const at = await tools.reads.at(source.table, undefined, signal)
      if (at.offsets && isFurther(at.offsets, boundary)) {
        boundaries[i] = at.offsets
        return openReader(tools, { source: { ...source, at, beyond: boundary }, range: EVER }, signal)
      }
      missed += found.lacking.reduce((sum, { from, to }) => sum + to - from, 0)
    }
    boundaries[i] = found.next
    return memoryReader(source, found.rows)
  }

  return {
    poll: signal => Promise.all(sources.map((source, i) => pollOne(source, i, signal))),
    async jump(signal) {
      const found = await Promise.all(sources.map((source, i) => fresh(source, boundaries[i], 1, signal)))
      found.forEach(({ next }, i) => (boundaries[i] = next))
    },
    missed: () => missed,
  }
}

const EVER = { fromMicros: -9e15, toMicros: 9e15 }

function isFurther(a: OffsetVector, b: OffsetVector): boolean {
  const known = new Map(b.map(({ topic, next }) => [topic, next]))
  return a.some(({ topic, next }) =>
    Object.entries(next).some(([partition, offset]) => offset > (known.get(topic)?.[partition] ?? 0)),
  )
}
