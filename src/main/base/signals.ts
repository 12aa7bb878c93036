// The end of a long-running command: the first signal closes in order, a second ends at once and says what was left.

export interface Signals {
  /** The first one. */
  first: Promise<NodeJS.Signals>
}

const INTERRUPTED = 130

/** To be called before anything is started, so that a signal during the start is not lost. */
export function listenForSignals(print: (line: string) => void): Signals {
  let came = false
  const first = new Promise<NodeJS.Signals>(resolve => {
    const onSignal = (name: NodeJS.Signals) => {
      if (came) {
        print('Ended at once; what was still closing is not flushed.')
        process.exit(INTERRUPTED)
      }
      came = true
      resolve(name)
    }
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal)
  })
  return { first }
}

/** Closes within the deadline, names what was not done by then, and gives the exit code. */
export async function closeOn(
  name: NodeJS.Signals,
  close: (signal: AbortSignal) => Promise<string[]>,
  print: (line: string) => void,
  deadlineMs = 5_000,
): Promise<number> {
  const unfinished = await close(AbortSignal.timeout(deadlineMs))
  if (unfinished.length > 0) print(`Not finished within ${deadlineMs / 1000} s: ${unfinished.join(', ')}.`)
  if (name === 'SIGINT') return INTERRUPTED
  return unfinished.length > 0 ? 1 : 0
}
