// The live view's own side of being asked from another process.
import type { Handlers } from '../../contract/capability.ts'
import type { TailTable } from '../../contract/tables.ts'
import type { tailContract } from './relay-contract.ts'
import type { Tail } from './tail.ts'

export interface RelayedTails {
  readonly tails: Readonly<Record<TailTable, Tail>>
  isRunning: (table: TailTable) => boolean
}

export function relayTailHandlers({ tails, isRunning }: RelayedTails): Handlers<typeof tailContract> {
  return {
    'tail.fresh'({ data_type: table, boundary, symbols, exchange, since_micros, until_micros, before, limit }) {
      const tail = tails[table]
      const pin = tail.pin()
      const filter = { symbols, exchange, sinceMicros: since_micros, untilMicros: until_micros, before }
      const { rows, lacking } = tail.rowsFrom(boundary, pin, filter, limit)
      return {
        rows,
        next: pin.next,
        lacking,
        holdsFrom: tail.wholeFrom(),
        newestMicros: tail.counts().newestMicros,
        isRunning: isRunning(table),
      }
    },
    'tail.freshSymbols': ({ data_type: table, boundary }) => ({
      ...tails[table].freshSymbols(boundary),
      newestMicros: tails[table].counts().newestMicros,
    }),
  }
}
