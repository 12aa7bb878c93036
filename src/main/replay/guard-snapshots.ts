// Snapshots as a replay session sees them: those that had been committed when its clock was there, and not after the state
// of the tables that it stands on. Its own state may be read whenever it was committed, up to the clock.
import type { Context, Handlers } from '../../contract/capability.ts'
import { timestampText } from '../../contract/columns.ts'
import type { exports } from '../../contract/export.ts'
import { Failure } from '../../contract/failure.ts'
import type { lake, SnapshotRow } from '../../contract/lake.ts'
import type { reads } from '../../contract/reads.ts'
import { clockByEvent, type GuardTools } from './guard.ts'
import type { SessionClock } from './sessions.ts'

type SnapshotHandlers = Pick<Handlers<typeof lake>, 'snapshots.list' | 'snapshots.current' | 'snapshots.diff'> &
  Pick<Handlers<typeof reads>, 'snapshots.query'> &
  Pick<Handlers<typeof exports>, 'snapshots.export'>
type Diff = SnapshotHandlers['snapshots.diff']
type List = SnapshotHandlers['snapshots.list']
type Table = Parameters<List>[0]['table']

interface OfSnapshot {
  id: string
  table: Table
  replay_session?: string
  start_time?: string
  end_time?: string
}

/** More than are kept. */
const ALL = 10_000

export function snapshotsWithinSession(
  { clockOf, microsOf }: GuardTools,
  handlers: SnapshotHandlers & {
    'snapshots.diff': (...asked: [...Parameters<Diff>, untilMicros?: number]) => ReturnType<Diff>
  },
): SnapshotHandlers {
  async function known(table: Table, clock: SessionClock, context: Context) {
    const answer = await handlers['snapshots.list']({ table, limit: ALL }, context)
    // When a name was given to a snapshot, nobody knows.
    const data = answer.data.filter(one => isKnown(one, clock)).map(one => ({ ...one, refs: [] }))
    const newest = data.at(0)
    const query = { ...answer.query, snapshot_id: newest?.snapshot_id ?? null, watermark: newest?.committed_at ?? null }
    return { data, query: { ...query, freshness_ms: newest ? answer.query.freshness_ms : null } }
  }

  const isKnown = ({ committed_at }: SnapshotRow, { untilMicros, asOfMicros = -Infinity }: SessionClock) => {
    const micros = microsOf(committed_at, 'committed_at')
    return micros < untilMicros && micros <= asOfMicros
  }

  async function upToClock<I extends OfSnapshot>(input: I, context: Context): Promise<I> {
    const { id, table, replay_session: session, start_time: start, end_time: end } = input
    if (session === undefined) return input
    const clock = clockByEvent(clockOf, session)
    const isOwn = Object.values(clock.tables).some(({ snapshotId }) => snapshotId === id)
    if (!isOwn) await refuseUnseen([id], table, clock, context)
    const until = (text: string | undefined, field: string) =>
      timestampText(text === undefined ? clock.untilMicros : Math.min(clock.untilMicros, microsOf(text, field)))
    const times = { ...(start && { start_time: until(start, 'start_time') }), end_time: until(end, 'end_time') }
    return { ...input, ...times }
  }

  async function refuseUnseen(ids: readonly string[], table: Table, clock: SessionClock, context: Context) {
    const { data } = await known(table, clock, context)
    for (const id of ids) if (!data.some(one => one.snapshot_id === id)) throw notSeen(id, table, clock)
  }

  return {
    async 'snapshots.list'({ replay_session: session, ...input }, context) {
      if (session === undefined) return handlers['snapshots.list'](input, context)
      const { data, query } = await known(input.table, clockByEvent(clockOf, session), context)
      const { limit } = input
      const pagination = { limit, has_more: data.length > limit, total: data.length }
      return { data: data.slice(0, limit), query, pagination }
    },
    async 'snapshots.current'({ replay_session: session, table }, context) {
      if (session === undefined) return handlers['snapshots.current']({ table }, context)
      const clock = clockByEvent(clockOf, session)
      const { data, query } = await known(table, clock, context)
      if (data.length === 0) throw noneYet(table, clock)
      return { data: data[0], query }
    },
    async 'snapshots.diff'({ replay_session: session, ...input }, context) {
      const { a, b, table } = input
      if (session === undefined) return handlers['snapshots.diff'](input, context)
      const clock = clockByEvent(clockOf, session)
      await refuseUnseen([a, b], table, clock, context)
      return handlers['snapshots.diff'](input, context, clock.untilMicros)
    },
    async 'snapshots.query'(input, context) {
      return handlers['snapshots.query'](await upToClock(input, context), context)
    },
    async *'snapshots.export'(input, context) {
      yield* handlers['snapshots.export']({ ...(await upToClock(input, context)), replay_session: undefined }, context)
    },
  }
}

function noneYet(table: string, { untilMicros }: SessionClock): Failure {
  const what = `No snapshot of ${table} had been committed at ${timestampText(untilMicros)}, where the clock of the session is`
  return new Failure('SNAPSHOT_NOT_FOUND', `${what}. Ask without replay_session to see later ones.`)
}

function notSeen(id: string, table: string, { untilMicros }: SessionClock): Failure {
  const what = `No snapshot ${id} of ${table} is seen in the session: it was not committed before ${timestampText(untilMicros)}, where its clock is, or came after its state`
  return new Failure('SNAPSHOT_NOT_FOUND', `${what}. Name it by its id, or ask without replay_session.`)
}
