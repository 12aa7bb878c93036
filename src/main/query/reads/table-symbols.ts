// Which instruments a table has, with when and how often. Counted once: of a newer snapshot only the files that came
// are read, as long as none has gone.
import { cellOf } from '../../../contract/columns.ts'
import type { AssetClass } from '../../../contract/tables.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { FileCounts, LakeReads, RowsQuestion, TableAt } from '../../lake/reads.ts'
import type { SymbolCount } from '../../market/symbol-count.ts'
import type { QueryTools } from '../tools.ts'

/** By exchange and symbol. */
export type SymbolCounts = ReadonlyMap<string, SymbolCount>

export interface TableSymbols {
  of: (at: TableAt, signal?: AbortSignal) => Promise<SymbolCounts>
}

interface Counted {
  snapshotId: string | undefined
  files: ReadonlySet<string>
  counts: SymbolCounts
}

type ScanFile = Awaited<ReturnType<LakeReads['plan']>>[number]

const COLUMNS = ['exchange', 'symbol', 'asset_class', 'exchange_timestamp']
const EVERYTHING = { filter: [], columns: COLUMNS }

export function tableSymbols(tools: Pick<QueryTools, 'reads' | 'pool'>): TableSymbols {
  const { reads } = tools
  let known: Counted = { snapshotId: undefined, files: new Set(), counts: new Map() }
  let turn: Promise<unknown> = Promise.resolve()

  async function count(at: TableAt, signal: AbortSignal | undefined): Promise<SymbolCounts> {
    if (at.snapshotId === known.snapshotId) return known.counts
    const files = new Set((await reads.plan(at, EVERYTHING, signal)).map(keyOf))
    const isGrown = [...known.files].every(file => files.has(file))
    const before = isGrown ? known : { files: new Set<string>(), counts: new Map<string, SymbolCount>() }
    const isWanted = (file: ScanFile) => !before.files.has(keyOf(file))
    const came = await countSymbols(tools, at, { ...EVERYTHING, isWanted }, signal)
    known = { snapshotId: at.snapshotId, files, counts: addCounts(before.counts, came.counts) }
    return known.counts
  }

  return {
    of(at, signal) {
      // One after the other: the second finds what the first has counted.
      const mine = turn.then(() => count(at, signal))
      turn = mine.catch(() => {})
      return mine
    },
  }
}

/** Counted anew, of the rows of a snapshot that pass. */
export function countSymbols(
  { reads, pool }: Pick<QueryTools, 'reads' | 'pool'>,
  at: TableAt,
  question: Pick<RowsQuestion, 'filter' | 'isWanted'>,
  caller?: AbortSignal,
): Promise<{ counts: SymbolCount[]; files: FileCounts }> {
  return pool.run(async ({ connection, signal }) => {
    const opened = await reads.open(at, { columns: COLUMNS, ...question }, connection, signal)
    try {
      const { rowCount, columns } = await readBatch(
        connection,
        `SELECT exchange, symbol, any_value(asset_class) AS asset_class, min(exchange_timestamp) AS first,
         max(exchange_timestamp) AS last, count(*) AS rows FROM (${opened.sql(COLUMNS)}) GROUP BY exchange, symbol`,
        signal,
      )
      const text = (name: string, row: number) => cellOf(columns[name], row) as string
      const counts = Array.from({ length: rowCount }, (_, row): SymbolCount => ({
        symbol: text('symbol', row),
        exchange: text('exchange', row),
        assetClass: text('asset_class', row) as AssetClass,
        firstMicros: Number(columns.first.values[row]),
        lastMicros: Number(columns.last.values[row]),
        count: Number(columns.rows.values[row]),
      }))
      return { counts, files: opened.files }
    } catch (error) {
      throw await opened.blame(error)
    } finally {
      opened.release()
    }
  }, caller)
}

/** A file from which rows were deleted since is another one. */
function keyOf({ file, deletes }: ScanFile): string {
  return [file.path, ...deletes.map(({ path }) => path)].join('\n')
}

export function instrumentKey({ exchange, symbol }: { exchange: string; symbol: string }): string {
  return `${exchange}\n${symbol}`
}

/** What is counted in both is in neither of the two twice. */
export function addCounts(counts: SymbolCounts, more: readonly SymbolCount[]): SymbolCounts {
  const sum = new Map(counts)
  for (const one of more) {
    const key = instrumentKey(one)
    const other = sum.get(key)
    const firstMicros = Math.min(one.firstMicros, other?.firstMicros ?? Infinity)
    const lastMicros = Math.max(one.lastMicros, other?.lastMicros ?? -Infinity)
    sum.set(key, { ...one, firstMicros, lastMicros, count: one.count + (other?.count ?? 0) })
  }
  return sum
}
