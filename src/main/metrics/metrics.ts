// The metrics of one process, over prom-client: typed by the table, with the labels that all carry.
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type MetricObject,
} from 'prom-client'
import { METRICS, type LabelsOf, type MetricName, type MetricSpec, type NameOf } from './metric-table.ts'

/** Nothing where a metric has no labels of its own, all of them where it has. */
type Labels<N extends MetricName> = keyof LabelsOf<N> extends never ? [] : [labels: LabelsOf<N>]

/** How an HTTP request ended; `endpoint` is the pattern of its route. */
export interface HttpEnd {
  method: string
  endpoint: string
  status: number
  elapsedMs: number
}

export interface Metrics {
  /** Adds to a counter. */
  add: <N extends NameOf<'counter'>>(name: N, amount: number, ...labels: Labels<N>) => void
  set: <N extends NameOf<'gauge'>>(name: N, value: number, ...labels: Labels<N>) => void
  /** Ends a series: nothing is known of it any more. */
  forget: <N extends NameOf<'gauge'>>(name: N, ...labels: Labels<N>) => void
  /** Moves a gauge up, or down by a negative amount. */
  shift: <N extends NameOf<'gauge'>>(name: N, amount: number, ...labels: Labels<N>) => void
  /** Puts a value into a histogram. */
  observe: <N extends NameOf<'histogram'>>(name: N, value: number, ...labels: Labels<N>) => void
  observeHttp: (end: HttpEnd) => void
  /** Runs before every reading: for gauges that are cheaper to look at than to keep up. */
  beforeRead: (fill: () => void) => void
  /** Prometheus' text. */
  text: () => Promise<string>
  /** The same as data, to be merged by another process. */
  json: () => Promise<object[]>
}

export interface MetricsOptions {
  environment: string
  /** One name a process, as series of the same name and labels are summed when they are merged. */
  service: string
}

const MAX_SYMBOLS = 200

export function createMetrics({ environment, service }: MetricsOptions): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service, environment })
  collectDefaultMetrics({ register: registry, labels: { component: 'process' } })
  const registered = registerAll(registry)
  const symbols = new Set<string>()
  const fills: (() => void)[] = []

  function labelsOf(name: MetricName, labels: object = {}): Record<string, string | number> {
    const given = labels as Record<string, string | number>
    const { component } = METRICS[name]
    if (given.symbol === undefined) return { ...given, component }
    return { ...given, symbol: capSymbol(String(given.symbol)), component }
  }
  function capSymbol(symbol: string): string {
    if (symbols.size < MAX_SYMBOLS) symbols.add(symbol)
    return symbols.has(symbol) ? symbol : 'other'
  }
  const fill = () => fills.forEach(run => run())

  const metrics: Metrics = {
    add: (name, amount, ...[labels]) => (registered[name] as Counter).inc(labelsOf(name, labels), amount),
    set: (name, value, ...[labels]) => (registered[name] as Gauge).set(labelsOf(name, labels), value),
    forget: (name, ...[labels]) => (registered[name] as Gauge).remove(labelsOf(name, labels)),
    shift: (name, amount, ...[labels]) => (registered[name] as Gauge).inc(labelsOf(name, labels), amount),
    observe: (name, value, ...[labels]) => (registered[name] as Histogram).observe(labelsOf(name, labels), value),
    observeHttp({ method, endpoint, status, elapsedMs }) {
      metrics.add('k2_http_requests_total', 1, { method, endpoint, status_code: status })
      metrics.observe('k2_http_request_duration_seconds', elapsedMs / 1000)
      if (status >= 400)
        metrics.add('k2_http_request_errors_total', 1, { error_type: status < 500 ? 'client' : 'server' })
      if (status === 429) metrics.add('k2_http_rate_limited_total', 1)
    },
    beforeRead: run => void fills.push(run),
    text: () => {
      fill()
      return registry.metrics()
    },
    json: () => {
      fill()
      return registry.getMetricsAsJSON()
    },
  }
  return metrics
}

/** One text out of the metrics of several processes: what has the same name and labels is summed, the rest stands side by side. */
export function mergeMetrics(parts: readonly object[][]): Promise<string> {
  const summed = (parts as MetricObject[][]).map(part => part.map(metric => ({ ...metric, aggregator: 'sum' })))
  return AggregatorRegistry.aggregate(summed).metrics()
}

/** Those without labels of their own are there at 0 from the start; the others appear with their first value. */
function registerAll(registry: Registry): Record<MetricName, Counter | Gauge | Histogram> {
  const entries = Object.entries(METRICS as Record<string, MetricSpec>).map(
    ([name, { kind, help, labels, component, buckets }]) => {
      const options = { name, help, labelNames: [...labels, 'component'], registers: [registry] }
      const unlabelled = labels.length === 0
      switch (kind) {
        case 'counter': {
          const counter = new Counter(options)
          if (unlabelled) counter.inc({ component }, 0)
          return [name, counter]
        }
        case 'gauge': {
          const gauge = new Gauge(options)
          if (unlabelled) gauge.set({ component }, 0)
          return [name, gauge]
        }
        case 'histogram': {
          const histogram = new Histogram({ ...options, buckets: [...buckets!] })
          if (unlabelled) histogram.zero({ component })
          return [name, histogram]
        }
      }
    },
  )
  return Object.fromEntries(entries) as Record<MetricName, Counter | Gauge | Histogram>
}
