// What was found in the sequences and repeats of each exchange, for the metrics. Only what is rare is counted here.
import type { GapSeverity } from '../intake.ts'

export interface QualityCount {
  exchange: string
  assetClass: string
  gaps: Record<GapSeverity, number>
  /** Messages dropped as repeats within the window. */
  duplicates: number
  /** The last number once more with the same content, longer ago than the window reaches: the row stays. */
  repeated: number
  /** The last number once more with other content: a correction, which stays. */
  corrected: number
  outOfOrder: number
  resets: number
  /** Rows whose number says something else than their time about which of two is the later one. */
  disagreeing: number
}

export interface QualityCounts {
  all: () => readonly QualityCount[]
  of: (exchange: string, assetClass: string) => QualityCount
}

export function createQualityCounts(): QualityCounts {
  const counts = new Map<string, QualityCount>()
  return {
    all: () => [...counts.values()],
    of(exchange, assetClass) {
      const name = `${exchange}\n${assetClass}`
      let count = counts.get(name)
      if (!count) counts.set(name, (count = noCount(exchange, assetClass)))
      return count
    },
  }
}

function noCount(exchange: string, assetClass: string): QualityCount {
  const gaps = { minor: 0, major: 0, critical: 0 }
  const none = { duplicates: 0, repeated: 0, corrected: 0, outOfOrder: 0, resets: 0, disagreeing: 0 }
  return { exchange, assetClass, gaps, ...none }
}
