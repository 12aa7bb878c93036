// What a person sees while files are loaded: one line that changes on a terminal, and one that stays for each file.
import type { LoadProgress } from '../../contract/ingest.ts'

export interface LoadReport {
  /** Takes note of one report; gives the line that stays, for a file that is finished. */
  take: (progress: LoadProgress) => string
  /** The line at the end; how it went in all. */
  end: () => { line: string; anyFailed: boolean }
}

const CLEAR_LINE = '\r\u001b[K'

/** `terminal` is where progress is drawn; nothing is when it goes to a file or a pipe. */
export function createLoadReport(terminal: { isTTY?: boolean; write: (text: string) => unknown }): LoadReport {
  const startedAt = performance.now()
  const counts = { loaded: 0, skipped: 0, failed: 0 }
  let rows = 0
  let badRows = 0
  let saidOfLoaded: string | undefined
  const draw = (text: string) => {
    if (terminal.isTTY) terminal.write(CLEAR_LINE + text)
  }
  return {
    take(progress) {
      if (progress.state === 'loading') {
        draw(progressLine(progress))
        return ''
      }
      draw('')
      counts[progress.state]++
      badRows += progress.bad_rows
      if (progress.state !== 'loaded') return finalLine(progress) + '\n'
      rows += progress.rows
      // What holds of every file is said once.
      const { why, ...rest } = progress
      const line = finalLine(why === saidOfLoaded ? rest : progress) + '\n'
      saidOfLoaded = why
      return line
    },
    end() {
      draw('')
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      const { loaded, skipped, failed } = counts
      const line = `files=${loaded} skipped=${skipped} failed=${failed} rows=${rows} bad_rows=${badRows} duration_seconds=${seconds}`
      return { line, anyFailed: failed > 0 }
    },
  }
}

function progressLine({ file, bytes_read, bytes_total, rows, rows_per_second, seconds_left }: LoadProgress): string {
  const percent = bytes_total === 0 ? 100 : Math.floor((bytes_read / bytes_total) * 100)
  const left = seconds_left === null ? '' : `, ${Math.ceil(seconds_left)} s left`
  return `${nameOf(file)}  ${percent} %  ${number(rows)} rows, ${number(rows_per_second)}/s${left}`
}

function finalLine(progress: LoadProgress): string {
  const { state, file, rows, bad_rows, rows_per_second, snapshot_id, dead_letters, why } = progress
  const name = nameOf(file)
  if (state !== 'loaded') return `${state.padEnd(8)}${name}: ${why}`
  const bad = bad_rows > 0 ? `, ${number(bad_rows)} bad ones in ${dead_letters}` : ''
  const where = snapshot_id ? `, snapshot ${snapshot_id}` : ''
  return `loaded  ${name}: ${number(rows)} rows${bad}, ${number(rows_per_second)} rows/s${where}${why ? `. ${why}` : ''}`
}

function nameOf(file: string): string {
  return file.replace(/.*[/\\]/, '')
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en')
}
