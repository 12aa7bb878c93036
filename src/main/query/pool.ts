// DuckDB connections for reading: so many at once, each query for so long, stopped when whoever asked has gone.
import { setMaxListeners } from 'node:events'
import type { DuckDBConnection } from '@duckdb/node-api'
import { Failure } from '../../contract/failure.ts'
import { openDuck } from '../duck/open-duck.ts'
import { cancelled, throwIfCancelled } from '../base/cancelled.ts'
import { inTime } from '../base/in-time.ts'
import { tooBusy, tooLong, tooSlowReader, translatePoolError } from './pool-failures.ts'
import { createSpillFolder } from './spill-folder.ts'

export interface PoolOptions {
  /** Queries that run at once; others wait. */
  size: number
  /** After which a query is stopped; its waits for a connection and for its reader are not counted. */
  timeoutMs: number
  /** For all queries together. Beyond it DuckDB goes to disk. */
  memoryMb: number
  /** For all queries together, on disk; four times the memory when left out. */
  spillMb?: number
  /** Shared with other processes; what those that are gone have left there is removed. */
  tempFolder: string
  /** How long one waits for a connection. */
  acquireMs?: number
  /** How long a reader may leave a batch before its query is given up. */
  readerMs?: number
  /** For metrics. */
  onEvent?: (event: PoolEvent) => void
}

export type PoolEvent = { kind: 'waited'; ms: number } | { kind: 'gave up' } | { kind: 'failed to connect' }

export interface Lease {
  connection: DuckDBConnection
  /** Aborts when the caller has gone and when the query has had its time. */
  signal: AbortSignal
}

export interface QueryPool {
  run: <T>(work: (lease: Lease) => Promise<T>, signal?: AbortSignal) => Promise<T>
  /** For a question of many queries: all of them together have the time of one, with what they wait for. */
  within: <T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal) => Promise<T>
  /** For rows that are read as they come; the connection is free again when its reader ends. */
  stream: <T>(work: (lease: Lease) => AsyncIterable<T>, signal?: AbortSignal) => AsyncGenerator<T, void>
  stats: () => PoolStats
  close: () => Promise<void>
}

export interface PoolStats {
  size: number
  busy: number
  waiting: number
}

/** A place, a connection and a clock, until one of the two ends. */
interface Loan {
  lease: Lease
  /** Does a part of the work on the clock. */
  during: <T>(work: () => Promise<T>) => Promise<T>
  end: () => void
  /** What to say of the error that ended it. */
  fail: (error: unknown) => unknown
}

const ACQUIRE_MS = 10_000
const READER_MS = 60_000
const SPILL_PER_MEMORY = 4

export async function openPool(options: PoolOptions): Promise<QueryPool> {
  const { size, timeoutMs, memoryMb, spillMb = memoryMb * SPILL_PER_MEMORY } = options
  const { acquireMs = ACQUIRE_MS, readerMs = READER_MS, onEvent = () => {} } = options
  const spill = createSpillFolder(options.tempFolder)
  const duck = await openDuck({ memoryMb, tempFolder: spill.path, maxTempMb: spillMb })
  const idle: DuckDBConnection[] = []
  const waiting: (() => void)[] = []
  let busy = 0

  async function acquire(signal: AbortSignal | undefined): Promise<void> {
    throwIfCancelled(signal)
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
      const gone = () => end(cancelled())
      const late = setTimeout(() => {
        onEvent({ kind: 'gave up' })
        end(tooBusy(size, acquireMs))
      }, acquireMs)
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

  async function connect(): Promise<DuckDBConnection> {
    const free = idle.pop()
    if (free) return free
    try {
      return await duck.connect()
    } catch (error) {
      onEvent({ kind: 'failed to connect' })
      throw error
    }
  }

  /** One that has failed is not used again, nor are those beside it: what broke it may have broken the whole instance. */
  function giveBack(connection: DuckDBConnection, isSound: boolean): void {
    if (isSound) return void idle.push(connection)
    for (const each of [connection, ...idle.splice(0)]) each.closeSync()
  }

  async function lend(caller: AbortSignal | undefined): Promise<Loan> {
    const askedMs = performance.now()
    await acquire(caller)
    onEvent({ kind: 'waited', ms: performance.now() - askedMs })
    let connection: DuckDBConnection
    try {
      connection = await connect()
    } catch (error) {
      release()
      throw translatePoolError(error, { memoryMb, spillMb })
    }
    const late = new AbortController()
    let leftMs = timeoutMs
    const end = (isSound: boolean) => {
      giveBack(connection, isSound)
      release()
    }
    const signal = caller ? AbortSignal.any([caller, late.signal]) : late.signal
    // Each file that is opened at once listens to it.
    setMaxListeners(0, signal)
    return {
      lease: { connection, signal },
      during: async work => {
        const startedMs = performance.now()
        const timer = setTimeout(() => late.abort(), Math.max(0, leftMs))
        try {
          return await work()
        } finally {
          clearTimeout(timer)
          leftMs -= performance.now() - startedMs
        }
      },
      end: () => end(true),
      fail: error => {
        end(error instanceof Failure && error.code === 'CANCELLED')
        if (late.signal.aborted && !caller?.aborted) return tooLong(timeoutMs, error)
        return translatePoolError(error, { memoryMb, spillMb })
      },
    }
  }

  async function* lent<T>(work: (lease: Lease) => AsyncIterable<T>, caller?: AbortSignal): AsyncGenerator<T, void> {
    const { lease, during, end, fail } = await lend(caller)
    const batches = work(lease)[Symbol.asyncIterator]()
    let isOver = false
    try {
      for (;;) {
        const next = await during(() => batches.next())
        if (next.done) break
        yield next.value
      }
      isOver = true
      end()
    } catch (error) {
      isOver = true
      throw fail(error)
    } finally {
      // Left at a batch: whatever is open is closed before the connection goes on to another.
      if (!isOver) await Promise.resolve(batches.return?.()).then(end, fail)
    }
  }

  return {
    async run(work, caller) {
      const { lease, during, end, fail } = await lend(caller)
      let result: Awaited<ReturnType<typeof work>>
      try {
        result = await during(() => work(lease))
      } catch (error) {
        throw fail(error)
      }
      end()
      return result
    },
    within: (work, caller) => inTime(timeoutMs, work, caller, () => tooLong(timeoutMs)),
    async *stream(work, caller) {
      const batches = lent(work, caller)
      let isLeft = false
      // Nothing runs while a batch waits for its reader, so what ends the query meanwhile has to do it from outside.
      const leave = () => void batches.return().catch(() => {})
      caller?.addEventListener('abort', leave)
      try {
        for await (const batch of batches) {
          const timer = setTimeout(() => {
            isLeft = true
            leave()
          }, readerMs)
          try {
            yield batch
          } finally {
            clearTimeout(timer)
          }
        }
        if (isLeft) throw tooSlowReader(readerMs)
        throwIfCancelled(caller)
      } finally {
        caller?.removeEventListener('abort', leave)
      }
    },
    stats: () => ({ size, busy, waiting: waiting.length }),
    async close() {
      await duck.close()
      spill.remove()
    },
  }
}
