// Shutdown: steps one after the other within a deadline, and the names of those that did not finish.
export interface CloseStep {
  name: string
  /** May name what it left unfinished. */
  close: (signal: AbortSignal) => unknown
}

/** For a step that hears the signal too, to say itself what it leaves. */
const LAST_WORDS_MS = 50

/**
 * A step that fails or is late does not keep the later ones from running; the deadline is shared.
 * Steps may name what they left unfinished themselves.
 */
export async function closeInOrder(steps: readonly CloseStep[], signal: AbortSignal): Promise<string[]> {
  const unfinished: string[] = []
  const aborted = new Promise<'aborted'>(resolve => {
    const late = () => setTimeout(resolve, LAST_WORDS_MS, 'aborted')
    if (signal.aborted) late()
    else signal.addEventListener('abort', late, { once: true })
  })
  for (const { name, close } of steps) {
    try {
      const left = await Promise.race([Promise.resolve(close(signal)), aborted])
      if (left === 'aborted') unfinished.push(name)
      else if (Array.isArray(left)) unfinished.push(...(left as string[]))
    } catch (error) {
      unfinished.push(`${name} (${error instanceof Error ? error.message : String(error)})`)
    }
  }
  return unfinished
}
