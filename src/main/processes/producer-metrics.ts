// What is written to the log, in the metrics table's names.
import { Failure } from '../../contract/failure.ts'
import type { MessageLog } from '../log/message-log.ts'
import { subjectOf } from '../log/schema-ids.ts'
import { parseTopic } from '../market/topics.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { LogEvent, OpenedLog } from './open-log.ts'

/** The same log; a producer counts as started with the first messages that get through. */
export function countProducing(opened: OpenedLog, metrics: Metrics): OpenedLog {
  let isStarted = false

  async function append(...[topic, messages]: Parameters<MessageLog['append']>): Promise<void> {
    const startedAt = performance.now()
    try {
      await opened.log.append(topic, messages)
    } catch (error) {
      metrics.add('k2_kafka_produce_errors_total', 1, { topic, error_type: codeOf(error) })
      if (!isStarted) metrics.add('k2_producer_init_errors_total', 1)
      // What may pass was tried again until its time was over.
      if (error instanceof Failure && error.retryable) metrics.add('k2_kafka_produce_max_retries_exceeded_total', 1)
      throw error
    }
    metrics.observe('k2_kafka_produce_duration_seconds', (performance.now() - startedAt) / 1000)
    if (!isStarted) metrics.add('k2_producer_initialized_total', 1)
    isStarted = true
    const parts = parseTopic(topic)
    if (!parts) return
    const labels = { topic, data_type: parts.dataType, exchange: parts.exchange, asset_class: parts.assetClass }
    metrics.add('k2_kafka_messages_produced_total', messages.count, labels)
  }

  return {
    ...opened,
    log: { ...opened.log, append },
    async schemaIdOf(topic) {
      try {
        return await opened.schemaIdOf(topic)
      } catch (error) {
        metrics.add('k2_serializer_errors_total', 1, { subject: subjectOf(topic) })
        throw error
      }
    },
  }
}

/** For what only the log itself knows. */
export function countLogEvent(metrics: Metrics, { kind }: LogEvent): void {
  if (kind === 'produce_retried') metrics.add('k2_kafka_produce_retries_total', 1)
}

function codeOf(error: unknown): string {
  return error instanceof Failure ? error.code : 'INTERNAL'
}
