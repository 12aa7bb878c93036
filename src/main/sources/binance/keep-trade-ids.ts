// The last trade of each symbol, kept over a restart: what the exchange did meanwhile is a gap then, and is fetched.
// Kept is only what is in the log or on the disk before it. After a crash some trades of the last moment are fetched again,
// under the same message ids, so readers drop them as repeats.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { aborted } from '../../base/cancelled.ts'
import { sleepUnlessAborted } from '../../base/retry.ts'
import type { TradeIds, TradeIdsState } from './trade-ids.ts'

export interface KeepOptions {
  file: string
  /** Another exchange, or its test market, counts other trades. */
  source: string
  /** Resolves when all that has come until now is in the log or on the disk. */
  settled: () => Promise<void>
  onTrouble: (error: unknown) => void
  everyMs?: number
}

export interface KeptTradeIds {
  /** What an earlier run has left of these symbols. */
  read: (symbols: readonly string[]) => Promise<TradeIdsState>
  /** Now and then until the signal aborts. */
  keep: (ids: TradeIds, signal: AbortSignal) => Promise<void>
  /** At once: all that has come is in the log or on the disk. */
  write: (state: TradeIdsState) => Promise<void>
}

const EVERY_MS = 1000

export function keepTradeIds({ file, source, settled, onTrouble, everyMs = EVERY_MS }: KeepOptions): KeptTradeIds {
  let written = ''

  async function write(symbols: TradeIdsState): Promise<void> {
    const text = JSON.stringify({ source, symbols })
    if (text === written) return
    try {
      await writeFile(`${file}.draft`, text, { mode: 0o600 })
      await rename(`${file}.draft`, file)
      written = text
    } catch (error) {
      onTrouble(error)
    }
  }

  return {
    write,
    async read(symbols) {
      const text = await readFile(file, 'utf8').catch(() => '')
      const kept = parsed(text)
      if (kept?.source !== source) return {}
      return Object.fromEntries(Object.entries(kept.symbols).filter(([symbol]) => symbols.includes(symbol)))
    },
    async keep(ids, signal) {
      const left = aborted(signal)
      for (;;) {
        await sleepUnlessAborted(everyMs, signal).catch(() => {})
        if (signal.aborted) return
        const state = ids.state()
        // Neither the log nor the disk may take what has come, for as long as it runs.
        await Promise.race([settled(), left])
        if (!signal.aborted) await write(state)
      }
    },
  }
}

interface Kept {
  source: string
  symbols: TradeIdsState
}

/** One that a loss of power has spoilt is as good as none. */
function parsed(text: string): Kept | undefined {
  try {
    const kept = JSON.parse(text) as Kept
    const isWhole = Object.values(kept.symbols).every(
      ({ last, missing }) =>
        Number.isSafeInteger(last) &&
        missing.every(({ from, to }) => Number.isSafeInteger(from) && Number.isSafeInteger(to)),
    )
    return isWhole ? kept : undefined
  } catch {
    return undefined
  }
}
