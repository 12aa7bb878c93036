// Under load a follower gets only the newest row of an instrument in each batch, of the least important instruments first.
import type { Instrument } from './instruments.ts'
import type { TierFinder } from './tiers.ts'

/** 0 is normal; see base/load-level.ts. */
export type LoadLevel = 0 | 1 | 2 | 3 | 4

export interface Conflation {
  level: () => LoadLevel
  tiers: TierFinder
  /** Rows that a follower was not given; tiers count from 0, the most important. */
  onShed: (tier: number, rows: number) => void
}

/** Which instruments are conflated now: each level takes in one more tier from the end, so the third of three takes all. */
export function conflatedNow({ level, tiers }: Conflation): ((instrument: Instrument) => boolean) | undefined {
  const first = Math.max(0, tiers.count - level())
  return first < tiers.count ? instrument => tiers.tierOf(instrument) >= first : undefined
}

/**
 * How often followers are woken, by level. Measured without load, batches of 25 to 50 ms are the cheapest for the page and
 * still look live; the longer a batch, the more there is to conflate.
 */
export const WAKE_EVERY_MS = [20, 50, 100, 250, 1000] as const
