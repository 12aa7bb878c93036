// Which topics are gone from a log. A look at it is one broker's word: one that restarts or lags behind, and a right that is
// withdrawn for a moment, leave a topic out that is there. So a topic is gone after several looks in a row without it.

/** Looks in a row. */
const MISSING_LOOKS = 3

export interface GoneTopics {
  /** Takes a look in. Of the known topics, those that are gone from now on, and those that are there again. */
  learn: (known: Iterable<string>, there: ReadonlySet<string>) => { lost: string[]; back: string[] }
  has: (topic: string) => boolean
  names: () => string[]
}

export function createGoneTopics(): GoneTopics {
  /** In how many looks, up to the last one, a topic was missing. */
  const missing = new Map<string, number>()
  const has = (topic: string) => (missing.get(topic) ?? 0) >= MISSING_LOOKS

  return {
    learn(known, there) {
      const lost: string[] = []
      const back: string[] = []
      for (const topic of known) {
        if (there.has(topic)) {
          if (has(topic)) back.push(topic)
          missing.delete(topic)
          continue
        }
        const wasGone = has(topic)
        missing.set(topic, (missing.get(topic) ?? 0) + 1)
        if (!wasGone && has(topic)) lost.push(topic)
      }
      return { lost, back }
    },
    has,
    names: () => [...missing.keys()].filter(has),
  }
}
