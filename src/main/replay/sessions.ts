// The sessions there are: so many at the most, each on snapshots that stay for as long as it does, closed when nobody
// has asked for one for a while.
import { randomUUID } from 'node:crypto'
import { timestampText } from '../../contract/columns.ts'
import { Failure, isBeforeFirst } from '../../contract/failure.ts'
import type { PastState } from '../../contract/fields.ts'
import type { SessionState } from '../../contract/replay-sessions.ts'
import { TAIL_TABLES, type TailTable } from '../../contract/tables.ts'
import type { TableAt } from '../lake/reads.ts'
import type { Speed, Ticker } from './pace.ts'
import { pinSnapshot } from './pin.ts'
import type { Order } from './row-order.ts'
import { refuseLoadTimes } from './refuse-load-times.ts'
import type { Instruments, RowSource, TimeRange } from './row-source.ts'
import { createSession, type Session } from './session.ts'
import { openTape } from './tape.ts'
import type { ReplayTools } from './tools.ts'

export interface SessionQuestion {
  tables: readonly TailTable[]
  instruments: Instruments
  range: TimeRange
  past: PastState
  order: Order
  goesLive: boolean
  speed: Speed
  batchSize: number
}

export interface OpenSession {
  id: string
  session: Session
  order: Order
  range: TimeRange | undefined
  sources: readonly RowSource[]
  usedAtMs: number
  letGo: () => void
}

/** What a query in a session may see: nothing of what happened, or was known, later. */
export interface SessionClock {
  /** Nothing from here on; in a session by arrival that goes for the time of ingestion. */
  untilMicros: number
  order: Order
  /** As its tables were; nothing for a table that is not in the session. */
  tables: Readonly<Partial<Record<TailTable, TableAt>>>
  /** The moment at which all tables are looked at; nothing where they are still empty. */
  asOfMicros: number | undefined
}

export interface Sessions {
  open: (question: SessionQuestion, signal?: AbortSignal) => Promise<OpenSession>
  get: (id: string) => OpenSession
  stateOf: (open: OpenSession) => SessionState
  clockOf: (id: string) => SessionClock
  close: (id: string) => boolean
  closeAll: () => void
  count: () => number
}

const MOST_SESSIONS = 16
const IDLE_MS = 15 * 60_000
const SWEEP_MS = 10_000

export function createSessions(tools: ReplayTools, ticker: Ticker): Sessions {
  const all = new Map<string, OpenSession>()
  let opening = 0
  const sweep = setInterval(closeIdle, SWEEP_MS)
  sweep.unref()

  function closeIdle(): void {
    for (const { id, session, usedAtMs } of all.values())
      if (!session.isFollowed() && ticker.nowMs() - usedAtMs > IDLE_MS) close(id)
  }

  function close(id: string): boolean {
    const found = all.get(id)
    if (!found) return false
    all.delete(id)
    found.session.close()
    found.letGo()
    return true
  }

  async function openOne(question: SessionQuestion, signal?: AbortSignal): Promise<OpenSession> {
    const { tables, instruments, range, past, order, goesLive, speed, batchSize } = question
    const states = await Promise.all(tables.map(table => stateThen(table, past, signal)))
    // Where none of them was there yet there is nothing to be played.
    if (states.every(({ snapshotId }) => snapshotId === undefined))
      states[0] = await tools.stateOf(tools.reads, tables[0], past, signal)
    const sources = states.map((at, i): RowSource => {
      const columns = TAIL_TABLES[tables[i]].columns.map(({ name }) => name)
      return { table: tables[i], at, order, instruments, columns }
    })
    if (order === 'arrival') await refuseLoadTimes(tools, sources, range, signal)
    const pins = await Promise.all(sources.map(({ at }) => pinSnapshot(tools, at, signal)))
    const letGo = () => pins.forEach(release => release())
    try {
      const tape = await openTape(tools, { sources, range, goesLive }, signal)
      const session = createSession({ tape, ticker, speed, batchSize, goesLive })
      return { id: randomUUID(), session, order, range: tape.range, sources, usedAtMs: ticker.nowMs(), letGo }
    } catch (error) {
      letGo()
      throw error
    }
  }

  /** A table that was not there yet has no rows. */
  async function stateThen(table: TailTable, past: PastState, signal?: AbortSignal): Promise<TableAt> {
    try {
      return await tools.stateOf(tools.reads, table, past, signal)
    } catch (error) {
      if (!isBeforeFirst(error)) throw error
      return { table, snapshotId: undefined, committedMicros: undefined, validThroughMicros: undefined, offsets: [] }
    }
  }

  function get(id: string): OpenSession {
    const found = all.get(id)
    if (!found)
      throw new Failure(
        'NOT_FOUND',
        `There is no session ${id}: it was closed, or was idle for too long. Open another.`,
      )
    found.usedAtMs = ticker.nowMs()
    return found
  }

  return {
    async open(question, signal) {
      closeIdle()
      if (all.size + opening >= MOST_SESSIONS)
        throw new Failure(
          'CONFLICT',
          `There are ${MOST_SESSIONS} replay sessions already, and no more are kept: close one of them.`,
        )
      opening++
      try {
        const opened = await openOne(question, signal)
        all.set(opened.id, opened)
        return opened
      } finally {
        opening--
      }
    },
    get,
    stateOf: ({ id, session, order, range, sources }) => ({
      session: id,
      ...session.state(),
      order,
      start_time: range ? timestampText(range.fromMicros) : null,
      end_time: range ? timestampText(range.toMicros) : null,
      snapshots: Object.fromEntries(sources.map(({ table, at }) => [table, at.snapshotId ?? null])),
    }),
    clockOf(id) {
      const { session, order, sources } = get(id)
      const committed = sources.flatMap(({ at }) => at.committedMicros ?? [])
      return {
        untilMicros: session.visibleUntil(),
        order,
        tables: Object.fromEntries(sources.map(({ table, at }) => [table, at])),
        asOfMicros: committed.length > 0 ? Math.max(...committed) : undefined,
      }
    },
    close,
    count: () => all.size,
    closeAll() {
      clearInterval(sweep)
      for (const id of [...all.keys()]) close(id)
    },
  }
}
