// Answers one capability typed on the command line and prints it.
import { resolve } from 'node:path'
import type { Client, Contract } from '../../contract/capability.ts'
import { isColumnBatch } from '../../contract/columns.ts'
import type { K2 } from '../../contract/index.ts'
import { answers, type QueryMeta } from '../../contract/fields.ts'
import type { LoadProgress } from '../../contract/ingest.ts'
import { FILE_FORMATS, type FileFormat } from '../../contract/sql.ts'
import type { Request } from '../wire/cli/command-line.ts'
import { Failure } from '../../contract/failure.ts'
import { inFlags } from '../wire/cli/flags.ts'
import { formatAnswer, streamFormatter, type Format } from '../wire/cli/print.ts'
import { forPeople } from './for-people.ts'
import { createLoadReport } from './report-load.ts'
import { createRunReport } from './report-run.ts'
import { openClient, type GlobalFlags, type Place } from './open-client.ts'
import { openFile, standardOutput } from './output.ts'

interface Options {
  signal: AbortSignal
}
type Call = (input: unknown, options: Options) => Promise<unknown>
type Stream = (input: unknown, options: Options) => AsyncIterable<unknown>

const NOTHING_WRITES =
  'No K2 runs on this profile, so none writes: start one with `k2 serve`, or use --connect. `k2 ingest offsets show` says how far the tables are.'
const FAILED = 1
const INTERRUPTED = 130

export async function answerRequest(request: Request, flags: GlobalFlags): Promise<void> {
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort())
  const { client, note, close } = await openClient(flags, placeOf(request.name))
  try {
    if (note && request.name === 'ingest.status') throw new Failure('UNAVAILABLE', NOTHING_WRITES)
    const isHealth = request.name === 'system.health'
    if (note && !isHealth) say(note)
    await printAnswer(request, note && isHealth ? notRunning(client, note) : client, abort.signal)
  } catch (error) {
    if (!abort.signal.aborted) throw error instanceof Failure ? inFlags(error, request.capability) : error
    process.exitCode = INTERRUPTED
  } finally {
    await close()
  }
}

/**
 * The warehouse and a Kafka can be worked on by any process, also while the app runs; what is live, and the log that is
 * embedded in it, are only in the one that runs.
 */
function placeOf(name: string): Place {
  if (/^(lake|snapshots|deadLetters|sql|replay)\.|^ingest\.load$/.test(name)) return 'own'
  if (/^(trades|quotes)\.list$|^(dates|bars|summary|asof)\./.test(name)) return 'either'
  if (name.startsWith('topics.')) return 'onlyLog'
  return /^offsets\.|^ingest\.(consume|stream)$/.test(name) ? 'nearKafka' : 'running'
}

/** The servers may be well; that nothing runs here is not. */
function notRunning(client: Client<K2>, why: string): Client<K2> {
  return {
    ...client,
    async 'system.health'(input, options) {
      const { dependencies } = await client['system.health'](input, options)
      const k2 = { name: 'k2', healthy: false, latency_ms: null, why }
      return { status: 'unhealthy', dependencies: [...dependencies, k2] }
    },
  }
}

async function printAnswer(request: Request, client: Client<Contract>, signal: AbortSignal): Promise<void> {
  const { name, capability, out } = request
  const input = name === 'ingest.load' ? withWholePaths(request.input) : request.input
  const ask = client[name]
  const file = fileFormatOf(request)
  const pieces =
    file && capability.file
      ? (client[capability.file] as Stream)({ ...input, format: file }, { signal })
      : capability.kind === 'call'
        ? answerPieces(request, await (ask as Call)(input, { signal }))
        : streamPieces((ask as Stream)(input, { signal }), request)
  const output = out ? await openFile(out) : standardOutput()
  try {
    for await (const piece of pieces) await output.write(piece as string | Uint8Array)
  } catch (error) {
    // What was followed until the interruption is what was asked for.
    await (signal.aborted ? output.keep() : output.discard())
    throw error
  }
  await output.keep()
}

/** For people a table, for programs what the answer says beside its rows too; the rest are rows alone. */
function fileFormatOf({ format }: Request): FileFormat | undefined {
  return FILE_FORMATS.find(known => known === format)
}

/** Rows that are here already are written here. */
async function* answerPieces(request: Request, answer: unknown): AsyncGenerator<string | Uint8Array> {
  const { format } = request
  if (format !== 'arrow' && format !== 'parquet') {
    yield formatted({ ...request, format }, answer)
    return
  }
  const { data } = answers.has(request.capability.output) ? (answer as { data: unknown }) : { data: answer }
  if (!isColumnBatch(data)) throw notRows(format)
  const { exportBatch } = await import('../query/export/export-batch.ts')
  yield* exportBatch(data, format)
}

function notRows(format: string): Failure {
  return new Failure(
    'INVALID_INPUT',
    `Only rows of a table are written as ${format}: use --output json, ndjson or csv.`,
  )
}

/** Named from the folder the person is in; whoever reads the files may be in another. */
function withWholePaths(input: Record<string, unknown>): Record<string, unknown> {
  // An empty one is left to be refused: it would be the folder itself.
  const whole = (path: unknown) => (typeof path === 'string' && path !== '' ? resolve(path) : path)
  const { files, dlq, reference, ...rest } = input
  return {
    ...rest,
    files: Array.isArray(files) ? files.map(whole) : files,
    ...(dlq !== undefined && { dlq: whole(dlq) }),
    ...(reference !== undefined && { reference: whole(reference) }),
  }
}

/** Only a terminal has an edge. */
function widthOf({ out }: Request): number {
  return out || !process.stdout.isTTY ? Infinity : process.stdout.columns
}

function formatted(request: Request & { format: Format }, answer: unknown): string {
  const { capability, format } = request
  const isAnswer = answers.has(capability.output)
  const { data, query } = isAnswer
    ? (answer as { data: unknown; query: QueryMeta })
    : { data: answer, query: undefined }
  if (query?.partial) say(`Partial: ${query.why}`)
  if (query?.receipt) say(`Receipt, to be sent to POST /v1/receipts: ${JSON.stringify(query.receipt)}`)
  const { status, rows, ...rest } = data as { status?: unknown; rows?: unknown }
  if (status === 'unhealthy' || status === 'unsound') process.exitCode = FAILED
  const shown = format === 'table' ? forPeople(request.name, data) : data
  if (!isColumnBatch(rows)) return formatAnswer(shown, format, { width: widthOf(request) })
  // Rows are what can be printed as a table; what is said of them beside goes to the person.
  say(
    Object.entries(rest)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', '),
  )
  return formatAnswer(rows, format, { width: widthOf(request) })
}

async function* streamPieces(items: AsyncIterable<unknown>, request: Request): AsyncGenerator<string> {
  const { name, format } = request
  if (format === 'arrow' || format === 'parquet') throw notRows(format)
  if (name === 'ingest.load') {
    yield* loadPieces(items as AsyncIterable<LoadProgress>, format)
    return
  }
  if (name === 'ingest.consume' || name === 'ingest.stream') {
    yield* runPieces(items as AsyncIterable<Record<string, unknown>>, format)
    return
  }
  const print = streamFormatter(format, widthOf(request))
  for await (const item of items) {
    const { rows, missed } = item as { rows: unknown; missed?: number }
    if (missed) say(`Missed ${missed} rows: this reader was too slow.`)
    if (isColumnBatch(rows) && rows.rowCount > 0) yield print(rows)
  }
}

/** Programs get every report, csv only how each file ended; people a line for each file, and on a terminal how far it is. */
async function* loadPieces(reports: AsyncIterable<LoadProgress>, format: Format): AsyncGenerator<string> {
  const report = createLoadReport(process.stderr)
  const print = streamFormatter(format)
  try {
    for await (const progress of reports) {
      const line = report.take(progress)
      if (format === 'table') yield line
      else if (format !== 'csv' || progress.state !== 'loading') yield print({ ...NO_OPTIONAL_FIELDS, ...progress })
    }
  } finally {
    const { line, anyFailed } = report.end()
    say(line)
    if (anyFailed) process.exitCode = FAILED
  }
}

/** Programs get every report; people see how far it is on a terminal, and in any case the totals at the end. */
async function* runPieces(reports: AsyncIterable<Record<string, unknown>>, format: Format): AsyncGenerator<string> {
  const report = createRunReport(process.stderr)
  const print = streamFormatter(format)
  let failure: unknown
  try {
    for await (const progress of reports) {
      report.take(progress)
      if (format !== 'table') yield print(progress)
    }
  } catch (error) {
    failure = error
    throw error
  } finally {
    const totals = report.end(failure)
    if (totals) say(totals)
  }
}

/** So that every line of a table of reports has the same columns. */
const NO_OPTIONAL_FIELDS = { snapshot_id: null, dead_letters: null, why: null }

function say(line: string): void {
  process.stderr.write(line + '\n')
}
