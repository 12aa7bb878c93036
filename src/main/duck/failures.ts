// What DuckDB's errors mean to a person: the one place where they are translated. Errors that only a mistake in the
// SQL can cause stay as they are: whoever lets people write SQL knows how to say them.
import { Failure } from '../../contract/failure.ts'
import { cancelled } from '../base/cancelled.ts'

const OUT_OF_DISK = /no space left|disk full|max_temp_directory_size|failed to offload|could not write all bytes/i
const MISSING_FILE = /No files found that match the pattern "([^"]*)"|Cannot open file "([^"]*)": No such file/
const DAMAGED_FILE =
  /^Invalid Error: |No magic bytes|too small to be a Parquet file|Footer length error|TProtocolException|TTransportException|Decompression failure|ZSTD|decompress|corrupt|[Ii]nvalid (?:unicode|string encoding|data|column data)|Failed to read (?:file|Parquet)|converted type|Could not read enough|read out of|past the end|Out of buffer|Parquet/

/** A Failure where DuckDB says what a person can act on, else the error itself. */
export function translateDuckError(error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error
  const { message } = error
  const failure = (...[code, text]: ConstructorParameters<typeof Failure>) => new Failure(code, text, { cause: error })
  if (message.startsWith('INTERRUPT Error')) return cancelled(error)
  if (OUT_OF_DISK.test(message))
    return failure('UNAVAILABLE', `The disk is full: ${firstLine(message)}. Make room and try again.`)
  if (message.startsWith('Out of Memory Error'))
    return failure('UNAVAILABLE', `More memory is needed than allowed: ${firstLine(message)}. Ask for less at once.`)
  const missing = MISSING_FILE.exec(message)
  if (missing) return failure('NOT_FOUND', `The file ${missing[1] || missing[2]} is not there.`)
  if (DAMAGED_FILE.test(message))
    return failure('CORRUPT', `A Parquet file cannot be read: ${firstLine(message)}. Restore it from a copy.`)
  return error
}

function firstLine(message: string): string {
  return message
    .split('\n', 1)[0]
    .replace(/^[\w ]+ Error: /, '')
    .replace(/\.$/, '')
}
