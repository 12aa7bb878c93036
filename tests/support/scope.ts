// What was opened, closed again in the opposite order: for work that runs in tests and in scripts alike.
export interface Scope {
  add: (close: () => unknown) => void
  close: () => Promise<void>
}

export function openScope(): Scope {
  const closers: (() => unknown)[] = []
  return {
    add: close => void closers.push(close),
    async close() {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}
