// The slice of the contract that takes files in.
import type { Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { ingest } from '../../contract/ingest.ts'
import { findDlq, isDlq, refuseToReadDlq } from './dlq-file.ts'
import type { FileOptions, FileSource } from './file-source.ts'
import { followReports } from './follow-reports.ts'
import { listFiles } from './list-files.ts'
import { loadFiles } from './load-files.ts'
import type { LoadTarget } from './load-target.ts'
import { readCompanies } from './csv/companies.ts'
import { openCsv, type StartThread } from './csv/csv-source.ts'
import { createLogTarget, type LoadLog } from './to-log/log-target.ts'
import { createWallClock } from '../base/values/zone.ts'

export interface IngestOptions {
  /** The lake, opened when the first file needs it. */
  target: () => Promise<LoadTarget>
  /** The log for --to kafka; nothing where no Kafka is configured. */
  log?: () => Promise<LoadLog>
  /** For files that are not CSV; nothing for one it does not know. */
  openOther?: (path: string, options: FileOptions, signal: AbortSignal) => Promise<FileSource | undefined>
  /** For large files of CSV; nothing where there are no threads. */
  startThread?: StartThread
  nowMs: () => number
}

export function ingestHandlers({ target, log, openOther, startThread, nowMs }: IngestOptions): Handlers<typeof ingest> {
  return {
    async *'ingest.load'(input, { signal }) {
      const { type: table, exchange, asset_class: assetClass, timezone, format, map, reference, dlq, again } = input
      if (input.to === 'kafka' && !log) throw noKafka()
      signal.throwIfAborted()
      // A zone that does not exist is no fault of the files.
      if (timezone !== undefined) createWallClock(timezone)
      const dlqFile = dlq === undefined ? undefined : await findDlq(dlq)
      const leftOut = dlqFile?.isForDeadLetters ? (file: string) => isDlq(dlqFile, file) : undefined
      const files = await listFiles(input.files, signal, leftOut)
      if (dlqFile) await refuseToReadDlq(dlqFile, { files, reference }, signal)
      const companies = reference === undefined ? undefined : await readCompanies(reference, signal)
      // One moment for the whole load. Files have no producer's time and no log's, and the file's own time on the disk
      // is that of the last copy: when K2 took the rows in is what is known. All else is the same when loaded again.
      const options = { table, exchange, assetClass, timezone, format, map, companies, loadedAtMicros: nowMs() * 1000 }
      const open = async (path: string) => {
        const other = await openOther?.(path, options, signal)
        if (other) return other
        if (map !== undefined) throw mapsNoCsv(path)
        return openCsv(path, options, signal, startThread)
      }
      const opened = input.to === 'kafka' && log ? createLogTarget(await log()) : await target()
      yield* followReports(
        (reports, signal) => loadFiles({ files, open, target: opened, dlq, again, nowMs }, reports, signal),
        signal,
      )
    },
  }
}

function noKafka(): Failure {
  const message =
    'There is no Kafka to load into: set K2_KAFKA_BROKERS, or leave --to out to load the files into the tables.'
  return new Failure('INVALID_INPUT', message)
}

function mapsNoCsv(path: string): Failure {
  const message = `--map is for Parquet and Arrow files, and ${path} is neither. Give a CSV file the column names of the k2 form instead.`
  return new Failure('INVALID_INPUT', message)
}
