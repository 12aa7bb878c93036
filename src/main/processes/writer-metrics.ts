// What the writer does, in the metrics table's names.
import type { AssetClass } from '../../contract/tables.ts'
import type { Breaker, BreakerState } from '../base/breaker.ts'
import type { QualityCount } from '../ingest/quality/quality-counts.ts'
import type { CountingIntake } from '../ingest/take-in.ts'
import type { WriterEvents } from '../ingest/writer-options.ts'
import type { PartitionLag } from '../ingest/writer-status.ts'
import { parseTopic } from '../market/topics.ts'
import type { Metrics } from '../metrics/metrics.ts'

export interface WriterCounts {
  events: WriterEvents
  /** Its counts are read with the metrics. */
  watch: (topic: string, intake: CountingIntake) => void
  fill: (lags: readonly PartitionLag[]) => void
}

/** What of an intake's counts is in the counters already. */
type Counted = Pick<QualityCount, 'duplicates' | 'outOfOrder' | 'resets' | 'disagreeing'>

const NOTHING: Counted = { duplicates: 0, outOfOrder: 0, resets: 0, disagreeing: 0 }
const BREAKER_VALUE: Record<BreakerState, number> = { closed: 0, 'half-open': 1, open: 2 }

export function countWriter(metrics: Metrics, group: string, breakers: readonly Breaker[]): WriterCounts {
  const intakes = new Map<string, { intake: CountingIntake; counted: Map<string, Counted> }>()
  /** Partitions of which the last reading told how far they are. */
  let told = new Map<string, PartitionLag>()
  const groupOf = (topic: string) => group.replaceAll('{data_type}', parseTopic(topic)?.dataType ?? '')

  function addQuality(): void {
    for (const { intake, counted } of intakes.values())
      for (const { exchange, assetClass, ...count } of intake.counts()) {
        const labels = { exchange, asset_class: assetClass as AssetClass }
        const name = `${exchange} ${assetClass}`
        const before = counted.get(name) ?? NOTHING
        metrics.add('k2_duplicate_messages_detected_total', count.duplicates - before.duplicates, labels)
        metrics.add('k2_out_of_order_messages_total', count.outOfOrder - before.outOfOrder, labels)
        metrics.add('k2_sequence_resets_detected_total', count.resets - before.resets, labels)
        metrics.add('k2_sequence_disagreements_total', count.disagreeing - before.disagreeing, labels)
        counted.set(name, { ...count })
      }
  }

  const placeOf = ({ topic, partition }: PartitionLag) => ({ topic, partition, consumer_group: groupOf(topic) })

  function tellLag(lag: PartitionLag): void {
    metrics.set('k2_kafka_consumer_lag_messages', lag.messages, placeOf(lag))
    metrics.set('k2_kafka_consumer_lag_seconds', lag.seconds, placeOf(lag))
    metrics.set('k2_kafka_consumer_offset', lag.committedOffset, placeOf(lag))
  }

  /** Another writer knows it now: an old number would be added to its own. */
  function forgetLag(lag: PartitionLag): void {
    metrics.forget('k2_kafka_consumer_lag_messages', placeOf(lag))
    metrics.forget('k2_kafka_consumer_lag_seconds', placeOf(lag))
    metrics.forget('k2_kafka_consumer_offset', placeOf(lag))
  }

  return {
    events: {
      onTaken({ topic, messages }) {
        const { exchange = '', assetClass = 'equities' } = parseTopic(topic) ?? {}
        const labels = { topic, consumer_group: groupOf(topic), exchange, asset_class: assetClass }
        metrics.add('k2_kafka_messages_consumed_total', messages, labels)
      },
      onCommit({ rows, validThroughMicros, times }) {
        metrics.observe('k2_iceberg_batch_size', rows)
        if (validThroughMicros !== undefined) metrics.set('k2_iceberg_valid_through_seconds', validThroughMicros / 1e6)
        const nowMicros = Date.now() * 1000
        for (const { topic, exchangeMicros } of times) {
          const { exchange = '', assetClass = 'equities' } = parseTopic(topic) ?? {}
          const labels = { exchange, asset_class: assetClass }
          for (const micros of exchangeMicros) {
            const seconds = Math.max(0, (nowMicros - micros) / 1e6)
            metrics.observe('k2_ingestion_latency_seconds', seconds, labels)
          }
        }
      },
      onDeadLetters(letters) {
        for (const { topic, reason } of letters) {
          metrics.add('k2_dead_letters_total', 1, { topic, reason })
          if (reason === 'undecodable' || reason === 'unknown_schema')
            metrics.add('k2_deserializer_errors_total', 1, { topic })
        }
      },
      onGap({ symbol, severity, exchange, assetClass }) {
        const labels = { symbol, severity, exchange, asset_class: assetClass as AssetClass }
        metrics.add('k2_sequence_gaps_detected_total', 1, labels)
      },
      onFailed({ error }) {
        const code = (error as { code?: unknown }).code
        metrics.add('k2_consumer_errors_total', 1, { error_type: typeof code === 'string' ? code : 'INTERNAL' })
      },
    },
    watch(topic, intake) {
      addQuality() // the last word of the one that it takes the place of
      intakes.set(topic, { intake, counted: new Map() })
    },
    fill(lags) {
      addQuality()
      metrics.set(
        'k2_deduplication_cache_size',
        [...intakes.values()].reduce((sum, { intake }) => sum + intake.remembered().messages, 0),
      )
      for (const { name, state } of breakers)
        metrics.set('k2_circuit_breaker_state', BREAKER_VALUE[state()], { breaker_name: name })
      const now = new Map(lags.map(lag => [`${lag.topic} ${lag.partition}`, lag]))
      for (const [name, lag] of told) if (!now.has(name)) forgetLag(lag)
      for (const lag of lags) tellLag(lag)
      told = now
    },
  }
}
