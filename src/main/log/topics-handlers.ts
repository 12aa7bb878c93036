// Topics of market data, made with what their messages need, and their schemas registered. Doing it again changes nothing.
import type { Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { topics } from '../../contract/topics.ts'
import { durationMs, planTopics, type PlannedTopic } from '../market/plan-topics.ts'
import { parseTopic, tableOfTopic } from '../market/topics.ts'
import type { MessageLog, TopicInfo } from './message-log.ts'
import type { SchemaRegistry } from './registry.ts'
import { registerSchema, subjectOf } from './schema-ids.ts'

export interface TopicsOptions {
  log: () => Promise<MessageLog>
  registry?: SchemaRegistry
  /** The configured ones: their exchanges' topics are made and listed. */
  topicNames: readonly string[]
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
      why: null,
    }
  }

  return {
    async 'topics.init'({ partitions, ...asked }) {
      if (topicNames.length === 0)
        throw new Failure('INVALID_INPUT', 'No topics are named: K2_TOPICS says which exchanges are to have theirs.')
      const { retention = '7d', replication = 1 } = asked
      const planned = planTopics(topicNames, { retentionMs: retentionMsOf(retention), partitions })
      const opened = await log()
      const there = byName(await opened.topics())
      if (partitions !== undefined) for (const topic of planned) checkPartitions(topic, there.get(topic.name))
      const missing = planned.filter(({ name }) => !there.has(name))
      await opened.createTopics(missing.map(topic => ({ ...topic, replication })))
      // After the topics: a schema without its topic is in nobody's way, and the next try registers what is missing.
      if (registry)
        await registerAll(
          registry,
          planned.map(({ name }) => name),
        )
      const now = byName(await opened.topics())
      return Promise.all(
        planned.map(async topic => {
          const { name } = topic
          const state = there.has(name) ? 'there' : 'created'
          const row = await rowOf(name, state, now.get(name))
          return { ...row, why: whyNotSet(topic, { state, asked, kind: opened.kind }) }
        }),
      )
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

const [LEAST_RETENTION, MOST_RETENTION] = ['1m', '36500d']

/** Shorter, messages are gone before anybody reads them; a hundred years are more than anybody means. */
function retentionMsOf(text: string): number {
  const ms = durationMs(text)
  if (ms >= durationMs(LEAST_RETENTION) && ms <= durationMs(MOST_RETENTION)) return ms
  const problem = `must be from ${LEAST_RETENTION} to ${MOST_RETENTION}`
  throw new Failure('INVALID_INPUT', `retention: ${problem}.`, { details: [{ field: 'retention', problem }] })
}

/** Before anything is made. Those of reference data are not what was meant. */
function checkPartitions({ name, partitions }: PlannedTopic, existing: TopicInfo | undefined): void {
  if (!existing || existing.partitions === partitions || tableOfTopic(name) === 'reference_data') return
  const message =
    `Topic ${name} exists with ${existing.partitions} partitions, not ${partitions}; nothing was changed. ` +
    'More partitions would put symbols into other ones than before. Leave out --partitions to keep what is there.'
  throw new Failure('CONFLICT', message)
}

interface Asked {
  retention?: string
  replication?: number
}

/** Only of what was asked for: that a topic which was there is not as new ones are is no news. */
function whyNotSet(
  { config }: PlannedTopic,
  { state, asked, kind }: { state: 'created' | 'there'; asked: Asked; kind: MessageLog['kind'] },
): string | null {
  const isKept = config['retention.ms'] !== undefined
  const names = [asked.retention && isKept && 'retention', asked.replication && 'replication'].filter(Boolean)
  if (names.length === 0 || (state === 'created' && kind === 'kafka')) return null
  return `${names.join(' and ')} not set: ${kind === 'kafka' ? 'the topic was there' : "K2's own log has none"}`
}

/** The topics are made by then, and the user is to know it. */
async function registerAll(registry: SchemaRegistry, names: readonly string[]): Promise<void> {
  try {
    for (const name of names) await registerSchema(registry, name)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { code, message, details } = error
    const left = 'The topics are there, but not every schema is registered: run it again when this is settled.'
    throw new Failure(code, `${message} ${left}`, { details, cause: error })
  }
}
