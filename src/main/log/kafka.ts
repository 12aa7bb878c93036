// Kafka as the log, over kafkajs' connections: reading without groups from exact offsets, writing that may be repeated.
import { randomUUID } from 'node:crypto'
import { systemClock, type Clock } from '../base/clock.ts'
import { openCluster, withPatience, type KafkaEvent } from './kafka/cluster.ts'
import { offsetsAtTime, rangesOf } from './kafka/offsets.ts'
import { createProducing } from './kafka/produce.ts'
import { createNoteProgress } from './kafka/progress.ts'
import { readTopics } from './kafka/read.ts'
import { createMissingTopics, listTopics } from './kafka/topics.ts'
import type { MessageLog } from './message-log.ts'

export type { KafkaEvent } from './kafka/cluster.ts'

export interface KafkaLogOptions {
  /** `host:port`; some of the cluster's are enough. */
  brokers: readonly string[]
  clientId?: string
  /** As PEM texts; `{}` trusts what Node trusts. */
  ssl?: { ca?: string; cert?: string; key?: string } | false
  sasl?: { mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string }
  /** For the log of this program. */
  onEvent?: (event: KafkaEvent) => void
  clock?: Pick<Clock, 'nowMs'>
  /** Without an answer for so long, a connection counts as lost. */
  answerMs?: number
  /** Messages that are not acknowledged after so long fail. */
  deliverMs?: number
}

const ANSWER_MS = 30_000
const DELIVER_MS = 60_000
const TRIES = 5

/** Connects when it is first asked for something. */
export function openKafkaLog(options: KafkaLogOptions): MessageLog {
  const { brokers, clientId = `k2-${randomUUID().slice(0, 8)}`, ssl = false, sasl } = options
  const { onEvent = () => {}, clock = systemClock, answerMs = ANSWER_MS, deliverMs = DELIVER_MS } = options
  const cluster = openCluster(brokers, { clientId, ssl, sasl, answerMs }, onEvent)
  const producing = createProducing(cluster, { nowMs: () => clock.nowMs(), deliverMs })
  return {
    kind: 'kafka',
    cluster: () => withPatience(cluster.signal, TRIES, async () => (await cluster.metadata([])).cluster),
    topics: () => listTopics(cluster),
    createTopics: specs => createMissingTopics(cluster, specs),
    append: producing.append,
    ranges: topic => rangesOf(cluster, topic),
    offsetsAt: (topic, micros) => offsetsAtTime(cluster, topic, micros),
    read: options => readTopics(cluster, options),
    noteProgress: createNoteProgress(cluster),
    async close() {
      await producing.close()
      cluster.close()
    },
  }
}
