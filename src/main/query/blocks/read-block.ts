// One symbol's rows of one file out of DuckDB, in the order of the file.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { quoteName } from '../../duck/quote.ts'
import type { Filter, LakeReads, TableAt } from '../../lake/reads.ts'
import type { QueryPool } from '../pool.ts'
import { narrowDecimals } from './narrow.ts'

export type ScanFile = Awaited<ReturnType<LakeReads['plan']>>[number]

export interface BlockSource {
  at: TableAt
  file: ScanFile
  symbol: string
  /** Upper case; rows of all when left out. */
  exchange?: string
}

export interface BlockTools {
  reads: LakeReads
  pool: QueryPool
}

/** Of trades: 1 where a condition says that it was not made in the market's own book or auctions. */
export const OFF_MARKET = 'off_market'

const ON_MARKET_CONDITIONS = ['OPENING_AUCTION', 'CLOSING_AUCTION']

export function isOffMarket(conditions: readonly string[] | null): boolean {
  return conditions?.some(condition => !ON_MARKET_CONDITIONS.includes(condition)) ?? false
}

/** What is made of other columns while they are read, so that lists need not be decoded. */
const derived: Readonly<Record<string, { from: string; sql: string }>> = {
  [OFF_MARKET]: {
    from: 'trade_conditions',
    sql: `coalesce(NOT list_has_all([${ON_MARKET_CONDITIONS.map(word => `'${word}'`).join(', ')}], trade_conditions), false)`,
  },
}

/** These columns of all its rows. Two readings of a file without deletes have the rows in the same order. */
export async function readBlock(
  { reads, pool }: BlockTools,
  { at, file, symbol, exchange }: BlockSource,
  names: readonly string[],
  caller?: AbortSignal,
): Promise<ReadonlyMap<string, Column>> {
  const filter = filterOf({ symbols: [symbol], exchange })
  const isWanted = (candidate: ScanFile) => candidate.file.path === file.file.path
  const columns = [...new Set(names.map(name => derived[name]?.from ?? name))]
  const batch = await pool.run(async ({ connection, signal }) => {
    const rows = await reads.open(at, { filter, columns, isWanted }, connection, signal)
    try {
      return await readBatch(connection, selectSql(rows.sql(columns), names), signal)
    } catch (error) {
      throw await rows.blame(error)
    } finally {
      rows.release()
    }
  }, caller)
  return columnsOf(batch)
}

function selectSql(sql: string, names: readonly string[]): string {
  if (!names.some(name => name in derived)) return sql
  const select = names.map(name => (name in derived ? `${derived[name].sql} AS ${quoteName(name)}` : quoteName(name)))
  return `SELECT ${select.join(', ')} FROM (${sql})`
}

function columnsOf({ columns }: ColumnBatch): Map<string, Column> {
  return new Map(Object.entries(columns).map(([name, column]) => [name, narrowDecimals(column)]))
}

export interface FilteredRows {
  symbols: readonly string[]
  exchange?: string
  startMicros?: number
  endMicros?: number
}

export function filterOf({ symbols, exchange, startMicros, endMicros }: FilteredRows): Filter {
  const [symbol] = symbols
  return [
    symbols.length === 1
      ? { column: 'symbol', op: '=', value: symbol }
      : { column: 'symbol', op: 'in', values: [...symbols] },
    ...(exchange === undefined ? [] : [{ column: 'exchange', op: '=' as const, value: exchange }]),
    ...(startMicros === undefined
      ? []
      : [{ column: 'exchange_timestamp', op: '>=' as const, value: BigInt(startMicros) }]),
    ...(endMicros === undefined ? [] : [{ column: 'exchange_timestamp', op: '<' as const, value: BigInt(endMicros) }]),
  ]
}
