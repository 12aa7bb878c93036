// One page of the join: the newest trades of a range, then those before them, all at the same states of both tables.
import type { asofContract } from '../../../contract/asof.ts'
import type { Handlers } from '../../../contract/capability.ts'
import type { ColumnBatch } from '../../../contract/columns.ts'
import type { TailTable } from '../../../contract/tables.ts'
import { rangeOf, upTo, type Range } from '../bars/range.ts'
import { statesOf, type States } from '../bars/states.ts'
import { stateOfCursor, type Cursors } from '../cursor.ts'
import { isPast, neverWritten, type ThenOf } from '../moments.ts'
import type { QueryTools } from '../tools.ts'

type Asked = Parameters<Handlers<typeof asofContract>['asof.join']>[0]

/** What a cursor says. */
export interface AsofPlace {
  snapshots: Record<TailTable, string | null>
  /** Trades from here on were given. */
  endMicros: number
  /** And so many, the last ones, of the moment just before. */
  passed: number
  /** What comes of a trade after this is not told, on any page. */
  knownUntilMicros: number
  /** Rows from here on have not happened yet, at the clock of a replay session. */
  untilMicros?: number
}

export interface AsofPage {
  states: States
  range: Range
  /** Rows at the end of the range that an earlier page has. */
  passed: number
  knownUntilMicros: number
  /** Rows from here on are not read. */
  untilMicros: number
  /** Of the page after this one; null when there is none. */
  nextCursor: (rows: ColumnBatch, hasMore: boolean) => string | null
}

export async function openPage(
  { reads, clock, cursors }: Pick<QueryTools, 'reads' | 'clock'> & { cursors: Cursors<AsofPlace> },
  asked: Asked,
  thenOf: ThenOf,
  signal?: AbortSignal,
): Promise<AsofPage> {
  const query = JSON.stringify({ ...asked, limit: undefined, cursor: undefined })
  const place = asked.cursor === undefined ? undefined : cursors.open(asked.cursor, query)
  const asFirst = rangeOf(asked)
  const stateOf = (table: TailTable, id: string | null) =>
    id === null ? neverWritten(table) : stateOfCursor(reads, table, id, signal)
  const states = place
    ? {
        trades: await stateOf('trades', place.snapshots.trades),
        quotes: await stateOf('quotes', place.snapshots.quotes),
      }
    : await statesOf(reads, asked, signal, thenOf)
  const untilMicros = place ? place.untilMicros : thenOf?.('trades').untilMicros
  const range = place ? { ...asFirst, endMicros: place.endMicros } : upTo(asFirst, untilMicros)
  const { quotes, trades } = states
  const committedMicros = isPast(asked) ? (quotes.committedMicros ?? trades.committedMicros) : undefined
  const { passed, knownUntilMicros } = place ?? {
    passed: 0,
    // A past state knows nothing of what came after its commit.
    knownUntilMicros: Math.min(clock.nowMicros(), (untilMicros ?? Infinity) - 1, committedMicros ?? Infinity),
  }
  return {
    states,
    range,
    passed,
    knownUntilMicros,
    untilMicros: untilMicros ?? Infinity,
    nextCursor({ rowCount, columns }, hasMore) {
      if (!hasMore) return null
      const times = columns.exchange_timestamp.values
      const first = Number(times[0])
      let same = 1
      while (same < rowCount && Number(times[same]) === first) same++
      const isStill = same === rowCount && range.endMicros === first + 1
      const snapshots = { trades: states.trades.snapshotId ?? null, quotes: states.quotes.snapshotId ?? null }
      const next = {
        snapshots,
        endMicros: first + 1,
        passed: same + (isStill ? passed : 0),
        knownUntilMicros,
        untilMicros,
      }
      return cursors.sign(next, query)
    },
  }
}
