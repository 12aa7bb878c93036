// What has to be well for K2 to be well: each is asked, and says what is wrong in words for whoever runs this.
import type { Client } from '../contract/capability.ts'
import type { TailStats } from '../contract/system.ts'
import type { TailTable } from '../contract/tables.ts'
import type { WriterStatus } from '../contract/writer.ts'
import type { historyContract } from './processes/history.ts'
import type { liveContract } from './processes/live.ts'
import type { writerContract } from './processes/writer.ts'

export interface Dependency {
  name: string
  /** What is wrong; null when it is well. Fails when it cannot be asked. */
  check: (signal: AbortSignal) => Promise<string | null>
}

type Engine<C> = (signal: AbortSignal) => Promise<C>

export interface DependencyParts {
  live: Engine<Client<typeof liveContract>>
  history: Engine<Client<typeof historyContract>>
  writer: Engine<Client<typeof writerContract>>
  hasKafka: boolean
  hasRegistry: boolean
  /** Whether tail and writer run here; not for a command that only looks whether the servers are there. */
  isRunning: boolean
}

export function listDependencies(parts: DependencyParts): Dependency[] {
  const { live, history, writer, hasKafka, hasRegistry, isRunning } = parts
  const log: Dependency = { name: 'log', check: signal => done(live(signal), client => client['log.topics']({}, { signal })) } // prettier-ignore
  const registry: Dependency = { name: 'registry', check: signal => done(writer(signal), client => client['registry.probe']({}, { signal })) } // prettier-ignore
  const lake: Dependency = { name: 'lake', check: signal => done(history(signal), client => client['lake.probe']({}, { signal })) } // prettier-ignore
  const tail: Dependency = {
    name: 'tail',
    check: async signal => whyTailStopped(await (await live(signal))['tail.stats']({}, { signal })),
  }
  const writing: Dependency = {
    name: 'writer',
    check: async signal => whyNotWritten(await (await writer(signal))['ingest.status']({}, { signal })),
  }
  return [
    ...(isRunning || hasKafka ? [log] : []),
    ...(hasRegistry ? [registry] : []),
    lake,
    ...(isRunning ? [tail, writing] : []),
  ]
}

async function done<C>(engine: Promise<C>, ask: (client: C) => Promise<unknown>): Promise<null> {
  await ask(await engine)
  return null
}

export function whyTailStopped(stats: Record<TailTable, TailStats>): string | null {
  const stopped = Object.entries(stats).filter(([, { is_running }]) => !is_running)
  if (stopped.length === 0) return null
  const troubles = new Set(stopped.flatMap(([, { trouble }]) => trouble ?? []))
  const names = stopped.map(([name]) => name).join(' and ')
  return [`The tail of ${names} is not reading.`, ...troubles].join(' ')
}

/** Waiting for a topic that nobody has made yet, leaving the tables to another K2, and not writing at all are no trouble. */
export function whyNotWritten({ state, why, breakers }: WriterStatus): string | null {
  const away = breakers.filter(breaker => breaker.state !== 'closed' || breaker.failures > 0)
  if (state === 'waiting') return away.length > 0 ? (why ?? away[0].why ?? 'A server is away.') : null
  if (state !== 'halted' && state !== 'suspended' && state !== 'stopped') return null
  return why ?? `It is ${state}.`
}
