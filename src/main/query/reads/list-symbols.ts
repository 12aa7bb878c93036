// Every instrument, from tables and log together: what the tables have, and what the live view has beyond the offsets
// that are in them, so that no row is counted twice. One of the two may be away; then the other answers, and says so.
import type { Handlers } from '../../../contract/capability.ts'
import { timestampText } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { QueryMeta } from '../../../contract/fields.ts'
import type { K2 } from '../../../contract/index.ts'
import { TAIL_TABLES, type TailTable } from '../../../contract/tables.ts'
import { choiceOf, type SeenIn } from '../moments.ts'
import type { QueryTools } from '../tools.ts'
import { companyNames } from './company-names.ts'
import { symbolRows } from './symbol-rows.ts'
import { symbolsThen } from './symbols-then.ts'
import { addCounts, tableSymbols, type SymbolCounts } from './table-symbols.ts'

interface Part {
  table: TailTable
  counts: SymbolCounts
  snapshotId: string | undefined
  rows: { lake: number; live: number }
  ms: { lake: number; live: number }
  newestMicros: number | undefined
  why: string | undefined
}

const TABLES = Object.keys(TAIL_TABLES) as TailTable[]
const NONE: SymbolCounts = new Map()

export function symbolHandlers(tools: QueryTools, seenIn: SeenIn): Pick<Handlers<K2>, 'symbols.list'> {
  const { reads, live } = tools
  const counting = { trades: tableSymbols(tools), quotes: tableSymbols(tools) }
  const namesNow = companyNames(tools)

  async function countPart(table: TailTable, signal: AbortSignal): Promise<Part> {
    const startedMs = performance.now()
    const inTables = await tried(async () => {
      const head = await reads.head(table, signal)
      return { head, counts: await counting[table].of(head, signal) }
    }, signal)
    const lakeMs = performance.now() - startedMs
    const boundary = inTables.value ? inTables.value.head.knownOffsets : []
    const inLog = await tried(async () => {
      if (!boundary || inTables.value?.head.isCertain === false) throw unknownOffsets(table)
      return (await live())['tail.freshSymbols']({ data_type: table, boundary }, { signal })
    }, signal)
    if (inTables.error && inLog.error) throw inTables.error
    const before = inTables.value?.counts ?? NONE
    const fresh = inLog.value?.symbols ?? []
    return {
      table,
      counts: addCounts(before, fresh),
      snapshotId: inTables.value?.head.snapshotId,
      rows: { lake: sumOf([...before.values()]), live: sumOf(fresh) },
      ms: { lake: lakeMs, live: performance.now() - startedMs - lakeMs },
      newestMicros: inLog.value?.newestMicros ?? inTables.value?.head.validThroughMicros,
      why: whyPartial(table, inTables.error, inLog.error, inLog.value?.lacking),
    }
  }

  return {
    async 'symbols.list'(input, { signal }) {
      const { exchange, replay_session: session, snapshot_id, as_of } = input
      if (session !== undefined) return symbolsThen(tools, seenIn(input), exchange, signal)
      const past = { snapshot_id, as_of }
      if (choiceOf(past)) return symbolsThen(tools, () => ({ past }), exchange, signal)
      const startedMs = performance.now()
      const parts = await Promise.all(TABLES.map(table => countPart(table, signal)))
      const names = await tried(() => namesNow(signal), signal)
      return {
        data: symbolRows(parts, names.value, exchange?.toUpperCase()),
        query: metaOf(tools, parts, names.error, startedMs),
      }
    },
  }
}

type Tried<T> = { value: T; error?: undefined } | { value?: undefined; error: Failure }

/** Either of the two may be away, and only that is passed over. */
async function tried<T>(work: () => Promise<T>, signal: AbortSignal): Promise<Tried<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error
    return { error }
  }
}

function unknownOffsets(table: TailTable): Failure {
  const what = `Another engine has written to ${table}, so it is not known which rows of the log are in it`
  return new Failure('UNAVAILABLE', `${what}.`)
}

function whyPartial(
  table: TailTable,
  ofTables: Failure | undefined,
  ofLog: Failure | undefined,
  lacking: readonly { from: number; to: number }[] = [],
): string | undefined {
  if (ofTables) return `The table ${table} cannot be read, only what is held in memory: ${ofTables.message}`
  if (ofLog) return `Of ${table} only what is in the table is counted: ${ofLog.message}`
  const missing = lacking.reduce((sum, { from, to }) => sum + to - from, 0)
  return missing > 0 ? `${missing} messages of ${table} are neither in the table yet nor in memory.` : undefined
}

function sumOf(counts: readonly { count: number }[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0)
}

function metaOf(
  { clock }: Pick<QueryTools, 'clock'>,
  parts: readonly Part[],
  ofNames: Failure | undefined,
  startedMs: number,
): QueryMeta {
  const newestMicros = Math.max(...parts.map(part => part.newestMicros ?? -Infinity))
  const isKnown = Number.isFinite(newestMicros)
  const noNames = ofNames && `The names of companies cannot be read: ${ofNames.message}`
  const why = [...parts.map(part => part.why), noNames].filter(Boolean).join(' ')
  const share = (of: 'lake' | 'live') => ({
    rows: parts.reduce((sum, { rows }) => sum + rows[of], 0),
    ms: Number(Math.max(...parts.map(({ ms }) => ms[of])).toFixed(3)),
  })
  return {
    ms: Number((performance.now() - startedMs).toFixed(3)),
    engine: 'hybrid',
    snapshot_id: parts[0].snapshotId ?? null,
    sources: { tail: share('live'), lake: share('lake') },
    watermark: isKnown ? timestampText(newestMicros) : null,
    freshness_ms: isKnown ? Math.max(0, (clock.nowMicros() - newestMicros) / 1000) : null,
    partial: why !== '',
    why: why || null,
  }
}
