// What a person sees while a stream runs: one line that changes on a terminal, and the totals at the end.
type Facts = Readonly<Record<string, unknown>> & { state?: string; why?: string | null }

export interface RunReport {
  take: (progress: Facts) => void
  /** Every count by its name, as scripts read them; nothing where nothing was told. `failure` is said by who ends it. */
  end: (failure?: unknown) => string
}

const CLEAR_LINE = '\r\u001b[K'
/** What comes with these may be what it fails with in a moment: the end tells. */
const LAST_STATES: ReadonlySet<string | undefined> = new Set(['halted', 'suspended', 'stopped'])

/** `terminal` is where progress is drawn; nothing is when it goes to a file or a pipe. */
export function createRunReport(terminal: { isTTY?: boolean; write: (text: string) => unknown }): RunReport {
  let last: Facts | undefined
  let saidWhy: string | null | undefined = null
  return {
    take(progress) {
      last = progress
      const { state, why } = progress
      if (terminal.isTTY) terminal.write(CLEAR_LINE + lineOf(progress))
      if (terminal.isTTY || LAST_STATES.has(state)) return
      // What keeps it waiting is worth a line that stays, once.
      if (why && why !== saidWhy) terminal.write(`${why}\n`)
      saidWhy = why
    },
    end(failure) {
      const why = last?.why
      const isSaid = !why || why === saidWhy || (failure instanceof Error && why.startsWith(failure.message))
      if (terminal.isTTY) terminal.write(CLEAR_LINE)
      if (!isSaid) terminal.write(`${why}\n`)
      // What failed before it began has no totals.
      if (!last) return ''
      const counts = countsOf(last).filter(([name]) => name !== 'rows_per_second') // of the last seconds only
      return counts.map(([name, value]) => `${name}=${value}`).join(' ')
    },
  }
}

function lineOf({ state, why, ...progress }: Facts): string {
  const counts = countsOf(progress).filter(([name, value]) => value !== 0 && name !== 'duration_seconds')
  const words = counts.map(([name, value]) => `${name.replaceAll('_', ' ')} ${value.toLocaleString('en')}`)
  return `${state}  ${words.join(', ')}${why ? `. ${why}` : ''}`
}

function countsOf(progress: Facts): [string, number][] {
  return Object.entries(progress).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
}
