// How many messages may still be taken, over all tables.
export interface Budget {
  /** As many of these as may be taken; they count as taken then. */
  claim: (messages: number) => number
}

export function createBudget(most: number | undefined, onSpent: () => void): Budget {
  let left = most ?? Infinity
  return {
    claim(messages) {
      const claimed = Math.min(messages, left)
      left -= claimed
      if (left === 0) onSpent()
      return claimed
    },
  }
}
