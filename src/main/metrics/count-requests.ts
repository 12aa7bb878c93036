// Counts the queries among the requests, by how they end at the dispatcher.
import type { RequestEnd } from '../base/request-end.ts'
import type { QueryType } from './metric-table.ts'
import type { Metrics } from './metrics.ts'

/** By the first word of a capability's name; what is not here is no query. */
const QUERY_TYPES = new Map<string, QueryType>([
  ['trades', 'trades'],
  ['quotes', 'quotes'],
  ['summary', 'summary'],
  ['ohlcv', 'bars'],
  ['asof', 'asof'],
  ['sql', 'sql'],
  ['replay', 'replay'],
  ['snapshots', 'snapshot'],
])

/** `rejected`: the caller's doing, by an input that is not allowed or by going away. */
export function countRequests(metrics: Pick<Metrics, 'add' | 'observe'>): (end: RequestEnd) => void {
  return ({ name, elapsedMs, failure }) => {
    const queryType = QUERY_TYPES.get(name.slice(0, name.indexOf('.')))
    if (!queryType) return
    const status = !failure ? 'success' : failure.status < 500 ? 'rejected' : 'error'
    metrics.add('k2_query_executions_total', 1, { query_type: queryType, status })
    metrics.observe('k2_query_duration_seconds', elapsedMs / 1000, { query_type: queryType })
  }
}
