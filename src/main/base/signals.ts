// The end of a long-running command: the first signal closes in order, a second ends at once; either says what was left.

export interface Signals {
  first: Promise<NodeJS.Signals>
  second: Promise<NodeJS.Signals>
}

const DEADLINE_MS = 5_000
const INTERRUPTED = 130

/** To be called before anything is started, so that a signal during the start is not lost. */
export function listenForSignals(): Signals {
  const hear: ((name: NodeJS.Signals) => void)[] = []
  const next = () => new Promise<NodeJS.Signals>(resolve => hear.push(resolve))
  const signals = { first: next(), second: next() }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => hear.shift()?.(name))
  return signals
}

/** Closes within the deadline or until the second signal, says what was not done by then, and gives the exit code. */
export async function closeOn(
  name: NodeJS.Signals,
  { second }: Signals,
  close: (signal: AbortSignal) => Promise<string[]>,
  print: (line: string) => void,
): Promise<number> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(`Not finished within ${DEADLINE_MS / 1000} s`), DEADLINE_MS)
  void second.then(() => abort.abort('Ended at once; not flushed'))
  const unfinished = await close(abort.signal)
  clearTimeout(timer)
  if (abort.signal.aborted) print(`${abort.signal.reason as string}: ${unfinished.join(', ') || 'nothing'}.`)
  if (name === 'SIGINT') return INTERRUPTED
  return unfinished.length > 0 ? 1 : 0
}
