// Hands batches from one who gives to one who takes, one at a time: giving waits until the one before was taken.
export interface HandOver<T> {
  give: (item: T) => Promise<void>
  /** Nothing more comes. */
  end: () => void
  taken: AsyncIterable<T>
}

export function createHandOver<T>(): HandOver<T> {
  const noop = () => {}
  let item: { value: T } | undefined
  let ended = false
  let onGiven = noop
  let onTaken = noop
  async function* take(): AsyncGenerator<T> {
    try {
      for (;;) {
        while (!item && !ended) await new Promise<void>(resolve => (onGiven = resolve))
        if (!item) return
        const { value } = item
        item = undefined
        onTaken()
        yield value
      }
    } finally {
      ended = true // whoever gives must not wait for somebody who has left
      onTaken()
    }
  }
  return {
    async give(value) {
      while (item && !ended) await new Promise<void>(resolve => (onTaken = resolve))
      if (ended) return
      item = { value }
      onGiven()
    },
    end() {
      ended = true
      onGiven()
    },
    taken: take(),
  }
}
