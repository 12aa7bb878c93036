// Which symbols matter most: under load the others are conflated first.
import type { Instrument, Instruments } from './instruments.ts'

/**
 * `volume`: how many are in the first tier, in the first two, and so on, by what was traded of them in the last day.
 * `list`: the symbols of each. All others form one more tier, the last.
 */
export type SymbolTiers =
  { by: 'volume'; sizes: readonly number[] } | { by: 'list'; tiers: readonly (readonly string[])[] }

export interface TierFinder {
  /** How many tiers there are. */
  readonly count: number
  /** From 0, the most important, on. */
  tierOf: (instrument: Instrument) => number
}

/** So many instruments of which most was traded in the last day, the first of them first; none without trades. */
export type MostTraded = (limit: number) => readonly Instrument[]

export const USUAL_TIERS: SymbolTiers = { by: 'volume', sizes: [20, 100] }
const RANK_EVERY_MS = 10_000

export function createTierFinder(
  tiers: SymbolTiers,
  instruments: Instruments,
  mostTraded: MostTraded,
  nowMs: () => number,
): TierFinder {
  return tiers.by === 'list' ? findByList(tiers.tiers) : findByVolume(tiers.sizes, instruments, mostTraded, nowMs)
}

function findByList(lists: readonly (readonly string[])[]): TierFinder {
  const tiers = new Map<string, number>()
  // Of a symbol in several lists, the first one counts.
  for (let tier = lists.length - 1; tier >= 0; tier--) for (const symbol of lists[tier]) tiers.set(symbol, tier)
  return { count: lists.length + 1, tierOf: ({ symbol }) => tiers.get(symbol) ?? lists.length }
}

/** Quotes have no volume: they stand where the trades of their instrument do. Behind these, by the messages held. */
function findByVolume(
  sizes: readonly number[],
  instruments: Instruments,
  mostTraded: MostTraded,
  nowMs: () => number,
): TierFinder {
  const most = Math.max(...sizes)
  let tiers: number[] = []
  let rankedMs = -Infinity

  function rank(): void {
    tiers = []
    const tierAt = (place: number) => sizes.findIndex(size => place < size)
    const traded = mostTraded(most)
    traded.forEach(({ symbol, exchange }, place) => {
      const own = instruments.find(symbol, exchange)
      if (own) tiers[own.code] = tierAt(place)
    })
    if (traded.length === most) return
    const held = ({ appended, evicted }: Instrument) => appended - evicted
    const others = instruments.all.filter(({ code }) => tiers[code] === undefined).sort((a, b) => held(b) - held(a))
    others.slice(0, most - traded.length).forEach(({ code }, i) => (tiers[code] = tierAt(traded.length + i)))
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
