// Trades that the stream has missed, fetched afterwards: a gap after the other, as long as the exchange still has them.
import { createBell } from '../../base/bell.ts'
import { backoffMs, sleepUnlessAborted } from '../../base/retry.ts'
import type { Trade } from './read-event.ts'
import { RestRefusal, type Rest } from './rest.ts'
import { countIds, type IdRange, type TradeIds } from './trade-ids.ts'

export interface BackfillOptions {
  rest: Rest
  ids: TradeIds
  /** One that was missing until now. */
  onTrade: (trade: Trade) => void
  /** So many trades turned out to be missing. */
  onGap: (symbol: string, missing: number) => void
  /** Waits until trades can be taken. */
  whenRoom: () => Promise<void>
  onGivenUp: (symbol: string, range: IdRange, missing: number, why: string) => void
  /** Two connections at once may bring trades in another order than that of their ids. */
  graceMs?: number
  signal: AbortSignal
}

export interface Backfill {
  request: (symbol: string, gap: IdRange) => void
  /** Resolves when the signal has aborted and nothing is fetched any more. */
  ended: Promise<void>
}

interface Wanted {
  symbol: string
  gap: IdRange
  sinceMs: number
}

const GRACE_MS = 1000
const TRIES = 6
const FIRST_RETRY_MS = 500
const MOST_RETRY_MS = 30_000
/** Of one gap, the newest: weeks of a busy pair would keep the exchange from answering anything else. */
const MOST_OF_A_GAP = 100_000

export function createBackfill(options: BackfillOptions): Backfill {
  const { rest, ids, onTrade, onGap, onGivenUp, whenRoom, graceMs = GRACE_MS, signal } = options
  const queue: Wanted[] = []
  const asked = createBell()

  async function fetchGap({ symbol, gap }: Wanted): Promise<void> {
    const missing = countIds(ids.missingIn(symbol, gap))
    if (missing === 0) return
    onGap(symbol, missing)
    const tooOld = gap.to - gap.from + 1 - MOST_OF_A_GAP
    if (tooOld > 0) giveUp(symbol, { from: gap.from, to: gap.from + tooOld - 1 }, 'the gap is too long')
    for (let failures = 0; ;) {
      const [range] = ids.missingIn(symbol, gap)
      if (range === undefined) return
      try {
        await fetchRange(symbol, range)
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        const why = (error as Error).message
        if (++failures === TRIES || isFinal(error)) return giveUp(symbol, gap, why)
        const waitMs = error instanceof RestRefusal ? error.waitMs : 0
        const least = backoffMs(failures, FIRST_RETRY_MS, MOST_RETRY_MS)
        await sleepUnlessAborted(Math.max(waitMs, least), signal).catch(() => {})
      }
    }
  }

  /** What the exchange leaves out of its own answer, it does not have. */
  async function fetchRange(symbol: string, { from, to }: IdRange): Promise<void> {
    await whenRoom()
    const trades = await rest.trades(symbol, from, signal)
    for (const trade of trades) {
      if (signal.aborted) return
      if (trade.id >= from && trade.id <= to && ids.take(symbol, trade.id).isNew) onTrade(trade)
    }
    const reached = trades.length === 0 ? to : Math.min(trades[trades.length - 1].id, to)
    giveUp(symbol, { from, to: Math.max(reached, from) }, 'the exchange does not have them')
  }

  function giveUp(symbol: string, range: IdRange, why: string): void {
    const missing = ids.giveUp(symbol, range)
    if (missing > 0) onGivenUp(symbol, range, missing, why)
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const wanted = queue.shift()
      if (!wanted) {
        await asked.wait(signal)
        continue
      }
      const waitMs = wanted.sinceMs + graceMs - performance.now()
      if (waitMs > 0) await sleepUnlessAborted(waitMs, signal).catch(() => {})
      if (!signal.aborted) await fetchGap(wanted)
    }
  }

  return {
    request(symbol, gap) {
      queue.push({ symbol, gap, sinceMs: performance.now() })
      asked.ring()
    },
    ended: run(),
  }
}

/** Asking again changes nothing: it is not offered, or not to us. A request too many is told by 429 and 418. */
function isFinal(error: unknown): boolean {
  return error instanceof RestRefusal && error.status < 500 && ![408, 418, 429].includes(error.status)
}
