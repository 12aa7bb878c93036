// What K2 says of itself: health, version, use of memory and time, configuration.
import type { Handlers } from '../contract/capability.ts'
import { timestampText } from '../contract/columns.ts'
import type { system } from '../contract/system.ts'
import type { TableStats, TailStats } from '../contract/system.ts'
import type { TailTable } from '../contract/tables.ts'
import type { WriterStatus } from '../contract/writer.ts'
import { inTime, timeLimit } from './base/in-time.ts'
import type { Dependency } from './dependencies.ts'
import type { Vitals } from './host/control.ts'

export interface SystemParts {
  version: string
  environment: string
  messageLog: 'embedded' | 'kafka'
  describeConfig: () => {
    name: string
    value: string
    source: 'flag' | 'environment' | 'file' | 'default'
    about: string
  }[]
  ownVitals: () => Omit<Vitals, 'metrics'>
  tailStats: (signal: AbortSignal) => Promise<Record<TailTable, TailStats>>
  tableStats: (signal: AbortSignal) => Promise<TableStats[]>
  /** As long as for all else where left out. */
  tablesTimeoutMs?: number
  /** Undefined where nobody writes here. */
  writerStatus?: (signal: AbortSignal) => Promise<WriterStatus>
  dependencies: readonly Dependency[]
  /** What has not answered by then is unhealthy; /health itself must answer. */
  healthTimeoutMs: number
  engines: readonly {
    name: string
    vitals: (signal: AbortSignal) => Promise<Omit<Vitals, 'metrics'>>
    restarts: () => number
  }[]
}

/** The rest of the statistics does not wait longer for an engine that is being started; it is left out until it is there. */
const STATUS_TIMEOUT_MS = 500

export function systemHandlers(parts: SystemParts): Handlers<typeof system> {
  const startedAt = Date.now()
  return {
    async 'system.health'() {
      const dependencies = await Promise.all(parts.dependencies.map(one => probe(one, parts.healthTimeoutMs)))
      const allHealthy = dependencies.every(({ healthy }) => healthy)
      return { status: allHealthy ? ('healthy' as const) : ('unhealthy' as const), dependencies }
    },
    'system.live': () => ({ status: 'alive' as const, uptime_seconds: (Date.now() - startedAt) / 1000 }),
    'system.about': () => ({
      name: 'K2 Workstation' as const,
      version: parts.version,
      environment: parts.environment,
      started_at: timestampText(startedAt * 1000),
      log: parts.messageLog,
    }),
    async 'stats.get'(_input, { signal }) {
      const soon = <T>(ask: (signal: AbortSignal) => Promise<T>) => inTime(STATUS_TIMEOUT_MS, ask, signal)
      const engines = parts.engines.map(async ({ name, vitals, restarts }) =>
        processStats(name, await soon(vitals), restarts()),
      )
      const [tail, tables, writer = null, ...theirs] = await Promise.all([
        parts.tailStats(signal),
        inTime(parts.tablesTimeoutMs ?? STATUS_TIMEOUT_MS, parts.tableStats, signal).catch(() => null),
        parts.writerStatus && soon(parts.writerStatus).catch(() => null),
        ...engines.map(found => found.catch(() => undefined)),
      ])
      const elsewhere = theirs.filter(found => found !== undefined).filter(({ pid }) => pid !== process.pid)
      return { tail, tables, writer, processes: [processStats('main', parts.ownVitals(), 0), ...elsewhere] }
    },
    'config.get': () => parts.describeConfig(),
  }
}

function processStats(name: string, vitals: Omit<Vitals, 'metrics'>, restarts: number) {
  const { pid, residentMb, loopDelayP99Ms } = vitals
  return { name, pid, resident_mb: residentMb, loop_delay_p99_ms: loopDelayP99Ms, restarts }
}

/** Healthy unless `check` says why not, fails, or is late. */
async function probe({ name, check }: Dependency, timeoutMs: number) {
  const started = performance.now()
  const late = timeLimit(timeoutMs)
  try {
    const why = await check(late)
    const latency_ms = Number((performance.now() - started).toFixed(2))
    return { name, healthy: why === null, latency_ms, why }
  } catch (error) {
    const why = late.aborted ? `It did not answer within ${timeoutMs / 1000} s.` : messageOf(error)
    return { name, healthy: false, latency_ms: null, why }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
