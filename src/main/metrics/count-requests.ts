// Counts the queries among the requests, by how they end at the dispatcher.
import { isColumnBatch } from '../../contract/columns.ts'
import type { QueryMeta } from '../../contract/fields.ts'
import type { RequestEnd } from '../base/request-end.ts'
import type { QueryType } from './metric-table.ts'
import type { Metrics } from './metrics.ts'

type Counting = Pick<Metrics, 'add' | 'observe'>

/** By a capability's name, or its first word; what is not here is no query. */
const QUERY_TYPES = new Map<string, QueryType>([
  ['trades.recent', 'hybrid'],
  ['quotes.recent', 'hybrid'],
  ['tail.follow', 'realtime'],
  ['trades', 'trades'],
  ['quotes', 'quotes'],
  ['summary', 'summary'],
  ['bars', 'bars'],
  ['aggregations', 'bars'],
  ['asof', 'asof'],
  ['sql', 'sql'],
  ['results', 'sql'],
  ['symbols', 'historical'],
  ['dates', 'historical'],
  ['receipts', 'historical'],
  ['replay', 'replay'],
  ['snapshots', 'snapshot'],
])

/** `rejected`: the caller's doing, by an input that is not allowed or by going away. */
export function countRequests(metrics: Counting): (end: RequestEnd) => void {
  return ({ name, elapsedMs, failure, answer }) => {
    const queryType = QUERY_TYPES.get(name) ?? QUERY_TYPES.get(name.slice(0, name.indexOf('.')))
    if (!queryType) return
    const status = !failure ? 'success' : failure.status < 500 ? 'rejected' : 'error'
    metrics.add('k2_query_executions_total', 1, { query_type: queryType, status })
    metrics.observe('k2_query_duration_seconds', elapsedMs / 1000, { query_type: queryType })
    if (isAnswer(answer)) countAnswer(metrics, answer)
  }
}

interface Answer {
  data: unknown
  query: QueryMeta
}

function isAnswer(answer: unknown): answer is Answer {
  return typeof answer === 'object' && answer !== null && 'query' in answer && 'data' in answer
}

function countAnswer(metrics: Counting, { data, query }: Answer): void {
  const { tail, lake } = query.sources
  const returned = rowsIn(data)
  metrics.observe('k2_query_rows_returned', returned)
  metrics.observe('k2_query_rows_scanned', (tail?.rows ?? 0) + (lake?.rows ?? 0))
  if (query.engine !== 'hybrid') return
  metrics.observe('k2_hybrid_query_results', returned)
  if (query.freshness_ms !== null) metrics.observe('k2_hybrid_freshness_seconds', query.freshness_ms / 1000)
  metrics.add('k2_hybrid_queries_total', 1, { source: query.partial ? 'partial' : sourceOf(tail?.rows, lake?.rows) })
}

function rowsIn(data: unknown): number {
  if (isColumnBatch(data)) return data.rowCount
  return Array.isArray(data) ? data.length : 1
}

function sourceOf(tail = 0, lake = 0): 'tail' | 'lake' | 'both' {
  if (tail > 0) return lake > 0 ? 'both' : 'tail'
  return 'lake'
}
