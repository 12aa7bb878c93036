// Files into tables one after the other, each whole or not at all: what one of them lacks does not stop the next.
import type { LoadProgress } from '../../contract/ingest.ts'
import { Failure, type FailureCode } from '../../contract/failure.ts'
import { openDeadLetters } from './dead-letters.ts'
import type { FileSource } from './file-source.ts'
import type { Reports } from './follow-reports.ts'
import { loadFile } from './load-file.ts'
import type { LoadTarget } from './load-target.ts'

export interface LoadFilesOptions {
  files: readonly string[]
  open: (file: string, signal: AbortSignal) => Promise<FileSource>
  target: LoadTarget
  /** One file for the bad rows of all; else each has its own. */
  dlq: string | undefined
  again: boolean
  nowMs: () => number
}

/** Failures of a file; any other would be the same for the next one, and ends the load. */
const OF_ONE_FILE: readonly FailureCode[] = ['INVALID_INPUT', 'NOT_FOUND', 'FORBIDDEN', 'CORRUPT', 'CONFLICT']
const REPORT_EVERY_MS = 200

export async function loadFiles(
  { files, open, target, dlq, again, nowMs }: LoadFilesOptions,
  reports: Reports<LoadProgress>,
  signal: AbortSignal,
): Promise<void> {
  let reportedAtMs = -Infinity
  for (const file of files) {
    signal.throwIfAborted()
    let last = notBegun(file)
    const report = (progress: LoadProgress) => {
      last = progress
      if (nowMs() - reportedAtMs < REPORT_EVERY_MS) return
      reportedAtMs = nowMs()
      reports.put(progress, false)
    }
    try {
      const source = await open(file, signal)
      const deadLetters = openDeadLetters(file, dlq)
      reports.put(await loadFile({ file, source, target, deadLetters, again, signal, report, nowMs }), true)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Failure)) throw error
      reports.put({ ...last, state: 'failed', seconds_left: null, why: error.message }, true)
      if (!OF_ONE_FILE.includes(error.code)) throw error
    }
  }
}

function notBegun(file: string): LoadProgress {
  const nothing = { rows: 0, bad_rows: 0, bytes_read: 0, bytes_total: 0, rows_per_second: 0, seconds_left: null }
  return { file, state: 'failed', ...nothing }
}
