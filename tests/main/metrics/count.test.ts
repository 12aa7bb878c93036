// What is counted of queries and replays: by how they end, what they gave, and where it came from.
import { expect, it } from 'vitest'
import { emptyBatch, type ColumnBatch } from '../../../src/contract/columns.ts'
import { Failure } from '../../../src/contract/failure.ts'
import { trades } from '../../../src/contract/tables.ts'
import { countReplays } from '../../../src/main/metrics/count-replays.ts'
import { countRequests } from '../../../src/main/metrics/count-requests.ts'
import { createMetrics } from '../../../src/main/metrics/metrics.ts'

const context = { signal: new AbortController().signal, correlationId: 'c', door: 'http' as const }
const rows = (rowCount: number): ColumnBatch => ({ ...emptyBatch(trades.columns), rowCount })

/** A series' value, by its name and some of its labels. */
async function readMetrics(metrics: ReturnType<typeof createMetrics>) {
  const lines = (await metrics.text()).split('\n')
  return (name: string, ...labels: string[]) => {
    const line = lines.find(one => one.startsWith(`${name}{`) && labels.every(label => one.includes(label)))
    return line && Number(line.slice(line.lastIndexOf(' ')))
  }
}

it('counts queries by what they are and how they end, with their rows and where these came from', async () => {
  const metrics = createMetrics({ environment: 'test', service: 'k2' })
  const count = countRequests(metrics)
  const answerOf = (rowCount: number, query: object) => ({ data: rows(rowCount), query })
  const hybrid = (tail: number, lake: number, more = {}) =>
    answerOf(3, {
      engine: 'hybrid',
      partial: false,
      freshness_ms: 20,
      sources: { tail: { rows: tail }, lake: { rows: lake } },
      ...more,
    })
  const end = (name: string, more: object) => count({ name, context, elapsedMs: 5, ...more })
  end('trades.recent', { answer: hybrid(2, 1) })
  end('quotes.recent', { answer: hybrid(0, 3) })
  end('bars.list', { answer: hybrid(2, 0) })
  end('trades.recent', { answer: hybrid(2, 1, { partial: true, freshness_ms: null }) })
  end('asof.join', {
    answer: answerOf(7, { engine: 'lake', partial: false, freshness_ms: null, sources: { lake: { rows: 9 } } }),
  })
  end('sql.run', { failure: new Failure('INVALID_INPUT', 'It is no SQL.') })
  end('results.open', { failure: new Failure('UNAVAILABLE', 'The tables are away.') })
  end('config.get', { answer: {} })
  const read = await readMetrics(metrics)
  const executed = (type: string, status: string) =>
    read('k2_query_executions_total', `query_type="${type}"`, `status="${status}"`)
  expect([executed('hybrid', 'success'), executed('bars', 'success'), executed('asof', 'success')]).toEqual([3, 1, 1])
  expect([executed('sql', 'rejected'), executed('sql', 'error')]).toEqual([1, 1])
  const sources = ['lake', 'tail', 'both', 'partial'].map(source =>
    read('k2_hybrid_queries_total', `source="${source}"`),
  )
  expect(sources).toEqual([1, 1, 1, 1])
  expect([read('k2_query_rows_returned_sum'), read('k2_query_rows_scanned_sum')]).toEqual([
    4 * 3 + 7,
    3 + 3 + 2 + 3 + 9,
  ])
  expect([read('k2_hybrid_query_results_count'), read('k2_hybrid_freshness_seconds_count')]).toEqual([4, 3])
})

it('counts the rows of replays, the sessions that are open, and how long it takes to go to a moment', async () => {
  const metrics = createMetrics({ environment: 'test', service: 'k2' })
  const handlers = {
    'replay.read': () => Promise.resolve({ data: rows(4) }),
    async *'replay.play'() {
      yield { rows: rows(5) }
      yield { rows: rows(6) }
    },
    async *'replay.follow'() {
      yield { trades: rows(1), quotes: rows(2) }
    },
    'replay.control': () => Promise.resolve({}),
  }
  const counted = countReplays({ handlers: handlers as never, openSessions: () => 2 }, metrics)
  await counted['replay.read']({} as never, context)
  for await (const { rows: played } of counted['replay.play']({} as never, context))
    expect(played.rowCount).toBeGreaterThan(4)
  for await (const { quotes } of counted['replay.follow']({} as never, context)) expect(quotes.rowCount).toBe(2)
  for (const action of ['seek', 'play', 'seek']) await counted['replay.control']({ action } as never, context)
  const read = await readMetrics(metrics)
  expect(read('k2_replay_rows_total')).toBe(4 + 5 + 6 + 1 + 2)
  expect(read('k2_replay_sessions')).toBe(2)
  expect(read('k2_replay_seek_duration_seconds_count')).toBe(2)
})
