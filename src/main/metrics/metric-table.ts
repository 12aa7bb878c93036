// Every metric of K2, declared once: name, kind, component, help, labels, buckets. Nothing is registered elsewhere.
import type { AssetClass } from '../../contract/tables.ts'

const LATENCY = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const STORAGE = [0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
const ROWS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
const AGE = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** What a label can say; the values of a label that is not a closed set must be few and never come from a caller as they are. */
export interface LabelValues {
  asset_class: AssetClass
  breaker_name: string
  cache_tier: string
  consumer_group: string
  data_type: 'trades' | 'quotes' | 'reference_data'
  /** The pattern of a route, never the path. */
  endpoint: string
  error_type: string
  exchange: string
  from_level: 0 | 1 | 2 | 3 | 4
  level: string
  method: string
  operation: string
  partition: number
  query_type: QueryType
  reason: string
  severity: string
  source: 'lake' | 'tail' | 'both' | 'partial'
  status: 'success' | 'rejected' | 'error'
  status_code: number
  subject: string
  /** At most 200 of them; the rest are counted as `other`. */
  symbol: string
  symbol_tier: string
  table: string
  to_level: 0 | 1 | 2 | 3 | 4
  topic: string
  version: string
}

export type QueryType =
  | 'trades'
  | 'quotes'
  | 'summary'
  | 'bars'
  | 'asof'
  | 'sql'
  | 'historical'
  | 'realtime'
  | 'hybrid'
  | 'snapshot'
  | 'replay'

export type LabelName = keyof LabelValues
type Kind = 'counter' | 'gauge' | 'histogram'

export interface MetricSpec {
  kind: Kind
  component: string
  help: string
  labels: readonly LabelName[]
  buckets?: readonly number[]
}

function counter<const L extends LabelName[]>(component: string, help: string, ...labels: L) {
  return { kind: 'counter', component, help, labels } as const
}

function gauge<const L extends LabelName[]>(component: string, help: string, ...labels: L) {
  return { kind: 'gauge', component, help, labels } as const
}

function histogram<const L extends LabelName[]>(
  component: string,
  help: string,
  buckets: readonly number[],
  ...labels: L
) {
  return { kind: 'histogram', component, help, buckets, labels } as const
}

/** Labels of what is counted by message of a market. */
const MARKET = ['exchange', 'asset_class'] as const
const PARTITION = ['topic', 'partition', 'consumer_group'] as const

export const METRICS = {
  k2_platform_info: gauge('platform', 'Which K2 runs; always 1', 'version'),

  k2_kafka_messages_produced_total: counter('producer', 'Messages given to the log', 'topic', 'data_type', ...MARKET),
  k2_kafka_produce_errors_total: counter('producer', 'Messages the log did not take', 'topic', 'error_type'),
  k2_kafka_produce_duration_seconds: histogram('producer', 'From handing a batch over to its receipt', LATENCY),
  k2_kafka_produce_retries_total: counter('producer', 'Batches tried again'),
  k2_kafka_produce_max_retries_exceeded_total: counter('producer', 'Batches given up'),
  k2_producer_initialized_total: counter('producer', 'Producers started'),
  k2_producer_init_errors_total: counter('producer', 'Producers that could not start'),
  k2_serializer_errors_total: counter('producer', 'Rows that could not be encoded', 'subject'),
  k2_deserializer_errors_total: counter('consumer', 'Messages that could not be decoded', 'topic'),

  k2_kafka_messages_consumed_total: counter(
    'consumer',
    'Messages taken from the log',
    'topic',
    'consumer_group',
    ...MARKET,
  ),
  k2_kafka_consumer_lag_messages: gauge('consumer', 'Messages in the log not yet committed', ...PARTITION),
  k2_kafka_consumer_lag_seconds: gauge(
    'consumer',
    'Age of the last committed message while there are later ones',
    ...PARTITION,
  ),
  k2_kafka_consumer_offset: gauge('consumer', 'Offset after the last message committed', ...PARTITION),
  k2_ingestion_latency_seconds: histogram('consumer', 'From the exchange to the commit', AGE, ...MARKET),
  k2_consumer_errors_total: counter('consumer', 'Errors while reading the log', 'error_type'),

  k2_tail_messages: gauge('tail', 'Messages held'),
  k2_tail_bytes: gauge('tail', 'Bytes held'),
  k2_tail_symbols: gauge('tail', 'Symbols held'),
  k2_tail_oldest_seconds: gauge('tail', 'Age of the oldest message held'),
  k2_tail_evicted_uncommitted_total: counter('tail', 'Messages dropped for want of memory before they were committed'),
  k2_tail_query_duration_seconds: histogram('tail', 'Time of a query of the tail', LATENCY),

  k2_sequence_gaps_detected_total: counter('quality', 'Gaps in sequence numbers', 'symbol', 'severity', ...MARKET),
  k2_sequence_resets_detected_total: counter('quality', 'Sequences that started anew', ...MARKET),
  k2_out_of_order_messages_total: counter('quality', 'Messages older than one before them', ...MARKET),
  k2_sequence_disagreements_total: counter(
    'quality',
    'Messages whose number and time disagree about which is the later one',
    ...MARKET,
  ),
  k2_duplicate_messages_detected_total: counter('quality', 'Messages that were there already', ...MARKET),
  k2_deduplication_cache_size: gauge('quality', 'Message ids remembered'),
  k2_dead_letters_total: counter('quality', 'Messages set aside', 'topic', 'reason'),

  k2_binance_connection_status: gauge('binance', '1 while connected'),
  k2_binance_messages_received_total: counter('binance', 'Messages received', 'symbol'),
  k2_binance_message_errors_total: counter('binance', 'Messages not understood', 'error_type'),
  k2_binance_reconnects_total: counter('binance', 'Connections made again', 'reason'),
  k2_binance_connection_errors_total: counter('binance', 'Connections that failed', 'error_type'),
  k2_binance_last_message_timestamp_seconds: gauge('binance', 'When the last message came, seconds since 1970'),
  k2_binance_reconnect_delay_seconds: gauge('binance', 'Wait before the next attempt'),

  k2_iceberg_rows_written_total: counter('iceberg', 'Rows committed', 'table'),
  k2_iceberg_write_duration_seconds: histogram('iceberg', 'Time of a write', STORAGE, 'table', 'operation'),
  k2_iceberg_write_errors_total: counter('iceberg', 'Writes that failed', 'table', 'error_type'),
  k2_iceberg_commit_failures_total: counter('iceberg', 'Commits given up', 'table'),
  k2_iceberg_commit_retries_total: counter('iceberg', 'Commits tried again', 'table'),
  k2_iceberg_transactions_total: counter('iceberg', 'Commits'),
  k2_iceberg_transaction_rows: histogram('iceberg', 'Rows of a commit', ROWS),
  k2_iceberg_batch_size: histogram('iceberg', 'Rows of a batch', ROWS),
  k2_iceberg_table_size_bytes: gauge('iceberg', 'Bytes of the current data files'),
  k2_iceberg_snapshot_count: gauge('iceberg', 'Snapshots kept'),
  k2_iceberg_data_files: gauge('iceberg', 'Current data files'),
  k2_iceberg_compactions_total: counter('iceberg', 'Compactions'),
  k2_iceberg_valid_through_seconds: gauge('iceberg', 'Time up to which everything is committed, seconds since 1970'),

  k2_query_executions_total: counter('query', 'Queries', 'query_type', 'status'),
  k2_query_duration_seconds: histogram('query', 'Time of a query', LATENCY, 'query_type'),
  k2_query_rows_scanned: histogram('query', 'Rows a query read', ROWS),
  k2_query_rows_returned: histogram('query', 'Rows a query gave', ROWS),
  k2_query_cache_hits_total: counter('query', 'Files found in the cache'),
  k2_query_cache_misses_total: counter('query', 'Files not found in the cache', 'cache_tier'),
  k2_hybrid_queries_total: counter('query', 'Hybrid queries by where their rows came from', 'source'),
  k2_hybrid_query_results: histogram('query', 'Rows of a hybrid answer', ROWS),
  k2_hybrid_freshness_seconds: histogram('query', 'Age of the newest row a hybrid answer could have', AGE),

  k2_replay_sessions: gauge('replay', 'Open sessions'),
  k2_replay_rows_total: counter('replay', 'Rows replayed'),
  k2_replay_seek_duration_seconds: histogram('replay', 'Time to go to a moment', LATENCY),

  k2_connection_pool_size: gauge('pool', 'Connections of the query pool'),
  k2_connection_pool_active_connections: gauge('pool', 'Connections in use'),
  k2_connection_pool_available_connections: gauge('pool', 'Connections free'),
  k2_connection_pool_wait_time_seconds: histogram('pool', 'Wait for a connection', LATENCY),
  k2_connection_pool_acquisition_timeouts_total: counter('pool', 'Waits given up'),
  k2_connection_pool_creation_errors_total: counter('pool', 'Connections that could not be made'),

  k2_http_requests_total: counter('http', 'Requests answered', 'method', 'endpoint', 'status_code'),
  k2_http_request_duration_seconds: histogram('http', 'Time to answer', LATENCY),
  k2_http_request_errors_total: counter('http', 'Requests answered with an error', 'error_type'),
  k2_http_requests_in_progress: gauge('http', 'Requests being answered'),
  k2_http_rate_limited_total: counter('http', 'Requests over the rate limit'),

  k2_circuit_breaker_state: gauge('system', '0 closed, 1 half open, 2 open', 'breaker_name'),
  k2_circuit_breaker_failures_total: counter('system', 'Failures that breakers counted'),
  k2_backpressure_events_total: counter('system', 'Times that load rose to a level', 'level'),
  k2_degradation_level: gauge('system', '0 normal to 4'),
  k2_degradation_transitions_total: counter('system', 'Changes of the degradation level', 'from_level', 'to_level'),
  k2_messages_shed_total: counter('system', 'Messages the tail left out under load', 'symbol_tier', 'reason'),
  k2_messages_spilled_total: counter('system', 'Messages spilled to disk before they got an offset'),
} satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof METRICS
export type NameOf<K extends Kind> = {
  [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never
}[MetricName]

/** The labels a metric needs, by name; service, environment and component come by themselves. */
export type LabelsOf<N extends MetricName> = Pick<LabelValues, (typeof METRICS)[N]['labels'][number]>
