// Rows of one file out of DuckDB by symbol, in the order of the file.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { readBatch } from '../../duck/read-batch.ts'
import { quoteName, quoteText } from '../../duck/quote.ts'
import { readParts } from '../../duck/read-parts.ts'
import type { Filter, LakeReads, OpenRows, TableAt } from '../../lake/reads.ts'
import { compareTexts } from '../../market/row-order.ts'
import type { Lease, QueryPool } from '../pool.ts'

export type ScanFile = Awaited<ReturnType<LakeReads['plan']>>[number]

export interface BlockFile {
  at: TableAt
  file: ScanFile
  /** Upper case; rows of all when left out. */
  exchange?: string
}

export interface BlockSource extends BlockFile {
  symbol: string
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

export type BlockColumns = ReadonlyMap<string, Column>

/** From so many symbols on it is asked first how many rows each has. */
const FEW_SYMBOLS = 4
/** Of a larger file the rows of all symbols would take more memory than one question may. */
const LARGE_FILE_ROWS = 8_000_000

/**
 * These columns of all rows of each symbol. Two readings of a file without deletes have the rows in the same order.
 * Rows of many symbols are read together where they are most of what lies between the first symbol and the last:
 * measured, a file of eight symbols then takes DuckDB two thirds of the time.
 */
export async function readBlocks(
  { reads, pool }: BlockTools,
  { at, file, exchange }: BlockFile,
  symbols: readonly string[],
  names: readonly string[],
  caller?: AbortSignal,
): Promise<ReadonlyMap<string, BlockColumns>> {
  const columns = [...new Set(names.map(name => derived[name]?.from ?? name))]
  const isWanted = (candidate: ScanFile) => candidate.file.path === file.file.path
  const found = new Map<string, BlockColumns>()

  async function withRows<T>(
    { connection, signal }: Lease,
    filter: Filter,
    work: (rows: OpenRows) => Promise<T>,
  ): Promise<T> {
    const rows = await reads.open(at, { filter, columns, isWanted }, connection, signal)
    try {
      return await work(rows)
    } catch (error) {
      throw await rows.blame(error)
    } finally {
      rows.release()
    }
  }

  const readEach = async (lease: Lease) => {
    const { connection, signal } = lease
    for (const symbol of symbols) {
      const [part] = await withRows(lease, filterOf({ symbols: [symbol], exchange }), rows =>
        readParts(connection, selectSql(rows.sql(columns), names), 1, signal),
      )
      found.set(symbol, columnsOf(part))
    }
  }

  const readTogether = async (lease: Lease) => {
    const { connection, signal } = lease
    const sorted = symbols.toSorted(compareTexts)
    await withRows(lease, between(sorted, exchange), async rows => {
      const counts = await readBatch(connection, countSql(rows.sql(['symbol']), sorted), signal)
      if (!areMost(counts)) return
      const sql = selectSql(rows.sql(['symbol', ...columns]), names, sorted)
      // The last part is of the symbols between them that nobody asked for.
      const parts = await readParts(connection, sql, sorted.length + 1, signal)
      sorted.forEach((symbol, i) => found.set(symbol, columnsOf(parts[i])))
    })
  }

  await pool.run(async lease => {
    if (symbols.length >= FEW_SYMBOLS && file.file.recordCount <= LARGE_FILE_ROWS) await readTogether(lease)
    if (found.size === 0) await readEach(lease)
  }, caller)
  return found
}

/** Rows of the first symbol to the last: where a whole group of rows is, DuckDB need not look at each of them. */
function between(sorted: readonly string[], exchange: string | undefined): Filter {
  return [
    { column: 'symbol', op: '>=', value: sorted[0] },
    { column: 'symbol', op: '<=', value: sorted[sorted.length - 1] },
    ...exchangeIs(exchange),
  ]
}

/** Places in the list begin with 1; what is not in it is NULL. */
function partSql(sorted: readonly string[]): string {
  const place = `list_position([${sorted.map(quoteText).join(', ')}], symbol)`
  return `(coalesce(${place}, ${sorted.length + 1}) - 1)::USMALLINT`
}

function countSql(sql: string, sorted: readonly string[]): string {
  const counts = `SELECT symbol, count(*) AS rows FROM (${sql}) GROUP BY symbol`
  const isAsked = `${partSql(sorted)} < ${sorted.length}`
  return `SELECT coalesce(sum(rows) FILTER (${isAsked}), 0)::DOUBLE AS asked, coalesce(sum(rows), 0)::DOUBLE AS rows FROM (${counts})`
}

function areMost({ columns: { asked, rows } }: ColumnBatch): boolean {
  return Number(asked.values[0]) * 2 >= Number(rows.values[0])
}

function selectSql(sql: string, names: readonly string[], sorted?: readonly string[]): string {
  if (!sorted && !names.some(name => name in derived)) return sql
  const select = names.map(name => (name in derived ? `${derived[name].sql} AS ${quoteName(name)}` : quoteName(name)))
  return `SELECT ${[...(sorted ? [`${partSql(sorted)} AS part`] : []), ...select].join(', ')} FROM (${sql})`
}

function columnsOf({ columns }: ColumnBatch): Map<string, Column> {
  return new Map(Object.entries(columns))
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
    ...exchangeIs(exchange),
    ...(startMicros === undefined
      ? []
      : [{ column: 'exchange_timestamp', op: '>=' as const, value: BigInt(startMicros) }]),
    ...(endMicros === undefined ? [] : [{ column: 'exchange_timestamp', op: '<' as const, value: BigInt(endMicros) }]),
  ]
}

function exchangeIs(exchange: string | undefined): Filter {
  return exchange === undefined ? [] : [{ column: 'exchange', op: '=', value: exchange }]
}
