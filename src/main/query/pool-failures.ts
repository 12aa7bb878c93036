// How a query ends that was not let go on: each says what happened and what to do.
import { Failure } from '../../contract/failure.ts'

export function tooBusy(size: number, ms: number): Failure {
  const what = `All ${size} connections for queries have been busy for ${ms / 1000} s; nothing was read.`
  return new Failure('UNAVAILABLE', `${what} Try again, or raise K2_QUERY_POOL_SIZE.`)
}

const ASK_LESS = 'Narrow its time range or its symbols, or ask for fewer rows or columns'

export function tooLong(ms: number, cause?: unknown): Failure {
  const what = `The query took longer than ${ms / 1000} s and was stopped.`
  return new Failure('TIMEOUT', `${what} ${ASK_LESS}; or raise K2_QUERY_TIMEOUT_MS.`, { cause })
}

export function tooSlowReader(ms: number): Failure {
  const what = `Nobody took the rows for ${ms / 1000} s, so the query was ended before all were read.`
  return new Failure('TIMEOUT', `${what} Ask again, and read the answer as it comes.`)
}

export interface PoolLimits {
  memoryMb: number
  spillMb: number
}

/** What a query needs beyond its limits is a matter of the query, not of the machine: asking again does not help. */
export function translatePoolError(error: unknown, { memoryMb, spillMb }: PoolLimits): unknown {
  const messages = messagesOf(error)
  const says = (text: RegExp) => messages.some(message => text.test(message))
  const tooLarge = (what: string) =>
    new Failure('PAYLOAD_TOO_LARGE', `The query needs more than ${what}. ${ASK_LESS}; or raise K2_QUERY_MEMORY.`, {
      cause: error,
    })
  if (says(/max_temp_directory_size/)) return tooLarge(`${memoryMb} MB of memory and ${spillMb} MB on disk`)
  if (says(/^Out of Memory Error/)) return tooLarge(`${memoryMb} MB of memory`)
  if (says(/^FATAL Error/)) {
    const what = 'The query engine broke off and is started anew; nothing was changed.'
    return new Failure('UNAVAILABLE', `${what} Ask again.`, { cause: error })
  }
  return error
}

function messagesOf(error: unknown): string[] {
  const messages: string[] = []
  for (let one = error; one instanceof Error; one = one.cause) messages.push(one.message)
  return messages
}
