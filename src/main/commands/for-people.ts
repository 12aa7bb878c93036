// What is too long for a person to read, in a few words; programs get it whole.
import type { Client } from '../../contract/capability.ts'
import type { K2 } from '../../contract/index.ts'

type Answers = { [N in keyof Client<K2>]: Awaited<ReturnType<Client<K2>[N]>> }
type Snapshots = Answers['snapshots.list']['data']
type WriterStatus = Answers['ingest.status']
type Stats = Answers['stats.get']

const SHORTENED: Readonly<Record<string, (data: never) => unknown>> = {
  'snapshots.list': (snapshots: Snapshots) => snapshots.map(shortenSnapshot),
  'snapshots.current': shortenSnapshot,
  'ingest.status': shortenWriter,
  'stats.get': shortenStats,
}

/** The data of an answer as a person reads it. */
export function forPeople(name: string, data: unknown): unknown {
  return Object.hasOwn(SHORTENED, name) ? SHORTENED[name](data as never) : data
}

function shortenSnapshot({ refs, offsets, ...snapshot }: Snapshots[number]) {
  const partitions = (offsets ?? []).flatMap(({ next }) => Object.keys(next)).length
  return {
    ...snapshot,
    refs: refs.join(', '),
    offsets: offsets && `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`,
  }
}

function shortenWriter({ topics, breakers, ...status }: WriterStatus) {
  return { ...status, breakers, topics: byTopic(topics) }
}

function shortenStats({ tail, writer, ...rest }: Stats) {
  const shorter = ({ partitions, ...stats }: Stats['tail']['trades']) => ({ ...stats, partitions: byTopic(partitions) })
  return {
    tail: { trades: shorter(tail.trades), quotes: shorter(tail.quotes) },
    writer: writer && shortenWriter(writer),
    ...rest,
  }
}

/** A line a topic in the place of one a partition. */
function byTopic(parts: readonly { topic: string; lag: number }[]) {
  const topics = new Map<string, { topic: string; partitions: number; lag: number }>()
  for (const { topic, lag } of parts) {
    const { partitions, lag: sum } = topics.get(topic) ?? { partitions: 0, lag: 0 }
    topics.set(topic, { topic, partitions: partitions + 1, lag: sum + lag })
  }
  return [...topics.values()]
}
