// Work for several symbols, those whose rows are in the same files at the same time: each file is then read once for all
// of them.
import { setMaxListeners } from 'node:events'
import type { LakeReads, TableAt } from '../../lake/reads.ts'
import { compareTexts } from '../../market/row-order.ts'
import { filterOf } from './read-block.ts'

/** What they decode is in memory together. */
const SYMBOLS_AT_ONCE = 16

/** What the work gives, in the order of the symbols. When one of them fails the others that run are stopped. */
export async function workByFiles<T>(
  reads: Pick<LakeReads, 'plan'>,
  { at, symbols }: { at: TableAt; symbols: readonly string[] },
  work: (symbol: string, signal: AbortSignal) => Promise<T>,
  caller?: AbortSignal,
): Promise<T[]> {
  const fileOf = async (symbol: string) => {
    const [first] = await reads.plan(at, { filter: filterOf({ symbols: [symbol] }) }, caller)
    return { symbol, path: first?.file.path ?? '' }
  }
  const byFile = (await Promise.all(symbols.map(fileOf))).sort((a, b) => compareTexts(a.path, b.path))
  const found = new Map<string, T>()
  for (let next = 0; next < byFile.length; next += SYMBOLS_AT_ONCE) {
    const stop = new AbortController()
    const signal = caller ? AbortSignal.any([caller, stop.signal]) : stop.signal
    // Each file that is read listens to it.
    setMaxListeners(0, signal)
    const together = byFile.slice(next, next + SYMBOLS_AT_ONCE).map(async ({ symbol }) => {
      found.set(symbol, await work(symbol, signal))
    })
    try {
      await Promise.all(together)
    } catch (error) {
      stop.abort()
      await Promise.allSettled(together)
      throw error
    }
  }
  return symbols.map(symbol => found.get(symbol)!)
}
