// The composition root: from configuration to engines, from engines to one dispatch. Every entry starts here.
import { join } from 'node:path'
import type { z } from 'zod'
import type { Client, Dispatch } from '../contract/capability.ts'
import { contract } from '../contract/index.ts'
import type { CloseStep } from './base/close-in-order.ts'
import { timeLimit } from './base/in-time.ts'
import { logRequests, type Log } from './base/log.ts'
import { describeConfig } from './config/describe-config.ts'
import type { Config } from './config/settings.ts'
import { listDependencies } from './dependencies.ts'
import { forkEngine } from './host/fork.ts'
import { placeHere } from './host/place-here.ts'
import { relayTo } from './host/relay.ts'
import { supervise, type EngineProcess } from './host/supervise.ts'
import { watchVitals } from './host/vitals.ts'
import { historyContract, startHistory, type HistoryOptions } from './processes/history.ts'
import { liveContract, startLive, type LiveOptions } from './processes/live.ts'
import { logContract } from './log/relay-contract.ts'
import { relayedLog } from './log/relayed-log.ts'
import { createMetrics, mergeMetrics, type Metrics } from './metrics/metrics.ts'
import { isOnKafka } from './processes/open-log.ts'
import { readAgain } from './read-again.ts'
import { recentAnyway } from './recent-anyway.ts'
import { tailContract } from './tail/relay-contract.ts'
import { systemHandlers } from './system-handlers.ts'
import { untilRead } from './processes/until-read.ts'
import { createDispatch } from './wire/dispatch.ts'
import { writerNeeds } from './processes/writer-needs.ts'
import { startWriterEngine, writerContract, writerEnvironment, type WriterEngineOptions } from './processes/writer.ts'

export interface ComposeOptions {
  config: Config
  log: Log
  /** Where engine processes log to; nowhere but stderr when left out. */
  logFolder?: string
  version: string
  /** Engines in a process of their own, or in this one: for commands that run and end. */
  placement: 'process' | 'here'
  /** Check answers against the contract too. */
  checkAnswers?: boolean
  /** How an engine process is started; Electron hands in its utility process. */
  startProcess?: (entry: string, env?: NodeJS.ProcessEnv) => EngineProcess
}

export interface Composed {
  dispatch: Dispatch
  metrics: Metrics
  metricsText: () => Promise<string>
  /** The live view acts as if it were so many messages behind; 0 ends it. */
  simulateLag: (messages: number) => Promise<void>
  /** Takes no more from the log, commits what was taken, and tells what was written since the start. */
  finishWriting: (signal: AbortSignal) => Promise<{ rows: number; commits: number }>
  /** Stop intake, flush, close, in this order. */
  closeSteps: CloseStep[]
}

type LiveClient = Client<typeof liveContract>

const METRICS_TIMEOUT_MS = 1_000
const NOT_READ =
  'Not all of it is in the tables yet, as they could not be written just now. The log keeps it: k2 serve writes the rest.'
const HEALTH_TIMEOUT_MS = 2_000
/** Engines that are started only to look are given the time for it. */
const OWN_HEALTH_TIMEOUT_MS = 10_000

export function compose({ config, log, ...options }: ComposeOptions): Composed {
  const { logFolder, version, placement, startProcess = forkEngine } = options
  const metrics = createMetrics({ environment: config.environment, service: 'k2' })
  metrics.set('k2_platform_info', 1, { version })
  const vitals = watchVitals()
  // For the processes started from here; this one's own pool was sized by its entry, before its first thread.
  process.env.UV_THREADPOOL_SIZE = String(Math.max(16, config.query.poolSize + 8))
  const isHere = placement === 'here'
  const entryOf = (name: string, env?: NodeJS.ProcessEnv) => () =>
    startProcess(join(import.meta.dirname, `${name}-process.cjs`), env)
  let demoWanted: Parameters<LiveClient['demo.start']>[0] | undefined

  const onExit = (exit: { name: string; code: number | null; restartInMs: number }) =>
    log.error('engine process ended', exit)

  // Placement, a line an engine group. The live half first: on few cores they would hold each other up.
  const liveOptions: LiveOptions = { config, logFolder, keepsLog: !isHere }
  const live = isHere
    ? placeHere(liveContract, given => startLive(given as LiveOptions), liveOptions)
    : supervise({
        name: 'live',
        contract: liveContract,
        start: entryOf('live'),
        options: liveOptions,
        onRestart: async client => {
          if (demoWanted) await client['demo.start'](demoWanted)
        },
        onExit,
      })
  const isLiveUp = isHere ? undefined : live.client()
  const historyOptions: HistoryOptions = { config, logFolder, isServing: !isHere }
  const history = isHere
    ? placeHere(historyContract, given => startHistory(given as HistoryOptions, () => live.client()), historyOptions)
    : supervise({
        name: 'history',
        contract: historyContract,
        start: entryOf('history'),
        options: historyOptions,
        offers: createDispatch(tailContract, relayTo(tailContract, live)),
        startAfter: isLiveUp,
        onExit,
      })
  const writerOptions: WriterEngineOptions = { config, logFolder, byItself: !isHere }
  const ofLiveForWriter = { ...relayTo(logContract, live), ...relayTo(writerNeeds, live) }
  const writer = isHere
    ? placeHere(
        writerContract,
        given =>
          startWriterEngine(given as WriterEngineOptions, () => relayedLog(() => live.client()), {
            refill: async gap => (await live.client())['gaps.refill'](gap),
          }),
        writerOptions,
      )
    : supervise({
        name: 'writer',
        contract: writerContract,
        start: entryOf('writer', writerEnvironment()),
        options: writerOptions,
        offers: createDispatch({ ...logContract, ...writerNeeds }, ofLiveForWriter),
        startAfter: isLiveUp,
        onExit,
      })
  const [ofLive, ofHistory] = [relayTo(liveContract, live), relayTo(historyContract, history)]
  const relayed = {
    ...ofLive,
    ...ofHistory,
    ...relayTo(writerContract, writer),
    ...recentAnyway(ofHistory, ofLive),
    ...readAgain(ofHistory),
  }

  const groups = [
    { name: 'live', engines: live },
    { name: 'history', engines: history },
    { name: 'writer', engines: writer },
  ]

  const dispatch = createDispatch(
    contract,
    {
      ...relayed,
      async *'ingest.stream'(input, context) {
        // A command by itself, without Kafka: what it takes in is kept, and written as where K2 runs.
        const writesItself = isHere && !isOnKafka(config)
        if (writesItself) {
          liveOptions.keepsLog = true
          writerOptions.byItself = true
        }
        const writing = writesItself ? await writer.client() : undefined
        let last: z.infer<(typeof contract)['ingest.stream']['output']> | undefined
        for await (const progress of relayed['ingest.stream'](input, context)) yield (last = progress)
        if (!writing) return
        const isRead = await untilRead(
          relayedLog(() => live.client()),
          () => writing['ingest.status']({}),
        )
        if (!isRead && last) yield { ...last, why: NOT_READ }
      },
      'demo.start': async (input, context) => {
        const status = await relayed['demo.start'](input, context)
        demoWanted = input
        return status
      },
      'demo.stop': (input, context) => {
        demoWanted = undefined
        return relayed['demo.stop'](input, context)
      },
      ...systemHandlers({
        version,
        environment: config.environment,
        messageLog: isOnKafka(config) ? 'kafka' : 'embedded',
        describeConfig: () => describeConfig(config),
        ownVitals: vitals.read,
        tailStats: async signal => (await live.client(signal))['tail.stats']({}, { signal }),
        tableStats: async signal => (await history.client(signal))['tables.stats']({}, { signal }),
        // Here the engines start when they are asked.
        tablesTimeoutMs: isHere ? OWN_HEALTH_TIMEOUT_MS : undefined,
        writerStatus: isHere
          ? undefined
          : async signal => (await writer.client(signal))['ingest.status']({}, { signal }),
        dependencies: listDependencies({
          live: live.client,
          history: history.client,
          writer: writer.client,
          hasKafka: isOnKafka(config),
          hasRegistry: config.registry.urls.length > 0,
          isRunning: !isHere,
        }),
        healthTimeoutMs: isHere ? OWN_HEALTH_TIMEOUT_MS : HEALTH_TIMEOUT_MS,
        engines: groups.map(({ name, engines: { client, restarts } }) => ({
          name,
          vitals: async signal => (await client(signal))['engine.vitals']({}, { signal }),
          restarts,
        })),
      }),
    },
    { observe: logRequests(log), checkAnswers: options.checkAnswers },
  )

  return {
    dispatch,
    metrics,
    async metricsText() {
      // Without those of engines that do not answer: main's own are needed most when something is wrong.
      const signal = timeLimit(METRICS_TIMEOUT_MS)
      const theirs = groups.map(async ({ engines: { client } }) => {
        const { metrics: found } = await (await client(signal))['engine.vitals']({}, { signal })
        return found
      })
      const answered = await Promise.all(theirs.map(found => found.catch(() => [])))
      return mergeMetrics([await metrics.json(), ...answered])
    },
    simulateLag: async lag => void (await (await live.client())['load.simulate']({ lag })),
    finishWriting: async signal => (await writer.client(signal))['writer.finish']({}, { signal }),
    closeSteps: [
      { name: 'writer', close: writer.close },
      { name: 'live', close: live.close },
      { name: 'history', close: history.close },
      { name: 'vitals', close: vitals.close },
    ],
  }
}
