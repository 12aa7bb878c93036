// Topics of market data, made with what their messages need, and their schemas registered. Doing it again changes nothing.
import type { Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { topics } from '../../contract/topics.ts'
import { avroSchemas } from '../market/avro-schemas.ts'
import { durationMs, planTopics, type PlannedTopic } from '../market/plan-topics.ts'
import { parseTopic, tableOfTopic } from '../market/topics.ts'
import type { MessageLog, TopicInfo } from './message-log.ts'
import type { SchemaRegistry } from './registry.ts'

export interface TopicsOptions {
  log: () => Promise<MessageLog>
  registry?: SchemaRegistry
  /** The configured ones: their exchanges' topics are made and listed. */
  topicNames: readonly string[]
}

/** By Confluent's default strategy. */
export function subjectOf(topic: string): string {
  return `${topic}-value`
}

export function topicsHandlers({ log, registry, topicNames }: TopicsOptions): Handlers<typeof topics> {
  async function rowOf(name: string, state: 'created' | 'there' | 'missing', info: TopicInfo | undefined) {
    const subject = subjectOf(name)
    const ranges = info && (await (await log()).ranges(name))
    return {
      topic: name,
      state,
      partitions: info?.partitions ?? null,
      messages: ranges?.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0) ?? null,
      subject,
      schema_id: (await registry?.latest(subject))?.id ?? null,
      compatibility: (await registry?.compatibilityOf(subject)) ?? null,
    }
  }

  return {
    async 'topics.init'({ retention, replication, partitions }) {
      if (topicNames.length === 0)
        throw new Failure('INVALID_INPUT', 'No topics are named: K2_TOPICS says which exchanges are to have theirs.')
      const planned = planTopics(topicNames, { retentionMs: durationMs(retention), partitions })
      const opened = await log()
      const there = byName(await opened.topics())
      if (partitions !== undefined) for (const topic of planned) checkPartitions(topic, there.get(topic.name))
      const missing = planned.filter(({ name }) => !there.has(name))
      await opened.createTopics(missing.map(topic => ({ ...topic, replication })))
      // After the topics: a schema without its topic is in nobody's way, and the next try registers what is missing.
      if (registry) for (const { name } of planned) await registerSchema(registry, name)
      const now = byName(await opened.topics())
      return Promise.all(planned.map(({ name }) => rowOf(name, there.has(name) ? 'there' : 'created', now.get(name))))
    },

    async 'topics.list'() {
      const there = byName(await (await log()).topics())
      const ours = [...there.keys()].filter(name => parseTopic(name) !== undefined)
      const planned = planTopics(topicNames, { retentionMs: 0 }).map(({ name }) => name)
      const names = [...new Set([...planned, ...ours])].sort()
      return Promise.all(names.map(name => rowOf(name, there.has(name) ? 'there' : 'missing', there.get(name))))
    },
  }
}

function byName(topics: readonly TopicInfo[]): Map<string, TopicInfo> {
  return new Map(topics.map(topic => [topic.name, topic]))
}

/** Before anything is made. Those of reference data are not what was meant. */
function checkPartitions({ name, partitions }: PlannedTopic, existing: TopicInfo | undefined): void {
  if (!existing || existing.partitions === partitions || tableOfTopic(name) === 'reference_data') return
  const message =
    `Topic ${name} exists with ${existing.partitions} partitions, not ${partitions}; nothing was changed. ` +
    'More partitions would put symbols into other ones than before. Leave out --partitions to keep what is there.'
  throw new Failure('CONFLICT', message)
}

/** Compatibility first, so that a schema that does not fit cannot slip in before it is asked for. */
async function registerSchema(registry: SchemaRegistry, topic: string): Promise<number> {
  const subject = subjectOf(topic)
  const isSet = await registry.setCompatibility(subject, 'BACKWARD')
  const id = await registry.register(subject, avroSchemas[tableOfTopic(topic)])
  // Some registries know a subject only from its first schema on.
  if (!isSet) await registry.setCompatibility(subject, 'BACKWARD')
  return id
}
