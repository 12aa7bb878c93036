// From the configuration to what the writer wants to know.
import type { Config } from '../config/settings.ts'
import type { WriterSettings } from '../ingest/writer-options.ts'
import { DEDUPE_ROWS } from '../market/dedupe.ts'
import { isOnKafka } from './open-log.ts'

/** Two commits of a table are never closer: snapshots cost every reader something. */
const COMMIT_EVERY_MS = 1_000
const LOOK_FOR_TOPICS_EVERY_MS = 2_000
const EVERY_MARKET_TOPIC = String.raw`market\..*`

/** Which topics are tailed and written. On the embedded log everything is K2's own, so all of it unless told otherwise. */
export function topicChoice({ kafka, sources, ...config }: Config): { topics: readonly string[]; pattern?: string } {
  const isChosen = ['K2_TOPICS', 'K2_TOPIC_PATTERN'].some(name => sources[name]?.source !== 'default')
  if (!isOnKafka({ kafka, sources, ...config }) && !isChosen) return { topics: [], pattern: EVERY_MARKET_TOPIC }
  return kafka.topicPattern === undefined ? { topics: kafka.topics } : { topics: [], pattern: kafka.topicPattern }
}

export function writerSettings(config: Config): WriterSettings {
  const { batchSize, batchSeconds, dedupeMinutes, consumerGroup, writer } = config.ingest
  return {
    ...topicChoice(config),
    batchSize,
    batchSeconds,
    commitEveryMs: COMMIT_EVERY_MS,
    dedupeMinutes,
    dedupeRows: DEDUPE_ROWS,
    group: consumerGroup,
    onGap: 'continue',
    onDeadLetter: 'skip',
    whenFenced: writer === 'on' ? 'fail' : 'follow',
    lookEveryMs: LOOK_FOR_TOPICS_EVERY_MS,
  }
}
