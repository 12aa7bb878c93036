// What K2 says of itself: health, version, use of memory and time, configuration.
import type { Handlers } from '../contract/capability.ts'
import { timestampText } from '../contract/columns.ts'
import type { system } from '../contract/system.ts'
import type { TailStats } from '../contract/system.ts'
import type { TailTable } from '../contract/tables.ts'
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
  /** Fails when the lake's catalog cannot be asked. */
  probeLake: (signal: AbortSignal) => Promise<void>
  engines: readonly {
    name: string
    vitals: (signal: AbortSignal) => Promise<Omit<Vitals, 'metrics'>>
    restarts: () => number
  }[]
}

/** A dependency that has not answered by then is unhealthy; /health itself must answer. */
const HEALTH_TIMEOUT_MS = 2_000

export function systemHandlers(parts: SystemParts): Handlers<typeof system> {
  const startedAt = Date.now()
  return {
    async 'system.health'() {
      const dependencies = await Promise.all([
        probe('tail', async signal => {
          const stats = await parts.tailStats(signal)
          const stopped = Object.entries(stats).filter(([, { is_running }]) => !is_running)
          return stopped.length > 0 ? `The tail of ${stopped.map(([name]) => name).join(' and ')} has stopped.` : null
        }),
        probe('lake', signal => parts.probeLake(signal).then(() => null)),
      ])
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
      const engines = parts.engines.map(async ({ name, vitals, restarts }) =>
        processStats(name, await vitals(signal), restarts()),
      )
      const [tail, ...theirs] = await Promise.all([parts.tailStats(signal), ...engines])
      const elsewhere = theirs.filter(({ pid }) => pid !== process.pid)
      return { tail, processes: [processStats('main', parts.ownVitals(), 0), ...elsewhere] }
    },
    'config.get': () => parts.describeConfig(),
  }
}

function processStats(name: string, vitals: Omit<Vitals, 'metrics'>, restarts: number) {
  const { pid, residentMb, loopDelayP99Ms } = vitals
  return { name, pid, resident_mb: residentMb, loop_delay_p99_ms: loopDelayP99Ms, restarts }
}

/** Healthy unless `check` says why not, fails, or is late. */
async function probe(name: string, check: (signal: AbortSignal) => Promise<string | null>) {
  const started = performance.now()
  const late = AbortSignal.timeout(HEALTH_TIMEOUT_MS)
  try {
    const why = await check(late)
    const latency_ms = Number((performance.now() - started).toFixed(2))
    return { name, healthy: why === null, latency_ms, why }
  } catch (error) {
    const why = late.aborted ? `It did not answer within ${HEALTH_TIMEOUT_MS / 1000} s.` : messageOf(error)
    return { name, healthy: false, latency_ms: null, why }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
