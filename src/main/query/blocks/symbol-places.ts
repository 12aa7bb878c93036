// Where the rows of each symbol lie in a file. A file that has them together is read without a look at the symbol and the
// exchange of every row: measured, half of what DuckDB spends on three columns of it.
import { createBoundedCache, type Weighed } from '../../base/bounded-cache.ts'
import { quoteText } from '../../duck/quote.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { RowSpan } from '../../duck/read-parts.ts'
import type { Lease } from '../pool.ts'

/** By symbol; nothing where rows of one lie apart, or are of another exchange. */
export type SymbolPlaces = ReadonlyMap<string, RowSpan> | undefined

export interface PlacesAsked {
  path: string
  rowCount: number
  exchange: string | undefined
  /** A SELECT of all rows of the file, in their order. */
  sql: (columns: readonly string[]) => string
}

export type PlacesOf = (lease: Lease, asked: PlacesAsked) => Promise<SymbolPlaces>

const MAX_BYTES = 8_000_000
const BYTES_EACH = 100

/** Of files without deletes. They never change, so each is looked at once. */
export function createPlacesOf(): PlacesOf {
  const held = createBoundedCache<Weighed & { places: SymbolPlaces }>(MAX_BYTES)
  return async (lease, asked) => {
    const key = JSON.stringify([asked.path, asked.exchange])
    const known = held.get(key)
    if (known) return known.places
    const places = await findPlaces(lease, asked)
    held.put(key, { places, bytes: BYTES_EACH * (1 + (places?.size ?? 0)) })
    return places
  }
}

async function findPlaces({ connection, signal }: Lease, asked: PlacesAsked): Promise<SymbolPlaces> {
  const { rowCount, exchange, sql } = asked
  if (exchange !== undefined) {
    const isIts = `SELECT count(*) AS rows FROM (${sql(['exchange'])}) WHERE exchange = ${quoteText(exchange)}`
    const { columns } = await readBatch(connection, isIts, signal)
    if (Number(columns.rows.values[0]) < rowCount) return undefined
  }
  const numbered = `SELECT symbol, row_number() OVER () AS place FROM (${sql(['symbol'])})`
  const spans = `SELECT symbol, count(*) AS rows, min(place) - 1 AS first, max(place) AS last FROM (${numbered})`
  const { columns } = await readBatch(connection, `${spans} GROUP BY symbol`, signal)
  const { symbol, rows, first, last } = columns
  const places = new Map<string, RowSpan>()
  for (let i = 0; i < rows.values.length; i++) {
    const [from, to] = [Number(first.values[i]), Number(last.values[i])]
    if (to - from !== Number(rows.values[i])) return undefined
    if (!symbol.nulls?.[i]) places.set(symbol.words![Number(symbol.values[i])] as string, { from, to })
  }
  return places
}
