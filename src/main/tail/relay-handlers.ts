// The live view's own side of being asked from another process.
import type { Handlers } from '../../contract/capability.ts'
import type { ColumnBatch } from '../../contract/columns.ts'
import type { TailTable } from '../../contract/tables.ts'
import type { tailContract } from './relay-contract.ts'
import { widthFor } from './gather.ts'
import type { Tail } from './tail.ts'

export interface RelayedTails {
  readonly tails: Readonly<Record<TailTable, Tail>>
  isRunning: (table: TailTable) => boolean
  caughtUp: (table: TailTable, withinMs: number) => Promise<boolean>
}

/** A command that begins to read the log waits so long for the end of it; what is missing then, the answer says. */
const CATCH_UP_MS = 3_000

export function relayTailHandlers({ tails, isRunning, caughtUp }: RelayedTails): Handlers<typeof tailContract> {
  return {
    async 'tail.fresh'({
      data_type: table,
      boundary,
      symbols,
      exchange,
      since_micros,
      until_micros,
      before,
      limit,
      columns,
    }) {
      const tail = tails[table]
      const isCaughtUp = await caughtUp(table, CATCH_UP_MS)
      const pin = tail.pin()
      const filter = { symbols, exchange, sinceMicros: since_micros, untilMicros: until_micros, before }
      const width = columns && widthFor(table, columns)
      const { rows, lacking } = tail.rowsFrom(boundary, pin, filter, limit, width)
      return {
        rows: columns ? only(rows, columns) : rows,
        next: pin.next,
        lacking,
        holdsFrom: tail.wholeFrom(),
        newestMicros: tail.counts().newestMicros,
        isRunning: isRunning(table),
        isCaughtUp,
      }
    },
    async 'tail.freshSymbols'({ data_type: table, boundary }) {
      await caughtUp(table, CATCH_UP_MS)
      const tail = tails[table]
      const pin = tail.pin()
      const holdsFrom = tail.wholeFrom()
      return {
        ...tail.freshSymbols(boundary, pin),
        next: pin.next,
        holdsFrom,
        newestMicros: tail.counts().newestMicros,
      }
    },
  }
}

function only({ rowCount, columns }: ColumnBatch, names: readonly string[]): ColumnBatch {
  return { rowCount, columns: Object.fromEntries(names.map(name => [name, columns[name]])) }
}
