// The end of a long-running command: the first signal closes in order, a second ends at once and says what was left.
import { constants } from 'node:os'

export interface Ending {
  /** Names what could not be finished in time. */
  close(signal: AbortSignal): Promise<string[]>
  print(line: string): void
  deadlineMs?: number
}

const INTERRUPTED = 130

/** Resolves with the exit code once everything is closed. */
export function untilSignal({ close, print, deadlineMs = 5_000 }: Ending): Promise<number> {
  return new Promise(resolve => {
    let closing = false
    const onSignal = (name: NodeJS.Signals) => {
      if (closing) {
        print('Ended at once; what was still closing is not flushed.')
        process.exit(INTERRUPTED)
      }
      closing = true
      void close(AbortSignal.timeout(deadlineMs)).then(unfinished => {
        if (unfinished.length > 0) print(`Not finished within ${deadlineMs / 1000} s: ${unfinished.join(', ')}.`)
        resolve(name === 'SIGINT' ? INTERRUPTED : unfinished.length > 0 ? 1 : 0)
      })
    }
    for (const name of ['SIGINT', 'SIGTERM'] as const) if (name in constants.signals) process.on(name, onSignal)
  })
}
