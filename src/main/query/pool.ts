// DuckDB connections for reading: so many at once, each query for so long, stopped when whoever asked has gone.
import type { DuckDBConnection } from '@duckdb/node-api'
import { Failure } from '../../contract/failure.ts'
import { openDuck } from '../duck/open-duck.ts'

export interface PoolOptions {
  /** Queries that run at once; others wait. */
  size: number
  /** After which a query is stopped, the wait for a connection not included. */
  timeoutMs: number
  /** For all queries together. Beyond it DuckDB goes to disk. */
  memoryMb: number
  tempFolder: string
  /** How long one waits for a connection. */
  acquireMs?: number
}

export interface Lease {
  connection: DuckDBConnection
  /** Aborts when the caller has gone and when the query has had its time. */
  signal: AbortSignal
}

export interface QueryPool {
  run: <T>(work: (lease: Lease) => Promise<T>, signal?: AbortSignal) => Promise<T>
  /** For rows that are read as they come; the connection is free again when its reader ends. */
  stream: <T>(work: (lease: Lease) => AsyncIterable<T>, signal?: AbortSignal) => AsyncGenerator<T, void>
  stats: () => { size: number; busy: number; waiting: number }
  close: () => Promise<void>
}

const ACQUIRE_MS = 10_000

export async function openPool(options: PoolOptions): Promise<QueryPool> {
  const { size, timeoutMs, acquireMs = ACQUIRE_MS } = options
  const duck = await openDuck({ memoryMb: options.memoryMb, tempFolder: options.tempFolder })
  const waiting: (() => void)[] = []
  let busy = 0

  async function acquire(signal: AbortSignal | undefined): Promise<void> {
    if (busy < size) return void busy++
    await new Promise<void>((resolve, reject) => {
      const end = (error?: Failure) => {
        clearTimeout(late)
        signal?.removeEventListener('abort', gone)
        const place = waiting.indexOf(go)
        if (place >= 0) waiting.splice(place, 1)
        if (error) reject(error)
        else resolve()
      }
      const go = () => end()
      const gone = () => end(new Failure('CANCELLED', 'Stopped before it was done, as asked.'))
      const late = setTimeout(() => end(tooBusy(size, acquireMs)), acquireMs)
      signal?.addEventListener('abort', gone)
      waiting.push(go)
    })
  }

  function release(): void {
    const next = waiting.shift()
    // The place goes on to whoever waits.
    if (next) next()
    else busy--
  }

  async function* stream<T>(work: (lease: Lease) => AsyncIterable<T>, caller?: AbortSignal): AsyncGenerator<T, void> {
    await acquire(caller)
    try {
      const connection = await duck.connect()
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(), timeoutMs)
      try {
        yield* work({ connection, signal: caller ? AbortSignal.any([caller, late.signal]) : late.signal })
      } catch (error) {
        throw late.signal.aborted && !caller?.aborted ? tooLong(timeoutMs, error) : error
      } finally {
        clearTimeout(timer)
        connection.closeSync()
      }
    } finally {
      release()
    }
  }

  return {
    async run(work, signal) {
      const one = stream(async function* (lease) {
        yield await work(lease)
      }, signal)
      try {
        const { value } = (await one.next()) as { value: Awaited<ReturnType<typeof work>> }
        return value
      } finally {
        await one.return()
      }
    },
    stream,
    stats: () => ({ size, busy, waiting: waiting.length }),
    close: () => duck.close(),
  }
}

function tooBusy(size: number, ms: number): Failure {
  const what = `All ${size} connections for queries have been busy for ${ms / 1000} s; nothing was read.`
  return new Failure('UNAVAILABLE', `${what} Try again, or raise K2_QUERY_POOL_SIZE.`, { retryable: true })
}

function tooLong(ms: number, cause: unknown): Failure {
  const what = `The query took longer than ${ms / 1000} s and was stopped.`
  const advice = 'Narrow its time range or its symbols, ask for fewer rows, or raise K2_QUERY_TIMEOUT_MS.'
  return new Failure('TIMEOUT', `${what} ${advice}`, { cause })
}
