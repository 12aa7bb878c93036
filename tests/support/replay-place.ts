// A lake that has the first rows, and a real tail that has them and those that are written: what a session that goes live
// plays.
import type { TailTable } from '../../src/contract/tables.ts'
import type { OffsetVector } from '../../src/main/market/topic-offsets.ts'
import { tailContract } from '../../src/main/tail/relay-contract.ts'
import { relayTailHandlers } from '../../src/main/tail/relay-handlers.ts'
import { connectDirect } from '../../src/main/wire/direct.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { LIFE } from './hybrid-place.ts'
import { append, tempLake } from './lake.ts'
import { logBatch, type SampleRow } from './market-messages.ts'
import { manualClock, openTail, START } from './tail.ts'

const TABLES = ['trades', 'quotes'] as const
export const COMMITTED = 10

/** Rows of the kinds in turns, some of them late. */
const tableOf = (n: number): TailTable => (n % 5 < 3 ? 'trades' : 'quotes')
const rowOf = (n: number): SampleRow => ({
  symbol: 'BHP',
  id: n,
  micros: START + (n % 7 === 0 ? n - 9 : n) * 1000,
  ingestedMicros: START + n * 1000,
})

export async function openReplayPlace(tables: readonly TailTable[]) {
  const lake = await tempLake()
  const clock = manualClock()
  const tails = {
    trades: openTail({ dataType: 'trades', clock }),
    quotes: openTail({ dataType: 'quotes', clock }),
  }
  const offsets = { trades: 0, quotes: 0 }
  const lifeOf = (table: TailTable) => ({ ...LIFE, topic: `market.equities.${table}.asx` })
  for (const table of TABLES) tails[table].begin(lifeOf(table), new Map([[0, { offset: 0, isEarliest: true }]]))
  let written = 0

  function write(count: number): void {
    const all = Array.from({ length: count }, (_, i) => written + i)
    written += count
    for (const table of tables) {
      const rows = all.filter(n => tables.length === 1 || tableOf(n) === table).map(rowOf)
      if (rows.length > 0) tails[table].append(logBatch(table, rows, { offset: offsets[table] }))
      offsets[table] += rows.length
    }
  }

  write(COMMITTED)
  for (const table of tables) {
    const rows = tails[table].rowsFrom([], tails[table].pin(), {}, COMMITTED).rows
    const to: OffsetVector = [{ ...lifeOf(table), next: { 0: offsets[table] } }]
    await append(lake, rows, { table, specId: 0, offsets: { from: [], to } })
  }
  const handlers = relayTailHandlers({ tails, isRunning: () => true, caughtUp: () => Promise.resolve(true) })
  const client = connectDirect(tailContract, createDispatch(tailContract, handlers))
  return { lake, live: () => Promise.resolve(client), write }
}
