// Rows of one file out of DuckDB by symbol, in the order of the file.
import type { Column, ColumnBatch } from '../../../contract/columns.ts'
import { quoteName } from '../../duck/quote.ts'
import { readParts, type RowSpan } from '../../duck/read-parts.ts'
import type { Filter, LakeReads, OpenRows, TableAt } from '../../lake/reads.ts'
import type { Lease, QueryPool } from '../pool.ts'
import type { PlacesOf } from './symbol-places.ts'

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

/** From so many symbols on it is asked first where the rows of each lie. */
const FEW_SYMBOLS = 4
/** So many more rows are read in the time that a statement of its own takes. */
const ROWS_A_STATEMENT = 50_000
/** Of a larger file the rows of all symbols would take more memory than one question may. */
const LARGE_FILE_ROWS = 8_000_000

/**
 * These columns of all rows of each symbol. Two readings of a file without deletes have the rows in the same order.
 * Where those of a symbol lie together, and the others are not many more, the file is read as a whole.
 */
export async function readBlocks(
  { reads, pool, placesOf }: BlockTools & { placesOf: PlacesOf },
  { at, file, exchange }: BlockFile,
  symbols: readonly string[],
  names: readonly string[],
  caller?: AbortSignal,
): Promise<ReadonlyMap<string, BlockColumns>> {
  const columns = storedColumns(names)
  const isWanted = (candidate: ScanFile) => candidate.file.path === file.file.path
  const found = new Map<string, BlockColumns>()
  const { path, recordCount: rowCount } = file.file

  async function withRows<T>(
    { connection, signal }: Lease,
    filter: Filter,
    work: (rows: OpenRows) => Promise<T>,
  ): Promise<T> {
    const rows = await reads.open(at, { filter, columns: [...PLACE, ...columns], isWanted }, connection, signal)
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
        readParts(connection, selectSql(rows.sql(columns), names), undefined, signal),
      )
      found.set(symbol, columnsOf(part))
    }
  }

  const readTogether = (lease: Lease) =>
    withRows(lease, [], async ({ sql }) => {
      const { connection, signal } = lease
      const places = await placesOf(lease, { path, rowCount, exchange, sql })
      if (!places) return
      const sorted = symbols
        .map(symbol => ({ symbol, ...(places.get(symbol) ?? NO_ROWS) }))
        .sort((a, b) => a.from - b.from || a.to - b.to)
      const asked = sorted.reduce((sum, { from, to }) => sum + to - from, 0)
      if (rowCount - asked > Math.max(asked, symbols.length * ROWS_A_STATEMENT)) return
      const parts = await readParts(connection, selectSql(sql(columns), names), sorted, signal)
      sorted.forEach(({ symbol }, i) => found.set(symbol, columnsOf(parts[i])))
    })

  await pool.run(async lease => {
    const mayBeMost = symbols.length >= FEW_SYMBOLS && rowCount <= LARGE_FILE_ROWS && file.deletes.length === 0
    if (mayBeMost) await readTogether(lease)
    if (found.size === 0) await readEach(lease)
  }, caller)
  return found
}

/** Which rows are whose. */
const PLACE = ['symbol', 'exchange']

const NO_ROWS: RowSpan = { from: 0, to: 0 }

/** What the file has to be read for. */
export function storedColumns(names: readonly string[]): string[] {
  return [...new Set(names.map(name => derived[name]?.from ?? name))]
}

/** `others` are columns of the SELECT that come first. */
export function selectSql(sql: string, names: readonly string[], others: readonly string[] = []): string {
  if (!names.some(name => name in derived)) return sql
  const select = names.map(name => (name in derived ? `${derived[name].sql} AS ${quoteName(name)}` : quoteName(name)))
  return `SELECT ${[...others.map(quoteName), ...select].join(', ')} FROM (${sql})`
}

export function columnsOf({ columns }: ColumnBatch): Map<string, Column> {
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
    ...timeIs('>=', startMicros),
    ...timeIs('<', endMicros),
  ]
}

/** A range is open where a file does not say its times. */
function timeIs(op: '>=' | '<', micros: number | undefined): Filter {
  if (micros === undefined || !Number.isFinite(micros)) return []
  return [{ column: 'exchange_timestamp', op, value: BigInt(micros) }]
}

function exchangeIs(exchange: string | undefined): Filter {
  return exchange === undefined ? [] : [{ column: 'exchange', op: '=', value: exchange }]
}
