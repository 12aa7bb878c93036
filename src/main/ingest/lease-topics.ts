// Which topics of a table are written here: each has a lease of its own, so that those that another K2 holds keep none of the
// others from being written.
import type { DataType } from '../market/topics.ts'
import type { Lease, WriterOptions } from './writer-options.ts'

export interface TopicLeases {
  /** Those of the topics that are free, to be kept or let go. Keeps none of them when it fails. */
  take: (topics: readonly string[]) => Promise<ReadonlyMap<string, Lease>>
  keep: (taken: ReadonlyMap<string, Lease>) => void
  /** All that are kept. */
  letGo: () => Promise<void>
  /** By topic, who held it when it was asked for last. */
  others: () => ReadonlyMap<string, string>
}

/** Where nobody else can write. */
const noLease = (): Lease => ({ lost: new Promise(() => {}), release: () => Promise.resolve() })

export function createTopicLeases(
  table: DataType,
  { acquireLease }: Pick<WriterOptions, 'acquireLease'>,
  onLost: (why: Error) => void,
): TopicLeases {
  let kept: Lease[] = []
  let others = new Map<string, string>()

  return {
    async take(topics) {
      const taken = new Map<string, Lease>()
      const isNews = others.size === 0
      others = new Map([...others].filter(([topic]) => topics.includes(topic)))
      try {
        for (const topic of [...topics].sort()) {
          const answer = acquireLease ? await acquireLease(table, [topic]) : { held: noLease() }
          if ('held' in answer) {
            taken.set(topic, answer.held)
            others.delete(topic)
            continue
          }
          others.set(topic, answer.heldBy)
          // Whoever holds it may be about to take the others: of two that begin at once one gets all, as a rule.
          if (isNews) break
        }
      } catch (error) {
        await releaseAll(taken.values())
        throw error
      }
      return taken
    },
    keep(taken) {
      for (const lease of taken.values()) {
        kept.push(lease)
        void lease.lost.then(why => {
          if (kept.includes(lease)) onLost(why)
        })
      }
    },
    letGo() {
      const released = releaseAll(kept)
      kept = []
      return released
    },
    others: () => others,
  }
}

export async function releaseAll(leases: Iterable<Lease>): Promise<void> {
  await Promise.allSettled([...leases].map(lease => lease.release()))
}

/** Who writes which of them. */
export function tellHolders(table: DataType, others: ReadonlyMap<string, string>): string {
  const holders = [...new Set(others.values())]
  const told = holders.map(holder => {
    const topics = [...others.keys()].filter(topic => others.get(topic) === holder)
    return `${holder} writes ${topics.join(', ')} to ${table}`
  })
  return told.join(', and ')
}
