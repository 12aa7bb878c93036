// Sessions as the contract has them: what was asked for, checked, and the session told.
import type { Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { replaySessions } from '../../contract/replay-sessions.ts'
import { rangeOf } from './questions.ts'
import type { OpenSession, Sessions } from './sessions.ts'
import type { ReplayTools } from './tools.ts'

type Control = Parameters<Handlers<typeof replaySessions>['replay.control']>[0]

const MINUTE_MICROS = 60_000_000
const INTERVALS = { '1m': 1, '5m': 5, '15m': 15, '30m': 30, '1h': 60 } as const

export function sessionHandlers(tools: ReplayTools, sessions: Sessions): Handlers<typeof replaySessions> {
  return {
    async 'replay.open'({ data_types, symbols, exchange, go_live, speed, batch_size, order, ...question }, { signal }) {
      if (go_live && question.end_time !== undefined)
        throw wrong('end_time', 'A session that goes live has no end: leave end_time out, or go_live.')
      const opened = await sessions.open(
        {
          tables: [...new Set(data_types)],
          instruments: { symbols, exchange },
          range: rangeOf(tools, question),
          past: { snapshot_id: question.snapshot_id, as_of: question.as_of },
          order,
          goesLive: go_live,
          speed,
          batchSize: batch_size,
        },
        signal,
      )
      return sessions.stateOf(opened)
    },
    async 'replay.control'(command, { signal }) {
      const opened = sessions.get(command.session)
      await control(tools, opened, command, signal)
      return sessions.stateOf(opened)
    },
    async *'replay.follow'({ session: id, after }, { signal }) {
      const opened = sessions.get(id)
      for await (const batch of opened.session.follow(after, signal)) {
        yield batch
        opened.usedAtMs = sessions.get(id).usedAtMs
      }
    },
    'replay.state': ({ session: id }) => sessions.stateOf(sessions.get(id)),
    'replay.close': ({ session: id }) => ({ session: id, closed: sessions.close(id) }),
  }
}

async function control(tools: ReplayTools, opened: OpenSession, command: Control, signal: AbortSignal): Promise<void> {
  const { session } = opened
  switch (command.action) {
    case 'play':
      return session.play(command.speed)
    case 'pause':
      return session.pause()
    case 'speed':
      if (command.speed === undefined) throw wrong('speed', 'Say which speed: 0.1 to 1000, or max.')
      return session.setSpeed(command.speed)
    case 'reverse':
      return session.reverse()
    case 'live':
      return session.jumpToLive(signal)
    case 'seek':
      if (command.to === undefined) throw wrong('to', 'Say which moment to go to.')
      return session.seek(tools.microsOf(command.to, 'to'), signal)
    case 'loop':
      return session.loop(loopOf(tools, command), signal)
    case 'step':
      return step(tools, opened, command, signal)
  }
}

function loopOf(tools: ReplayTools, { from, to }: Control): { fromMicros: number; toMicros: number } | undefined {
  if (from === undefined && to === undefined) return undefined
  if (from === undefined || to === undefined) throw wrong('from', 'A loop has both ends: give from and to, or neither.')
  const loop = { fromMicros: tools.microsOf(from, 'from'), toMicros: tools.microsOf(to, 'to') }
  if (loop.fromMicros >= loop.toMicros) throw wrong('from', `The loop ends at ${to} before it begins at ${from}.`)
  return loop
}

async function step(tools: ReplayTools, opened: OpenSession, command: Control, signal: AbortSignal): Promise<void> {
  const { session } = opened
  const { unit, count, interval } = command
  if (count === 0) return
  if (unit === 'tick') return session.stepRows(count, signal)
  const now = session.clockMicros()
  if (unit === 'bar') return session.stepTo(barFrom(now, count, INTERVALS[interval] * MINUTE_MICROS), signal)
  return session.stepTo(await commitFrom(tools, opened, count, signal), signal)
}

/** The beginning of a bar so many bars on or back; a clock between two begins with the nearer one. */
function barFrom(now: number, count: number, interval: number): number {
  return (count > 0 ? Math.floor(now / interval) + count : Math.ceil(now / interval) + count) * interval
}

/** Up to where the tables were filled by a commit, of those that the session's snapshots have in them. */
async function commitFrom(
  { reads }: ReplayTools,
  { session, sources, range }: OpenSession,
  count: number,
  signal: AbortSignal,
): Promise<number> {
  const lines = await Promise.all(
    sources.map(async ({ table, at }) => {
      const line = await reads.history(table, signal)
      return line.filter(({ committedMicros }) => (committedMicros ?? 0) <= (at.committedMicros ?? -Infinity))
    }),
  )
  const times = lines
    .flat()
    .map(({ validThroughMicros, committedMicros }) => validThroughMicros ?? committedMicros ?? 0)
  const sorted = [...new Set(times)].sort((a, b) => a - b)
  const now = session.clockMicros()
  const end = range?.toMicros ?? now
  if (count > 0) return Math.min(end, sorted.filter(time => time > now)[count - 1] ?? end)
  return sorted.filter(time => time < now).at(count) ?? range?.fromMicros ?? now
}

function wrong(field: string, message: string): Failure {
  return new Failure('INVALID_INPUT', message, { details: [{ field, problem: message }] })
}
