// Which topics the exchanges of some topics need, and how each is to be made: trades and quotes in as many partitions as the
// exchange has in the table, kept for a time; reference data in one, compacted, so that the newest row of a company stays.
import { exchangeOf } from './exchanges.ts'
import { DATA_TYPES, partsOfTopic, topicOf } from './topics.ts'

export interface PlannedTopic {
  name: string
  partitions: number
  config: Readonly<Record<string, string>>
}

export interface TopicSettings {
  retentionMs: number
  /** In the place of the exchange's own number. */
  partitions?: number
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Of `7d`. */
export function durationMs(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text)!
  return Number(amount) * UNITS[unit]
}

export function planTopics(names: readonly string[], { retentionMs, partitions }: TopicSettings): PlannedTopic[] {
  const planned = new Map<string, PlannedTopic>()
  for (const { assetClass, exchange } of names.map(partsOfTopic))
    for (const dataType of DATA_TYPES) {
      const name = topicOf(assetClass, dataType, exchange)
      const isReference = dataType === 'reference_data'
      planned.set(name, {
        name,
        partitions: isReference ? 1 : (partitions ?? exchangeOf(exchange).partitions),
        config: isReference
          ? { 'cleanup.policy': 'compact' }
          : { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs) },
      })
    }
  return [...planned.values()]
}
