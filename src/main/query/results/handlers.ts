// Results that are held for a grid, as capabilities: so many at once, each until nobody has asked for a while.
import { randomUUID } from 'node:crypto'
import type { Handlers } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import { cancelled } from '../../base/cancelled.ts'
import type { results } from '../../../contract/results.ts'
import type { SqlTools } from '../sql/open-statement.ts'
import { sqlMeta } from '../sql/sql-meta.ts'
import { tameTimes } from '../export/tame-times.ts'
import { exportHeld, type HeldExport } from './export-held.ts'
import { holdStatement, resultColumns, type HeldRows } from './hold-statement.ts'
import { readWindow, type Orders, type Window, type WindowQuestion } from './read-window.ts'

export interface ResultLimits {
  /** Rows of one. */
  mostRows?: number
  /** Results at once. */
  mostResults?: number
  /** Of all together, in memory and on disk. */
  mostBytes: number
  /** After which one that nobody asked for is let go. */
  idleMs?: number
}

export interface Results {
  handlers: Handlers<typeof results>
  close: () => void
}

interface Held {
  rows: HeldRows
  orders: Orders
  usedMs: number
  /** What is read of it, one window after the other, as it has one connection. */
  turn: Promise<unknown>
  gone: AbortController
}

const MOST_ROWS = 2_000_000
const MOST_RESULTS = 16
const IDLE_MS = 15 * 60_000

export function openResults(tools: SqlTools, limits: ResultLimits): Results {
  const { mostRows = MOST_ROWS, mostResults = MOST_RESULTS, mostBytes, idleMs = IDLE_MS } = limits
  const { pool } = tools
  /** Those used last at the end. */
  const held = new Map<string, Held>()
  let isClosed = false

  function letGo(result: string): boolean {
    const found = held.get(result)
    if (!found) return false
    held.delete(result)
    found.gone.abort()
    // A connection that is closed under its statement waits for it with the whole process.
    void found.turn.then(found.rows.close, found.rows.close)
    return true
  }

  function makeRoom(): void {
    const sum = () => [...held.values()].reduce((bytes, { rows }) => bytes + rows.bytes, 0)
    const [...all] = held.keys()
    // The newest stays whatever it takes.
    for (const result of all.slice(0, -1)) if (held.size > mostResults || sum() > mostBytes) letGo(result)
  }

  const clock = setInterval(() => {
    const before = performance.now() - idleMs
    for (const [result, { usedMs }] of held) if (usedMs < before) letGo(result)
  }, idleMs / 15)
  clock.unref()

  function use(result: string): Held {
    const found = held.get(result)
    if (!found) throw notHeld(idleMs)
    held.delete(result)
    held.set(result, found)
    found.usedMs = performance.now()
    return found
  }

  /** One after the other of each result, as it has one connection. */
  function inTurn<T>(
    result: string,
    work: (held: Held, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const found = use(result)
    const workNow = () => {
      if (found.gone.signal.aborted) throw notHeld(idleMs)
      const either = AbortSignal.any([signal, found.gone.signal])
      return pool.run(lease => work(found, lease.signal), either)
    }
    const working = found.turn.then(workNow, workNow)
    found.turn = working.catch(() => {})
    return working.catch((error: unknown) => {
      throw found.gone.signal.aborted && !signal.aborted ? notHeld(idleMs) : error
    })
  }

  function read(result: string, question: WindowQuestion, signal: AbortSignal): Promise<Window> {
    return inTurn(result, ({ rows, orders }, inner) => readWindow(rows, orders, question, inner), signal)
  }

  return {
    handlers: {
      async 'results.open'(question, { signal }) {
        const startedMs = performance.now()
        const rows = await pool.run(lease => holdStatement(tools, question, mostRows, lease), signal)
        if (isClosed || signal.aborted) {
          rows.close()
          throw cancelled()
        }
        const result = randomUUID()
        const gone = new AbortController()
        held.set(result, { rows, orders: new Map(), usedMs: performance.now(), turn: Promise.resolve(), gone })
        makeRoom()
        const { rowCount, isTruncated } = rows
        const meta = sqlMeta(tools, rows, rowCount, startedMs)
        return {
          result,
          row_count: rowCount,
          columns: rows.columns.map(({ name, type }) => ({ name, type })),
          is_truncated: isTruncated,
          advice: isTruncated ? adviceOn(mostRows) : null,
          query: { ...meta, columns: resultColumns(rows) },
        }
      },
      async 'results.window'({ result, ...question }, { signal }) {
        const window = await read(result, question, signal)
        return { ...window, rows: tameTimes(window.rows) }
      },
      'results.export': ({ result, format, ...order }, { signal }) => {
        const { rows } = use(result)
        const held: HeldExport = {
          rows,
          order,
          read: (first, count) => read(result, { first, count, ...order }, signal),
          inTurn: work => inTurn(result, (_, inner) => work(inner), signal),
          signal,
        }
        return exportHeld(held, format)
      },
      'results.close': ({ result }) => ({ result, closed: letGo(result) }),
    },
    close() {
      isClosed = true
      clearInterval(clock)
      for (const result of held.keys()) letGo(result)
    },
  }
}

function adviceOn(mostRows: number): string {
  return `Only the first ${mostRows} rows are held. Narrow the time range or the symbols, or group; a file without sort or filter has them all.`
}

function notHeld(idleMs: number): Failure {
  const since = `closed, or not asked for in ${Math.round(idleMs / 60_000)} minutes, or given up for newer ones`
  return new Failure('NOT_FOUND', `The result is not held any more: it was ${since}. Run its statement again.`)
}
