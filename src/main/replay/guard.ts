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

/** Of all tables at one place of the clock, which may be moving. What the session says is not to be asked for too. */
export function seenIn({ clockOf }: Pick<GuardTools, 'clockOf'>, input: Guarded): (table: TableId) => Seen {
  for (const field of ['snapshot_id', 'as_of', 'window_minutes'] as const)
    if (input[field] !== undefined)
      throw refused(field, `the session says which state of the tables is read; leave ${field} out`)
  const { tables, asOfMicros, untilMicros } = clockByEvent(clockOf, input.replay_session!)
  const moment = asOfMicros === undefined ? {} : { as_of: timestampText(asOfMicros) }
  return table => {
    const state = tables[table as TailTable]?.snapshotId
    return { past: state === undefined ? moment : { snapshot_id: state }, untilMicros }
  }
}

/** By arrival it says nothing of the times that rows are asked for by. */
export function clockByEvent(clockOf: GuardTools['clockOf'], session: string): SessionClock {
  const clock = clockOf(session)
  if (clock.order === 'event') return clock
  throw refused('replay_session', 'its clock goes by arrival, by which rows cannot be asked for; open one by event')
}

/** The session stays in it, as who answers in pages goes on with the end of the first one, wherever the clock is by then. */
function guardInput<I extends Guarded>(tools: GuardTools, table: TableId, input: I): I {
  const { past, untilMicros } = seenIn(tools, input)(table)
  const { start_time: start, end_time: end } = input
  const until = (text: string | undefined, field: string) =>
    text === undefined ? untilMicros : Math.min(untilMicros, tools.microsOf(text, field))
  return {
    ...input,
    // A start that is still to come: nothing, as nothing has happened there.
    ...(start !== undefined && { start_time: timestampText(until(start, 'start_time')) }),
    end_time: timestampText(until(end, 'end_time')),
    ...past,
  }
}

function refused(field: string, problem: string): Failure {
  return new Failure('INVALID_INPUT', `${field}: ${problem}.`, { details: [{ field, problem }] })
}
