// Which symbols matter most: under load the others are conflated first.
import type { Instrument } from './instruments.ts'

/**
 * `volume`: how many are in the first tier, in the first two, and so on, by the messages that the tail holds of them: it
 * knows minutes, not days, and quotes have no volume. `list`: the symbols of each. All others form one more tier, the last.
 */
export type SymbolTiers =
  { by: 'volume'; sizes: readonly number[] } | { by: 'list'; tiers: readonly (readonly string[])[] }

export interface TierFinder {
  /** How many tiers there are. */
  readonly count: number
  /** From 0, the most important, on. */
  tierOf: (instrument: Instrument) => number
}

export const USUAL_TIERS: SymbolTiers = { by: 'volume', sizes: [20, 100] }
const RANK_EVERY_MS = 10_000

export function createTierFinder(tiers: SymbolTiers, all: readonly Instrument[], nowMs: () => number): TierFinder {
  return tiers.by === 'list' ? findByList(tiers.tiers) : findByVolume(tiers.sizes, all, nowMs)
}

function findByList(lists: readonly (readonly string[])[]): TierFinder {
  const tiers = new Map<string, number>()
  // Of a symbol in several lists, the first one counts.
  for (let tier = lists.length - 1; tier >= 0; tier--) for (const symbol of lists[tier]) tiers.set(symbol, tier)
  return { count: lists.length + 1, tierOf: ({ symbol }) => tiers.get(symbol) ?? lists.length }
}

function findByVolume(sizes: readonly number[], all: readonly Instrument[], nowMs: () => number): TierFinder {
  let tiers: number[] = []
  let rankedMs = -Infinity

  function rank(): void {
    const held = ({ appended, evicted }: Instrument) => appended - evicted
    const busiest = [...all].sort((a, b) => held(b) - held(a) || a.code - b.code).slice(0, Math.max(...sizes))
    tiers = []
    busiest.forEach(({ code }, place) => (tiers[code] = sizes.findIndex(size => place < size)))
  }

  return {
    count: sizes.length + 1,
    tierOf({ code }) {
      if (nowMs() - rankedMs >= RANK_EVERY_MS) {
        rankedMs = nowMs()
        rank()
      }
      return tiers[code] ?? sizes.length
    },
  }
}
