// What has to be known before the first message: the schemas it is written with, and what each pair is quoted in.
import { Failure } from '../../../contract/failure.ts'
import { backoffMs, isTransient, sleepUnlessAborted } from '../../base/retry.ts'
import { QUOTES_TOPIC, TRADES_TOPIC } from './encode-event.ts'
import type { BinanceLog } from './observe.ts'
import { quoteAssetOf } from './quote-asset.ts'
import type { Rest } from './rest.ts'

export type SchemaIdOf = (topic: string, table: 'trades' | 'quotes') => Promise<number> | number

const FIRST_RETRY_MS = 500
const MOST_RETRY_MS = 10_000

/** Waits for the registry for as long as it takes; CANCELLED when the signal aborts first. */
export async function learnSchemaIds(
  schemaIdOf: SchemaIdOf,
  onTrouble: (error: Error) => void,
  signal: AbortSignal,
): Promise<{ trades: number; quotes: number }> {
  for (let failures = 1; ; failures++) {
    try {
      return { trades: await schemaIdOf(TRADES_TOPIC, 'trades'), quotes: await schemaIdOf(QUOTES_TOPIC, 'quotes') }
    } catch (error) {
      if (!isTransient(error)) throw error
      onTrouble(error as Error)
      await sleepUnlessAborted(backoffMs(failures, FIRST_RETRY_MS, MOST_RETRY_MS), signal)
    }
  }
}

/** By the exchange's own word where it can be asked, else by the symbol's ending. A symbol it does not know is INVALID_INPUT. */
export async function learnCurrencies(
  rest: Rest,
  symbols: readonly string[],
  logger: BinanceLog,
  signal: AbortSignal,
): Promise<(symbol: string) => string | undefined> {
  const told = await rest.quoteAssets(symbols, signal).catch((error: unknown) => {
    logger.info('the exchange could not be asked about its pairs; their currency is told by their names', { error })
    return undefined
  })
  const unknown = symbols.filter(symbol => told && !told.has(symbol))
  if (unknown.length > 0) {
    const message = `Binance does not know ${unknown.join(', ')}. Nothing was taken in; name symbols as it does, such as BTCUSDT.`
    throw new Failure('INVALID_INPUT', message)
  }
  return symbol => quoteAssetOf(symbol, told)
}
