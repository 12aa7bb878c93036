// The product's writer in a process of its own, as main starts it, from nothing until all messages of a topic are committed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Environment } from '../../src/main/config/setting.ts'
import { loadConfig } from '../../src/main/config/load-config.ts'
import { forkEngine } from '../../src/main/host/fork.ts'
import { supervise } from '../../src/main/host/supervise.ts'
import { watchVitals } from '../../src/main/host/vitals.ts'
import { writerContract, writerEnvironment, type WriterEngineOptions } from '../../src/main/processes/writer.ts'
import type { WriterStatus } from '../../src/contract/writer.ts'
import { loadAverage, peakMegabytes, processorMicros } from './process-cost.ts'

export interface WriterRun {
  /** From the first message taken in to the last commit. */
  seconds: number
  /** Of the writer's process: from its start to the last commit, and the part before the first message. */
  processorMicros: number
  startMicros: number
  peakMegabytes: number
  /** Of the process that owns it. */
  loopDelayP99Ms: number
  commits: number
  load: string
}

export interface RunOptions {
  environment: Environment
  messages: number
  /** Of the writer's process. */
  nodeOptions?: string[]
  /** Where the built program is. */
  built?: string
}

export const BUILT = resolve(import.meta.dirname, '../../out/main')
const LOOK_MS = 200

/** A warehouse and profile of its own: `inspect` sees what was written before it is removed. */
export async function runWriter<T>(
  { environment, messages, nodeOptions, built = BUILT }: RunOptions,
  inspect: (options: WriterEngineOptions) => Promise<T>,
): Promise<WriterRun & { found: T }> {
  const folder = mkdtempSync(join(tmpdir(), 'k2-bench-'))
  const config = loadConfig({ env: { K2_PROFILE: folder, K2_LOG_LEVEL: 'warn', ...environment } })
  const options: WriterEngineOptions = { config, byItself: true }
  process.env.UV_THREADPOOL_SIZE = '16'
  const vitals = watchVitals(3_600_000)
  const writer = supervise({
    name: 'writer',
    contract: writerContract,
    start: () => forkEngine(join(built, 'writer-process.cjs'), writerEnvironment(), nodeOptions),
    options,
    onExit: exit => console.error('The writer ended', exit),
  })
  try {
    const client = await writer.client()
    const { pid } = await client['engine.vitals']({})
    const firstTaken = await when(client, status => status.messages > 0)
    const startMicros = processorMicros(pid)
    const begun = performance.now()
    const { commits } = await when(client, status => status.rows >= messages && status.lag === 0)
    const seconds = (performance.now() - begun) / 1000
    const cost = { processorMicros: processorMicros(pid), startMicros, peakMegabytes: peakMegabytes(pid) }
    if (firstTaken.messages >= messages) throw new Error('There are too few messages to tell a rate by.')
    const { loopDelayP99Ms } = vitals.read()
    await writer.close(AbortSignal.timeout(20_000))
    return { seconds, ...cost, loopDelayP99Ms, commits, load: loadAverage(), found: await inspect(options) }
  } finally {
    vitals.close()
    await writer.close(AbortSignal.timeout(5_000))
    rmSync(folder, { recursive: true, force: true })
  }
}

type Asked = { 'ingest.status': (input: Record<never, never>) => Promise<WriterStatus> }

async function when(client: Asked, isIt: (status: WriterStatus) => boolean): Promise<WriterStatus> {
  for (;;) {
    const status = await client['ingest.status']({})
    if (isIt(status)) return status
    if (status.state === 'stopped' || status.state === 'halted') throw new Error(`The writer stopped: ${status.why}`)
    await sleep(LOOK_MS)
  }
}
