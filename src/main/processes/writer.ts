// The writing half, composed: what the log has goes into the tables. Runs in a process of its own.
import { z } from 'zod'
import { call, type Client, type Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import { contract } from '../../contract/index.ts'
import { TABLES, type TableId } from '../../contract/tables.ts'
import { createBreaker, type BreakerName } from '../base/breaker.ts'
import { systemClock } from '../base/clock.ts'
import { createLog, logRequests, type Log } from '../base/log.ts'
import type { Config } from '../config/settings.ts'
import type { Engines } from '../host/engine-dispatch.ts'
import type { Gap } from '../ingest/intake.ts'
import { createSessionDays } from '../ingest/quality/session-days.ts'
import { deadLetterRows, gapRows } from '../ingest/side-rows.ts'
import type { Split } from '../ingest/quality/watch-sequences.ts'
import { createIntake } from '../ingest/take-in.ts'
import { writerHandlers } from '../ingest/writer-handlers.ts'
import type { Committed, WriterOptions, WriterSettings } from '../ingest/writer-options.ts'
import { startWriter, type Writer } from '../ingest/writer.ts'
import { countCommit } from './lake-metrics.ts'
import { lakeOptions } from './lake-options.ts'
import { openLake } from '../lake/lake.ts'
import { startUpkeep } from '../lake/maintain/upkeep.ts'
import { streamHandlers } from '../lake/stream/handlers.ts'
import { lastCompanies } from '../lake/stream/last-companies.ts'
import { createStreamTable } from '../lake/stream/stream-table.ts'
import type { MessageLog } from '../log/message-log.ts'
import { topicsHandlers } from '../log/topics-handlers.ts'
import { countRequests } from '../metrics/count-requests.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { isOnKafka, openLog } from './open-log.ts'
import type { StreamTable } from '../market/stream-table.ts'
import { rereadWith, type RereadTools } from './reread-letters.ts'
import { reportUpkeep } from './report-upkeep.ts'
import type { writerNeeds } from './writer-needs.ts'
import { writerLeases, type LeaseTimes } from './writer-leases.ts'
import { countWriter } from './writer-metrics.ts'
import { writerSettings } from './writer-settings.ts'

export const writerContract = {
  'ingest.consume': contract['ingest.consume'],
  'ingest.status': contract['ingest.status'],
  'deadLetters.list': contract['deadLetters.list'],
  'deadLetters.show': contract['deadLetters.show'],
  'deadLetters.replay': contract['deadLetters.replay'],
  'offsets.show': contract['offsets.show'],
  'offsets.set': contract['offsets.set'],
  'topics.init': contract['topics.init'],
  'topics.list': contract['topics.list'],
  'registry.probe': call({
    summary: 'Ask the Schema Registry, where there is one',
    input: z.strictObject({}),
    output: z.strictObject({}),
  }),
  'writer.finish': call({
    summary: 'Take no more from the log, commit what was taken, and tell what was written since the start',
    input: z.strictObject({}),
    output: z.strictObject({ rows: z.int(), commits: z.int() }),
  }),
}

/**
 * Of its process. Its arrays are freed many at a time, and with an arena of glibc for each thread that memory lies about:
 * measured, 448 to 462 MB at the most of five million rows, with two arenas 405 to 409. Other systems do not know it.
 */
export const writerEnvironment = () => ({ MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? '2' })

export interface WriterEngineOptions {
  config: Config
  /** Where the log file goes; none when left out. */
  logFolder?: string
  /** Write and keep the tables in order without being asked, as long as this runs. */
  byItself?: boolean
}

/** Who may have what is missing; and what only tests set: a place to end at, and waits that would be too long for them. */
export interface WriterHooks {
  refill?: Client<typeof writerNeeds>['gaps.refill']
  /** Who holds what is not in the tables yet; it looks at them itself too, and later. */
  committed?: Client<typeof writerNeeds>['tail.committed']
  onStep?: WriterOptions['onStep']
  halfOpenAfterMs?: number
  leaseTimes?: LeaseTimes
}

/** Minor gaps are common; a major one should be asked for again at its source, and a critical one looked into. */
const GAP_LOG = { minor: 'info', major: 'warn', critical: 'error' } as const
/** Whether it is there does not matter: a registry that says no is well. */
const PROBED_SUBJECT = 'k2-health'
const BREAKERS: readonly BreakerName[] = ['kafka', 'registry', 'catalog', 's3']

/** `embedded` gives the log of the live half, where there is no Kafka. */
export async function startWriterEngine(
  { config, logFolder, byItself = false }: WriterEngineOptions,
  embedded: () => MessageLog,
  { refill, committed, onStep, halfOpenAfterMs, leaseTimes }: WriterHooks = {},
): Promise<Engines<typeof writerContract>> {
  const log = createLog({ ...config.log, environment: config.environment, service: 'k2-writer', folder: logFolder })
  const metrics = createMetrics({ environment: config.environment, service: 'k2-writer' })
  const lake = await openLake({ ...lakeOptions(config), onCommit: commit => countCommit(metrics, commit) })
  const opened = await openLog(config, log, embedded)
  const all = BREAKERS.map(name =>
    createBreaker({
      name,
      halfOpenAfterMs,
      onFailure: () => metrics.add('k2_circuit_breaker_failures_total', 1),
      onChange({ state, error }) {
        log.warn(`breaker ${state}`, { breaker: name, error })
      },
    }),
  )
  const breakers = Object.fromEntries(all.map(breaker => [breaker.name, breaker])) as WriterOptions['breakers']
  const counts = countWriter(metrics, config.ingest.consumerGroup, all)
  const ids = Object.keys(TABLES) as TableId[]
  const tables = Object.fromEntries(ids.map(id => [id, createStreamTable(lake, id)])) as Record<TableId, StreamTable>
  const settings = writerSettings(config)
  const isWriting = config.ingest.writer !== 'off'

  /** Those that have not been stopped. */
  const started = new Set<Writer>()

  function start(asked?: Partial<WriterSettings>): Writer {
    if (!isWriting) throw writesNothing()
    const logger = log.child({ component: 'writer' })
    const writer = startWriter({
      log: opened.log,
      standardize: opened.standardize,
      tables: id => tables[id],
      async openIntake(options) {
        const companies = options.table === 'reference_data' ? await lastCompanies(lake, options.topic) : undefined
        const intake = createIntake({ ...options, companies, schemaOf: opened.schemaOf, onSplit })
        counts.watch(options.topic, intake)
        return intake
      },
      sideRows: { deadLetters: deadLetterRows, gaps: gapRows },
      dayOf: createSessionDays(),
      breakers,
      // Each is an owner of its own, so that one that is asked for leaves topics alone that K2 writes by itself.
      acquireLease: writerLeases(lake, leaseTimes),
      clock: systemClock,
      // Who asked for it is told why it ends, in words.
      logger: asked ? { ...logger, error: (...said) => logger.warn(...said) } : logger,
      events: {
        ...counts.events,
        onGap: gap => onGap(gap, asked?.onGap === 'halt'),
        onCommit: commit => onCommit(commit),
      },
      settings: { ...settings, ...asked },
      onStep,
    })
    let stopping: ReturnType<Writer['stop']> | undefined
    const own = { ...writer, stop: () => (stopping ??= writer.stop().finally(() => started.delete(own))) }
    started.add(own)
    return own
  }

  function onCommit(commit: Committed): void {
    counts.events.onCommit?.(commit)
    const { table, offsets } = commit
    if (table !== 'reference_data') void committed?.({ table, offsets }).catch(() => {}) // it looks for itself
  }

  function onSplit({ topic, symbol, exchange, partitions }: Split): void {
    const why = 'its producer does not go by the key; repeats and gaps are judged in each of them alone'
    log.warn('a symbol comes in two partitions', { topic, symbol, exchange, partitions: partitions.join(' and '), why })
  }

  function onGap(gap: Gap, mayHalt: boolean): void {
    counts.events.onGap?.(gap)
    const { symbol, exchange, expected, received, severity, topic, partition, offset } = gap
    const place = { symbol, exchange, topic, partition, offset, severity }
    const fields = {
      ...place,
      expected: String(expected),
      received: String(received),
      missing: String(received - expected),
    }
    const level = GAP_LOG[severity]
    // Who asked to be halted is told by the halt.
    log[mayHalt && level === 'error' ? 'warn' : level]('numbers are missing in a sequence', fields)
    if (refill && severity !== 'minor') void requestRefill(gap, refill, log)
  }

  const running = byItself && isWriting ? start() : undefined
  const isOurs = (table: TableId) => running?.isTheWriter(table) ?? false
  /** What waits is less than a usual batch. */
  const isQuiet = () => (running?.status().lag ?? 0) <= 2 * settings.batchSize
  const upkeep = running && startUpkeep(lake, { ...reportUpkeep(log, config), isOurs, isQuiet })
  const logRequest = logRequests(log)
  const countRequest = countRequests(metrics)
  const writing = writerHandlers({ start: asked => start(asked), running: () => running })
  const companiesBefore: RereadTools['companiesBefore'] = (topic, partition, offset) =>
    lastCompanies(lake, topic, { partition, offset })
  const reread = rereadWith({ ...opened, companiesBefore })
  const windowMicros = config.ingest.dedupeMinutes * 60e6
  const offsets = streamHandlers(lake, { openLog: () => Promise.resolve(opened.log), reread, windowMicros })
  const handlers: Handlers<typeof writerContract> = {
    ...writing,
    ...offsets,
    ...(!isWriting && { 'deadLetters.replay': refuse, 'offsets.set': refuse }),
    ...topicsHandlers({
      log: () => Promise.resolve(opened.log),
      registry: opened.registry,
      topicNames: config.kafka.topics,
    }),
    async 'registry.probe'(_, { signal }) {
      await opened.registry?.latest(PROBED_SUBJECT, signal)
      return {}
    },
    async 'writer.finish'() {
      const { rows, commits } = (await running?.stop())?.progress ?? { rows: 0, commits: 0 }
      return { rows, commits }
    },
    async *'ingest.consume'(input, context) {
      if (!isOnKafka(config) && (await opened.log.topics()).length === 0) throw nothingToConsume()
      yield* writing['ingest.consume'](input, context)
    },
  }

  return {
    handlers,
    metrics() {
      counts.fill(running?.lags() ?? [])
      return metrics.json()
    },
    observe(end) {
      logRequest(end)
      countRequest(end)
    },
    async close() {
      if (running) started.add(running)
      // Side by side: what is to be committed must not wait for a compaction to end.
      const [, ...stopped] = await Promise.all([upkeep?.close(), ...[...started].map(writer => writer.stop())])
      await opened.close()
      await lake.close()
      log.close()
      return stopped.flatMap(({ unfinished }) => unfinished)
    },
  }
}

/** Nobody waits for it: what comes of it comes out of the log like anything else. */
async function requestRefill(gap: Gap, refill: NonNullable<WriterHooks['refill']>, log: Log): Promise<void> {
  const { exchange, symbol, dataType, expected, received } = gap
  const [from, to] = [Number(expected), Number(received - 1n)]
  if (!Number.isSafeInteger(to)) return
  try {
    const { requested } = await refill({ exchange, symbol, data_type: dataType, from, to })
    if (requested > 0) log.info('what is missing is fetched once more at its source', { exchange, symbol, requested })
  } catch (error) {
    log.warn('what is missing could not be asked for at its source', { exchange, symbol, error })
  }
}

function refuse(): never {
  throw writesNothing()
}

function writesNothing(): Failure {
  return new Failure('FORBIDDEN', 'K2_WRITER is off, so this K2 never writes to the tables. Set it to auto or on.')
}

function nothingToConsume(): Failure {
  return new Failure(
    'UNAVAILABLE',
    'There is no Kafka to consume: set K2_KAFKA_BROKERS. Without one, a running K2 writes its own log by itself.',
    { retryable: false },
  )
}
