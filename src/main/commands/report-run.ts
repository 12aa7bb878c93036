// What a person sees while a stream runs: one line that changes on a terminal, and the totals at the end.
type Facts = Readonly<Record<string, unknown>> & { state?: string; why?: string | null }

export interface RunReport {
  take: (progress: Facts) => void
  /** Every count by its name, as scripts read them; nothing where nothing was told. */
  end: () => string
}

const CLEAR_LINE = '\r\u001b[K'

/** `terminal` is where progress is drawn; nothing is when it goes to a file or a pipe. */
export function createRunReport(terminal: { isTTY?: boolean; write: (text: string) => unknown }): RunReport {
  let last: Facts | undefined
  let saidWhy: string | null | undefined = null
  return {
    take(progress) {
      last = progress
      const { why } = progress
      if (terminal.isTTY) terminal.write(CLEAR_LINE + lineOf(progress))
      // What keeps it waiting is worth a line that stays, once.
      else if (why && why !== saidWhy) terminal.write(`${why}\n`)
      saidWhy = why
    },
    end() {
      if (terminal.isTTY) terminal.write(CLEAR_LINE + (last?.why ? `${last.why}\n` : ''))
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
