// The look-ahead guard: a query in a session is the same query with the session's snapshot for its state and the
// session's clock for its end. What it answers had happened, and was known, when the clock was there.
import type { Context } from '../../contract/capability.ts'
import { timestampText } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import type { TableId, TailTable } from '../../contract/tables.ts'
import type { SessionClock } from './sessions.ts'

/** The fields of a query that the guard sets or refuses. */
export interface Guarded {
  replay_session?: string
  start_time?: string
  end_time?: string
  snapshot_id?: string
  as_of?: string
  window_minutes?: number
}

export interface GuardTools {
  clockOf: (session: string) => SessionClock
  microsOf: (text: string, field: string) => number
}

export function withinSession<I extends Guarded, A>(
  tools: GuardTools,
  table: TableId | ((input: I) => TableId),
  ask: (input: I, context: Context) => A,
): (input: I, context: Context) => A {
  const tableOf = (input: I) => (typeof table === 'string' ? table : table(input))
  return (input, context) => {
    const isPlain = input.replay_session === undefined
    return ask(isPlain ? input : guardInput(tools, tableOf(input), input), context)
  }
}

/** What a session sees of a table: which state, and of that the rows whose own time is before an end. */
interface Seen {
  past: { snapshot_id?: string; as_of?: string }
  untilMicros: number
}

export function seenIn({ clockOf }: Pick<GuardTools, 'clockOf'>, session: string, table: TableId): Seen {
  const { tables, asOfMicros, untilMicros } = clockByEvent(clockOf, session)
  const state = tables[table as TailTable]?.snapshotId
  if (state !== undefined) return { past: { snapshot_id: state }, untilMicros }
  return { past: asOfMicros === undefined ? {} : { as_of: timestampText(asOfMicros) }, untilMicros }
}

/** By arrival it says nothing of the times that rows are asked for by. */
function clockByEvent(clockOf: GuardTools['clockOf'], session: string): SessionClock {
  const clock = clockOf(session)
  if (clock.order === 'event') return clock
  throw refused('replay_session', 'its clock goes by arrival, by which rows cannot be asked for; open one by event')
}

function guardInput<I extends Guarded>({ clockOf, microsOf }: GuardTools, table: TableId, input: I): I {
  const { replay_session: session, ...question } = input
  const { start_time: start, end_time: end } = question
  for (const field of ['snapshot_id', 'as_of', 'window_minutes'] as const)
    if (input[field] !== undefined)
      throw refused(field, `the session says which state of the tables is read; leave ${field} out`)
  const { past, untilMicros } = seenIn({ clockOf }, session!, table)
  const until = (text: string | undefined, field: string) =>
    text === undefined ? untilMicros : Math.min(untilMicros, microsOf(text, field))
  return {
    ...question,
    // A start that is still to come: nothing, as nothing has happened there.
    ...(start !== undefined && { start_time: timestampText(until(start, 'start_time')) }),
    end_time: timestampText(until(end, 'end_time')),
    ...past,
  } as unknown as I
}

function refused(field: string, problem: string): Failure {
  return new Failure('INVALID_INPUT', `${field}: ${problem}.`, { details: [{ field, problem }] })
}
