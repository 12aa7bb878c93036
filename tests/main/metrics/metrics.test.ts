// The metrics: what is there from the start, what each carries, what does not compile, and how processes are merged.
import { describe, expect, expectTypeOf, it } from 'vitest'
import { Failure, type FailureCode } from '../../../src/contract/failure.ts'
import { countRequests } from '../../../src/main/metrics/count-requests.ts'
import { METRICS, type LabelsOf, type MetricSpec, type NameOf } from '../../../src/main/metrics/metric-table.ts'
import { createMetrics, mergeMetrics, type Metrics } from '../../../src/main/metrics/metrics.ts'
import type { Observe } from '../../../src/main/wire/dispatch.ts'

const create = (service = 'k2') => createMetrics({ environment: 'test', service })

interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

function parseText(text: string): Sample[] {
  return text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, said]) => [label, said])
      return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }
    })
}

async function samplesOf(metrics: Metrics, name: string): Promise<Sample[]> {
  return parseText(await metrics.text()).filter(sample => sample.name === name)
}

describe('the text', () => {
  it('declares every metric of the table with its help and kind', async () => {
    const text = await create().text()
    for (const [name, { kind, help }] of Object.entries(METRICS as Record<string, MetricSpec>)) {
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`)
    }
  })

  it('has the metrics without labels of their own at 0 from the start', async () => {
    const samples = parseText(await create().text())
    for (const [name, { kind, labels }] of Object.entries(METRICS as Record<string, MetricSpec>)) {
      const shown = kind === 'histogram' ? `${name}_count` : name
      const values = samples.filter(sample => sample.name === shown).map(({ value }) => value)
      expect(values, name).toEqual(labels.length === 0 ? [0] : [])
    }
  })

  it('carries service, environment and component on every line', async () => {
    const metrics = create()
    metrics.add('k2_dead_letters_total', 1, { topic: 'a', reason: 'schema' })
    for (const { name, labels } of parseText(await metrics.text())) {
      expect(labels, name).toMatchObject({
        service: 'k2',
        environment: 'test',
        component: expect.any(String) as string,
      })
    }
    expect((await samplesOf(metrics, 'k2_dead_letters_total'))[0].labels.component).toBe('quality')
    expect((await samplesOf(metrics, 'process_resident_memory_bytes'))[0].labels.component).toBe('process')
  })

  it('tells of the process and its event loop', async () => {
    const names = new Set(parseText(await create().text()).map(({ name }) => name))
    expect([...names]).toEqual(
      expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds']),
    )
  })
})

describe('values', () => {
  it('add up in counters, move in gauges, fall into buckets', async () => {
    const metrics = create()
    metrics.add('k2_replay_rows_total', 2)
    metrics.add('k2_replay_rows_total', 3)
    metrics.set('k2_tail_messages', 10)
    metrics.shift('k2_tail_messages', -4)
    metrics.observe('k2_tail_query_duration_seconds', 0.004)
    expect(await samplesOf(metrics, 'k2_replay_rows_total')).toMatchObject([{ value: 5 }])
    expect(await samplesOf(metrics, 'k2_tail_messages')).toMatchObject([{ value: 6 }])
    const buckets = await samplesOf(metrics, 'k2_tail_query_duration_seconds_bucket')
    expect(buckets.slice(0, 3).map(({ labels, value }) => [labels.le, value])).toEqual([
      ['0.001', 0],
      ['0.005', 1],
      ['0.01', 1],
    ])
  })

  it('of 200 symbols are told apart; those that come later are counted together', async () => {
    const metrics = create()
    for (let i = 0; i < 250; i++) metrics.add('k2_binance_messages_received_total', 1, { symbol: `S${i}` })
    metrics.add('k2_binance_messages_received_total', 1, { symbol: 'S7' })
    const samples = await samplesOf(metrics, 'k2_binance_messages_received_total')
    expect(samples).toHaveLength(201)
    const of = (symbol: string) => samples.find(({ labels }) => labels.symbol === symbol)?.value
    expect([of('S7'), of('S199'), of('S200'), of('other')]).toEqual([2, 1, undefined, 50])
  })

  it('are looked up before every reading where an engine says how', async () => {
    const metrics = create()
    let held = 0
    metrics.beforeRead(() => metrics.set('k2_tail_messages', held))
    held = 7
    expect(await samplesOf(metrics, 'k2_tail_messages')).toMatchObject([{ value: 7 }])
    held = 8
    expect(JSON.stringify(await metrics.json())).toContain('"name":"k2_tail_messages"')
    expect(await samplesOf(metrics, 'k2_tail_messages')).toMatchObject([{ value: 8 }])
  })
})

describe('names and labels that are not in the table', () => {
  it('do not compile', () => {
    expectTypeOf<'k2_nonsense_total'>().not.toExtend<NameOf<'counter'>>()
    expectTypeOf<'k2_tail_messages'>().not.toExtend<NameOf<'counter'>>()
    expectTypeOf<'k2_tail_messages'>().toExtend<NameOf<'gauge'>>()
    expectTypeOf<LabelsOf<'k2_dead_letters_total'>>().toEqualTypeOf<{ topic: string; reason: string }>()
    expectTypeOf<keyof LabelsOf<'k2_tail_messages'>>().toBeNever()
    expectTypeOf<{ query_type: 'nonsense'; status: 'success' }>().not.toExtend<LabelsOf<'k2_query_executions_total'>>()
    expectTypeOf<{ topic: string }>().not.toExtend<LabelsOf<'k2_dead_letters_total'>>()
  })

  it('cannot be left out where they are needed, nor given where there are none', () => {
    const metrics = create()
    expectTypeOf(metrics.add<'k2_replay_rows_total'>).parameters.toEqualTypeOf<['k2_replay_rows_total', number]>()
    expectTypeOf(metrics.add<'k2_dead_letters_total'>).parameters.toEqualTypeOf<
      ['k2_dead_letters_total', number, labels: { topic: string; reason: string }]
    >()
  })
})

describe('requests', () => {
  it('over HTTP are counted by route and status, timed, and their errors and refusals told', async () => {
    const metrics = create()
    const end = { method: 'GET', endpoint: '/v1/trades/recent', elapsedMs: 20 }
    for (const status of [200, 200, 404, 429, 500]) metrics.observeHttp({ ...end, status })
    const counts = await samplesOf(metrics, 'k2_http_requests_total')
    expect(counts.map(({ labels, value }) => [labels.endpoint, labels.status_code, value])).toEqual([
      ['/v1/trades/recent', '200', 2],
      ['/v1/trades/recent', '404', 1],
      ['/v1/trades/recent', '429', 1],
      ['/v1/trades/recent', '500', 1],
    ])
    const errors = await samplesOf(metrics, 'k2_http_request_errors_total')
    expect(errors.map(({ labels, value }) => [labels.error_type, value])).toEqual([
      ['client', 2],
      ['server', 1],
    ])
    expect(await samplesOf(metrics, 'k2_http_rate_limited_total')).toMatchObject([{ value: 1 }])
    const [sum] = await samplesOf(metrics, 'k2_http_request_duration_seconds_sum')
    expect(sum.value).toBeCloseTo(0.1)
  })

  it('that are queries are counted by kind and end, the others not', async () => {
    const metrics = create()
    const count = countRequests(metrics)
    const end = (name: string, code?: FailureCode) =>
      count({
        name,
        context: { correlationId: 'c', door: 'port' },
        elapsedMs: 3,
        ...(code && { failure: new Failure(code, 'no') }),
      })
    end('trades.list')
    end('quotes.list')
    end('trades.list', 'INVALID_INPUT')
    end('trades.list', 'CANCELLED')
    end('trades.list', 'UNAVAILABLE')
    end('system.health')
    end('nothing')
    const samples = await samplesOf(metrics, 'k2_query_executions_total')
    expect(samples.map(({ labels, value }) => `${labels.query_type} ${labels.status} ${value}`).sort()).toEqual([
      'quotes success 1',
      'trades error 1',
      'trades rejected 2',
      'trades success 1',
    ])
    expectTypeOf<ReturnType<typeof countRequests>>().toExtend<Observe>()
  })
})

describe('merging processes', () => {
  it('keeps each service apart, histograms whole, and sums what is alike', async () => {
    const parts = [create('k2'), create('k2-live'), create('k2-live')]
    parts.forEach((metrics, i) => {
      metrics.add('k2_replay_rows_total', 10 ** i)
      metrics.observe('k2_tail_query_duration_seconds', 0.004)
    })
    const json = await Promise.all(parts.map(metrics => metrics.json()))
    const samples = parseText(await mergeMetrics(structuredClone(json)))
    const of = (name: string) =>
      samples.filter(sample => sample.name === name).map(({ labels, value }) => [labels.service, value])
    expect(of('k2_replay_rows_total')).toEqual([
      ['k2', 1],
      ['k2-live', 110],
    ])
    expect(of('k2_tail_query_duration_seconds_count')).toEqual([
      ['k2', 1],
      ['k2-live', 2],
    ])
    expect(of('process_start_time_seconds')).toHaveLength(2)
  })
})
