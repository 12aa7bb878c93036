// Which exchange is meant where none is named.
import { Failure } from '../../../contract/failure.ts'
import { readBatch } from '../../duck/read-batch.ts'
import type { TableAt } from '../../lake/reads.ts'
import type { BlockTools } from '../blocks/read-block.ts'

export type ExchangeOf = (
  at: TableAt,
  instrument: { symbol: string; exchange?: string },
  signal?: AbortSignal,
) => Promise<string | undefined>

const MOST_KNOWN = 10_000

/** Nothing for a symbol without rows; INVALID_INPUT where it trades at several. */
export function createExchangeOf({ reads, pool }: BlockTools): ExchangeOf {
  const known = new Map<string, readonly string[]>()

  async function exchangesOf(at: TableAt, symbol: string, caller?: AbortSignal): Promise<readonly string[]> {
    const key = JSON.stringify([at.table, at.snapshotId, symbol])
    const found = known.get(key)
    if (found) return found
    const exchanges = await pool.run(async ({ connection, signal }) => {
      const filter = [{ column: 'symbol', op: '=' as const, value: symbol }]
      const rows = await reads.open(at, { filter, columns: ['exchange'] }, connection, signal)
      try {
        const { columns } = await readBatch(
          connection,
          `SELECT DISTINCT exchange FROM (${rows.sql(['exchange'])}) ORDER BY exchange`,
          signal,
        )
        const { values, words } = columns.exchange
        return [...values].map(code => words![Number(code)] as string)
      } catch (error) {
        throw await rows.blame(error)
      } finally {
        rows.release()
      }
    }, caller)
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(key, exchanges)
    return exchanges
  }

  return async (at, { symbol, exchange }, signal) => {
    if (exchange !== undefined) return exchange.toUpperCase()
    const exchanges = await exchangesOf(at, symbol, signal)
    if (exchanges.length < 2) return exchanges[0]
    throw new Failure('INVALID_INPUT', `${symbol} trades at ${exchanges.join(' and ')}: name one as exchange.`, {
      details: { exchange: exchanges },
    })
  }
}

/** So that others find connections of the pool. */
const AT_ONCE = 3

/** By symbol; those that are not there are left out. */
export async function exchangesOf(
  exchangeOf: ExchangeOf,
  at: TableAt,
  { symbols, exchange }: { symbols: readonly string[]; exchange?: string },
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const asked = [...new Set(symbols)]
  const found = new Map<string, string>()
  for (let next = 0; next < asked.length; next += AT_ONCE) {
    const some = asked.slice(next, next + AT_ONCE)
    const exchanges = await Promise.all(some.map(symbol => exchangeOf(at, { symbol, exchange }, signal)))
    exchanges.forEach((own, i) => own !== undefined && found.set(some[i], own))
  }
  return found
}
