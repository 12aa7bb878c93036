// What queries do, in the metrics table's names.
import type { Metrics } from '../metrics/metrics.ts'
import type { PoolEvent, PoolStats } from '../query/pool.ts'

export function countPoolEvent(metrics: Metrics, event: PoolEvent): void {
  switch (event.kind) {
    case 'waited':
      return metrics.observe('k2_connection_pool_wait_time_seconds', event.ms / 1000)
    case 'gave up':
      return metrics.add('k2_connection_pool_acquisition_timeouts_total', 1)
    case 'failed to connect':
      return metrics.add('k2_connection_pool_creation_errors_total', 1)
  }
}

export function fillPoolMetrics(metrics: Metrics, { size, busy }: PoolStats): void {
  metrics.set('k2_connection_pool_size', size)
  metrics.set('k2_connection_pool_active_connections', busy)
  metrics.set('k2_connection_pool_available_connections', size - busy)
}

/** `tier` says what was looked for: whole answers or decoded blocks. */
export function countLook(
  metrics: Metrics,
  tier: 'answers' | 'blocks',
  { hits, misses }: { hits: number; misses: number },
): void {
  metrics.add('k2_query_cache_hits_total', hits)
  if (misses > 0) metrics.add('k2_query_cache_misses_total', misses, { cache_tier: tier })
}
