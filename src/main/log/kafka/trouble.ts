// Whether the log can be reached, out of many things that each may fail: told when the first fails and when none does any more.
export interface Trouble {
  set: (what: string, error: Error) => void
  clear: (what: string) => void
  any: () => boolean
}

export function createTrouble(tell: (trouble: Error | undefined) => void): Trouble {
  const troubles = new Map<string, Error>()
  return {
    set(what, error) {
      troubles.set(what, error)
      if (troubles.size === 1) tell(error)
    },
    clear(what) {
      if (troubles.delete(what) && troubles.size === 0) tell(undefined)
    },
    any: () => troubles.size > 0,
  }
}
