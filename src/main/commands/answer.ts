// Answers one capability typed on the command line and prints it.
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { Client, Contract } from '../../contract/capability.ts'
import { isColumnBatch } from '../../contract/columns.ts'
import { answers, type QueryMeta } from '../../contract/fields.ts'
import { Failure } from '../../contract/failure.ts'
import type { Format, Request } from '../wire/cli/command-line.ts'
import { formatAnswer } from '../wire/cli/print.ts'
import { openClient, type GlobalFlags } from './open-client.ts'

type Options = { signal: AbortSignal }
type Call = (input: unknown, options: Options) => Promise<unknown>
type Stream = (input: unknown, options: Options) => AsyncIterable<unknown>

const INTERRUPTED = 130

export async function answerRequest(request: Request, flags: GlobalFlags): Promise<void> {
  const { client, note, close } = await openClient(flags)
  const abort = new AbortController()
  const interrupt = () => abort.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  let sink: Sink | undefined
  try {
    sink = await openSink(request.out)
    const ask = (client as Client<Contract>)[request.name]
    const pieces =
      request.capability.kind === 'call'
        ? answerPieces(request, await (ask as Call)(request.input, abort), note)
        : streamPieces(request.format, (ask as Stream)(request.input, abort))
    for await (const piece of pieces) await sink.write(piece)
  } catch (error) {
    if (!abort.signal.aborted) throw error
    process.exitCode = INTERRUPTED
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
    await sink?.end()
    await close()
  }
}

function* answerPieces({ capability, format }: Request, answer: unknown, note?: string): Generator<string> {
  const isAnswer = answers.has(capability.output)
  const { data, query } = isAnswer
    ? (answer as { data: unknown; query: QueryMeta })
    : { data: answer, query: undefined }
  yield formatAnswer(data, format, { width: process.stdout.columns })
  if (query?.partial) process.stderr.write(`Partial: ${note ?? query.why}\n`)
}

/** The rows of each batch as they come; a header once. */
async function* streamPieces(format: Format, batches: AsyncIterable<unknown>): AsyncGenerator<string> {
  let header = true
  for await (const batch of batches) {
    const { rows, missed } = batch as { rows: unknown; missed?: number }
    if (missed) process.stderr.write(`Missed ${missed} rows: this reader was too slow.\n`)
    if (isColumnBatch(rows) && rows.rowCount === 0) continue
    const text = formatAnswer(rows, format === 'json' ? 'ndjson' : format, { width: process.stdout.columns })
    const hasHeader = format === 'csv' || format === 'table'
    yield header || !hasHeader ? text : text.slice(text.indexOf('\n') + 1)
    header = false
  }
}

interface Sink {
  write(text: string): Promise<unknown>
  end(): Promise<void>
}

async function openSink(file?: string): Promise<Sink> {
  if (!file) return standardOutput()
  const handle = await open(file, 'w').catch((cause: unknown) => {
    throw new Failure('INVALID_INPUT', `Cannot write to ${file}: ${(cause as Error).message}. Choose another --out.`, {
      cause,
    })
  })
  return { write: text => handle.write(text), end: () => handle.close() }
}

/** Waits while the reader behind the pipe is busy; a pipe that was closed (`| head`) ends the command quietly. */
function standardOutput(): Sink {
  process.stdout.on('error', () => process.exit(0))
  return {
    async write(text) {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain')
    },
    end: () => Promise.resolve(),
  }
}
