// What an answer stood on: the state of each table, how far it was in the log, and the time. Noted while a question is
// answered, and held still when it is answered again, by the same code.
import type { Client } from '../../../contract/capability.ts'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { PinnedTable } from '../../../contract/receipts.ts'
import type { AssetClass, TableId } from '../../../contract/tables.ts'
import type { TableAt } from '../../lake/reads.ts'
import type { SymbolCount } from '../../market/symbol-count.ts'
import type { FreshRows, tailContract } from '../../tail/relay-contract.ts'
import { textsOf } from '../hybrid/leave-out-known.ts'
import { neverWritten, type SeenIn } from '../moments.ts'
import { addCounts } from '../reads/table-symbols.ts'
import type { QueryTools } from '../tools.ts'
import { MOST_BEYOND, rowsBeyond, stretchOf } from './beyond-pin.ts'

export type Pins = Partial<Record<TableId, PinnedTable>>

/** What questions are answered with. */
export interface Standing {
  tools: QueryTools
  /** What the replay session of a question sees of each table. */
  seenIn: SeenIn
}

type Live = Client<typeof tailContract>

const MOST_LIVE_MS = 86_400_000

export interface NotedStanding extends Standing {
  nowMicros: number
  pins: Pins
  /** Rows of the log can be told from those of the tables by their offsets alone, and are not too many to be read again. */
  isRepeatable: () => boolean
}

export function noteStanding({ tools, seenIn }: Standing): NotedStanding {
  const pins: Pins = {}
  const nowMicros = tools.clock.nowMicros()
  const states = new Map<string, Promise<TableAt>>()
  let isRepeatable = true
  const note = (table: TableId, more: Partial<PinnedTable>) =>
    void (pins[table] = { snapshot: null, ...pins[table], ...more })
  const noted = <T extends TableAt>(at: T): T => {
    note(at.table, { snapshot: at.snapshotId ?? null })
    return at
  }
  return {
    nowMicros,
    pins,
    isRepeatable: () => isRepeatable,
    seenIn(asked) {
      const see = seenIn(asked)
      return table => {
        const then = see(table)
        const { untilMicros = Infinity } = then
        if (Number.isFinite(untilMicros)) note(table, { until_micros: untilMicros })
        return then
      }
    },
    tools: {
      ...tools,
      clock: { ...tools.clock, nowMicros: () => nowMicros },
      reads: {
        ...tools.reads,
        // Asked twice it says the same, also where a tag was moved in between: one answer, one state.
        at(table, choice, signal) {
          const key = JSON.stringify([table, choice])
          const state = states.get(key) ?? tools.reads.at(table, choice, signal).then(noted)
          states.set(key, state)
          return state
        },
        async head(...asked) {
          const head = await tools.reads.head(...asked)
          isRepeatable &&= head.isCertain
          return noted(head)
        },
      },
      async live(): Promise<Live> {
        const live = await tools.live()
        return {
          async 'tail.fresh'(asked, options) {
            const fresh = await live['tail.fresh'](asked, options)
            note(asked.data_type, stretchOf(asked.boundary, fresh))
            return fresh
          },
          async 'tail.freshSymbols'(asked, options) {
            const fresh = await live['tail.freshSymbols'](asked, options)
            if (fresh.symbols.reduce((sum, { count }) => sum + count, 0) >= MOST_BEYOND) isRepeatable = false
            note(asked.data_type, stretchOf(asked.boundary, fresh))
            return fresh
          },
        }
      },
    },
  }
}

export interface PinnedStanding extends Standing {
  /** Why a state could not be had. Where an answer may lack something it says so in other words, or leaves it out. */
  lost: () => unknown
}

/** The same again: whatever state is asked for, it is the pinned one. */
export function pinnedStanding(tools: QueryTools, pins: Pins, nowMicros: number): PinnedStanding {
  let lost: unknown
  const stateOf = async (table: TableId, signal?: AbortSignal): Promise<TableAt> => {
    const snapshotId = pins[table]?.snapshot ?? undefined
    if (snapshotId === undefined) return neverWritten(table)
    try {
      return await tools.reads.at(table, { snapshotId }, signal)
    } catch (error) {
      lost ??= error
      throw error
    }
  }
  const rowsOf = (question: Parameters<typeof rowsBeyond>[2], signal?: AbortSignal) =>
    rowsBeyond(tools, pins[question.table] ?? { snapshot: null }, question, signal)
  const live: Live = {
    async 'tail.fresh'({ data_type: table, since_micros: sinceMicros = -Infinity, ...asked }, options) {
      const question = { ...asked, table, sinceMicros, untilMicros: asked.until_micros }
      return { ...reachedBy(pins[table]), rows: await rowsOf(question, options?.signal) }
    },
    async 'tail.freshSymbols'({ data_type: table }, options) {
      const rows = await rowsOf({ table, sinceMicros: -Infinity, limit: MOST_BEYOND }, options?.signal)
      if (rows.rowCount === MOST_BEYOND) throw tooMany()
      return { ...reachedBy(pins[table]), symbols: countRows(rows) }
    },
  }
  return {
    lost: () => lost,
    seenIn: () => table => ({ past: {}, untilMicros: pins[table]?.until_micros }),
    tools: {
      ...tools,
      clock: { ...tools.clock, nowMicros: () => nowMicros },
      live: () => Promise.resolve(live),
      // It reads tables for it, and has the time of the whole question.
      liveMs: MOST_LIVE_MS,
      reads: {
        ...tools.reads,
        at: (table, _choice, signal) => stateOf(table, signal),
        async head(table, signal) {
          const knownOffsets = pins[table]?.from ?? []
          return { ...(await stateOf(table, signal)), knownOffsets, isCertain: true, goesOnFrom: () => false }
        },
      },
    },
  }
}

function reachedBy({ from = [], to = [] }: Partial<PinnedTable> = {}): Omit<FreshRows, 'rows'> {
  return { next: to, holdsFrom: from, lacking: [], newestMicros: undefined, isRunning: true, isCaughtUp: true }
}

function countRows({ rowCount, columns }: ColumnBatch): SymbolCount[] {
  const [symbolOf, exchangeOf, classOf] = ['symbol', 'exchange', 'asset_class'].map(name => textsOf(columns[name]))
  const times = columns.exchange_timestamp.values
  const ones = Array.from({ length: rowCount }, (_, row): SymbolCount => {
    const micros = Number(times[row])
    const instrument = { symbol: symbolOf(row) as string, exchange: exchangeOf(row) as string }
    return { ...instrument, assetClass: classOf(row) as AssetClass, firstMicros: micros, lastMicros: micros, count: 1 }
  })
  return [...addCounts(new Map(), ones).values()]
}

function tooMany(): Failure {
  const what = `More than ${MOST_BEYOND} rows were in the log and not in the tables when this was answered`
  return new Failure('PAYLOAD_TOO_LARGE', `${what}, too many to be counted again.`)
}
