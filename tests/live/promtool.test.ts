// Prometheus' own tool reads what /metrics says.
import { describe, expect, it } from 'vitest'
import { METRICS, type MetricSpec } from '../../src/main/metrics/metric-table.ts'
import { createMetrics, mergeMetrics, type Metrics } from '../../src/main/metrics/metrics.ts'
import { needs } from '../support/needs.ts'
import { runPromtool } from '../support/promtool.ts'

/** Names that the product or Node's own metrics promise although Prometheus would choose others. */
const ACCEPTED = [
  /^k2_iceberg_snapshot_count non-histogram and non-summary metrics should not have "_count" suffix$/,
  /^nodejs_\w+_total non-counter metrics should not have "_total" suffix$/,
]

const checkMetrics = (text: string) => runPromtool(['check', 'metrics'], text)

/** Every metric with a value, the labelled ones too, with text that has to be escaped. */
function fillAll(metrics: Metrics): void {
  for (const [name, { kind, labels }] of Object.entries(METRICS as Record<string, MetricSpec>)) {
    const values = Object.fromEntries(labels.map(label => [label, 'a "quoted"\\\n value']))
    const write = { counter: metrics.add, gauge: metrics.set, histogram: metrics.observe }[kind] as (
      ...args: unknown[]
    ) => void
    write(name, 2, values)
  }
}

const promtool = needs('promtool')

describe.skipIf(promtool.skip)(`promtool check metrics${promtool.because}`, () => {
  it('understands every metric of a process and of several, and finds no fault but the accepted names', async () => {
    const one = createMetrics({ environment: 'test', service: 'k2' })
    const other = createMetrics({ environment: 'test', service: 'k2-live' })
    fillAll(one)
    fillAll(other)
    for (const text of [await one.text(), await mergeMetrics([await one.json(), await other.json()])]) {
      expect(checkMetrics(text).filter(line => !ACCEPTED.some(accepted => accepted.test(line)))).toEqual([])
    }
  })

  it('would find a fault', () => {
    expect(checkMetrics('# TYPE k2_x counter\nk2_x 1\n')).not.toEqual([])
    expect(checkMetrics('k2_x{a="b} 1\n')).not.toEqual([])
  })
})
