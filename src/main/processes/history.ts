// The historical half, composed: the lake and what is loaded into it. Runs in a process of its own.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { asofContract } from '../../contract/asof.ts'
import { barsContract } from '../../contract/bars.ts'
import { call, type Client, type Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import { pastState } from '../../contract/fields.ts'
import { contract } from '../../contract/index.ts'
import { replaySessions } from '../../contract/replay-sessions.ts'
import { replay } from '../../contract/replay.ts'
import type { ColumnBatch } from '../../contract/columns.ts'
import { exports } from '../../contract/export.ts'
import { reads } from '../../contract/reads.ts'
import { receipts } from '../../contract/receipts.ts'
import { results } from '../../contract/results.ts'
import { tableStats as tableStatsRow } from '../../contract/system.ts'
import { systemClock } from '../base/clock.ts'
import { createLog, logRequests } from '../base/log.ts'
import type { Config } from '../config/settings.ts'
import { countLook, countPoolEvent, fillPoolMetrics } from './query-metrics.ts'
import type { Engines } from '../host/engine-dispatch.ts'
import { streamBatches } from '../duck/read-batch.ts'
import { lakeHandlers } from '../lake/handlers.ts'
import { countCommit, fillLakeMetrics } from './lake-metrics.ts'
import { lakeOptions } from './lake-options.ts'
import { openLake } from '../lake/lake.ts'
import { loadFile } from '../lake/load/load-file.ts'
import { lakeReads } from '../lake/reads.ts'
import { NAMESPACE } from '../lake/tables.ts'
import { countReplays } from '../metrics/count-replays.ts'
import { countRequests } from '../metrics/count-requests.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { isOnKafka, openLog, type OpenedLog } from './open-log.ts'
import { countLogEvent, countProducing } from './producer-metrics.ts'
import { openColumnarFile } from '../sources/columnar/open-columnar.ts'
import { parseMapping } from '../sources/columnar/plan-columns.ts'
import { ingestHandlers } from '../sources/handlers.ts'
import { asofHandlers } from '../query/asof/handlers.ts'
import type { AsofPlace } from '../query/asof/page.ts'
import { barsHandlers } from '../query/bars/handlers.ts'
import { createBlocks } from '../query/blocks/blocks.ts'
import { openFavourites } from '../query/favourites.ts'
import { recentHandlers } from '../query/hybrid/handlers.ts'
import { windowedLists } from '../query/hybrid/windowed-lists.ts'
import { repeatableDifferences } from '../query/receipts/differences.ts'
import { receiptHandlers, withReceipts } from '../query/receipts/handlers.ts'
import { repeatable } from '../query/receipts/repeatable.ts'
import { createHybrid } from '../query/hybrid/read-hybrid.ts'
import { createCursors, loadCursorKey } from '../query/cursor.ts'
import { choiceOf, microsOf, resolveState } from '../query/moments.ts'
import { openPool, type PoolOptions } from '../query/pool.ts'
import { dateRangeHandlers } from '../query/reads/date-range.ts'
import { readHandlers } from '../query/reads/handlers.ts'
import { symbolHandlers } from '../query/reads/list-symbols.ts'
import { openExports } from '../query/export/handlers.ts'
import { openSql } from '../query/sql/handlers.ts'
import { warmUp } from '../query/warm-up.ts'
import { lakeMeta, type QueryTools } from '../query/tools.ts'
import { seenIn, withinSession } from '../replay/guard.ts'
import { snapshotsWithinSession } from '../replay/guard-snapshots.ts'
import { createReplay } from '../replay/handlers.ts'
import { pageHandler } from '../replay/read-page.ts'
import type { ReplayTools } from '../replay/tools.ts'
import { tableStats } from './table-stats.ts'
import type { tailContract } from '../tail/relay-contract.ts'

/** Its share of the contract, and what main asks of it to answer `/health`. */
export const historyContract = {
  'lake.init': contract['lake.init'],
  'lake.tag': contract['lake.tag'],
  'lake.rollback': contract['lake.rollback'],
  'lake.compact': contract['lake.compact'],
  'lake.expire': contract['lake.expire'],
  'lake.orphans': contract['lake.orphans'],
  'lake.verify': contract['lake.verify'],
  'snapshots.list': contract['snapshots.list'],
  'snapshots.current': contract['snapshots.current'],
  'snapshots.diff': contract['snapshots.diff'],
  'ingest.load': contract['ingest.load'],
  ...reads,
  'symbols.list': contract['symbols.list'],
  ...receipts,
  ...barsContract,
  ...asofContract,
  'trades.recent': contract['trades.recent'],
  'quotes.recent': contract['quotes.recent'],
  ...replay,
  ...replaySessions,
  ...exports,
  'sql.run': contract['sql.run'],
  'sql.export': contract['sql.export'],
  ...results,
  'reads.version': call({
    summary: 'Which snapshot is read',
    input: z.strictObject({ table: z.enum(['trades', 'quotes']), ...pastState }),
    output: z.strictObject({ snapshot_id: z.string().nullable() }),
  }),
  'tables.stats': call({ summary: 'What the tables hold', input: z.strictObject({}), output: z.array(tableStatsRow) }),
  'lake.probe': call({ summary: 'Ask the catalog', input: z.strictObject({}), output: z.strictObject({}) }),
}

/** Of decoded columns, beside what DuckDB takes. A million trades take about 16 MB. */
const BLOCK_BYTES = 256_000_000

export interface HistoryOptions {
  config: Config
  /** Where the log file goes; none when left out. */
  logFolder?: string
  /** Questions are to come, so what the first one needs is made ready. */
  isServing?: boolean
}

/** `live` is the process that holds the live view. */
export async function startHistory(
  { config, logFolder, isServing }: HistoryOptions,
  live: () => Promise<Client<typeof tailContract>>,
): Promise<Engines<typeof historyContract>> {
  const log = createLog({ ...config.log, environment: config.environment, service: 'k2-history', folder: logFolder })
  const metrics = createMetrics({ environment: config.environment, service: 'k2-history' })
  const lake = await openLake({ ...lakeOptions(config), onCommit: commit => countCommit(metrics, commit) })
  const tables = lakeReads(lake)
  const pool = await openPool({ ...poolOptions(config), onEvent: event => countPoolEvent(metrics, event) })
  const favourites = openFavourites({
    path: join(config.profile, 'cache', 'favourites.json'),
    reads: tables,
    pool,
    blocks: createBlocks({
      reads: tables,
      pool,
      maxBytes: BLOCK_BYTES,
      onLook: look => countLook(metrics, 'blocks', look),
    }),
  })
  const { blocks } = favourites
  const tools: QueryTools = { reads: tables, pool: favourites.pool, live, clock: systemClock }
  const readHybrid = createHybrid(tools)
  const files = openExports(tools, join(config.profile, 'cache', 'exports'))
  const sql = openSql(tools, {
    memoryMb: config.query.memoryMb,
    tempFolder: join(config.profile, 'cache', 'sql'),
    seenIn: input => seenIn(guard, input),
  })
  let opened: Promise<OpenedLog> | undefined
  const openKafka = () =>
    (opened ??= openLog(config, log, notOnKafka, event => countLogEvent(metrics, event)).then(found =>
      countProducing(found, metrics),
    ))
  const logRequest = logRequests(log)
  const countRequest = countRequests(metrics)

  async function* readParquet(sql: string, signal: AbortSignal): AsyncGenerator<ColumnBatch> {
    const connection = await lake.duck.connect()
    try {
      yield* streamBatches(connection, sql, { signal })
    } finally {
      connection.closeSync()
    }
  }

  const cursorKey = loadCursorKey(join(config.profile, 'cursor.key'))
  const lists = withReceipts(readHandlers(tools, { cursorKey, onLook: look => countLook(metrics, 'answers', look) }))
  const replayTools: ReplayTools = {
    ...tools,
    cursors: createCursors(cursorKey, 'replay'),
    microsOf,
    choiceOf,
    stateOf: resolveState,
    metaOf: share => lakeMeta(tools, share),
  }
  const replays = createReplay(replayTools)
  const listed = windowedLists(tools, readHybrid, lists)
  const guard = { clockOf: replays.clockOf, microsOf }
  const statsOf = tableStats(lake)
  const lakes = lakeHandlers(lake, { retention: config.lake.snapshotRetention, lend: tools.pool.run })
  const differences = repeatableDifferences(tools, lakes['snapshots.diff'])
  const asofCursors = createCursors<AsofPlace>(cursorKey, 'asof')
  const repeatables = repeatable({ tools, seenIn: input => seenIn(guard, input) }, contract, ({ tools, seenIn }) => ({
    ...barsHandlers(tools, blocks, seenIn),
    ...asofHandlers(tools, blocks, asofCursors, seenIn),
    ...symbolHandlers(tools, seenIn),
    ...dateRangeHandlers(tools, seenIn),
    'replay.read': pageHandler({ ...replayTools, ...tools }),
  }))
  const handlers: Handlers<typeof historyContract> = {
    ...lakes,
    ...ingestHandlers({
      target: () => Promise.resolve({ begin: (table, source, again) => loadFile(lake, table, source, again) }),
      log: isOnKafka(config) ? openKafka : undefined,
      openOther: (path, options, signal) =>
        openColumnarFile(path, { ...options, mapping: parseMapping(options.map ?? ''), readParquet }, signal),
      startThread: workerData => new Worker(join(import.meta.dirname, 'csv-thread.cjs'), { workerData }),
      nowMs: () => systemClock.nowMs(),
    }),
    ...recentHandlers(tools, readHybrid),
    ...lists,
    'trades.list': withinSession(guard, 'trades', listed['trades.list']),
    'quotes.list': withinSession(guard, 'quotes', listed['quotes.list']),
    'trades.query': withinSession(guard, 'trades', lists['trades.query']),
    'quotes.query': withinSession(guard, 'quotes', lists['quotes.query']),
    ...repeatables.handlers,
    ...receiptHandlers(tools, lists, { ...sql.again, ...repeatables.again, ...differences.again }),
    ...countReplays(
      { ...replays, handlers: { ...replays.handlers, 'replay.read': repeatables.handlers['replay.read'] } },
      metrics,
    ),
    ...sql.handlers,
    ...files.handlers,
    'trades.export': withinSession(guard, 'trades', files.handlers['trades.export']),
    'quotes.export': withinSession(guard, 'quotes', files.handlers['quotes.export']),
    ...snapshotsWithinSession(guard, { ...lakes, ...differences.handlers, ...lists, ...files.handlers }),
    async 'reads.version'({ table, ...past }, { signal }) {
      const { snapshotId } = await resolveState(tools.reads, table, past, signal)
      return { snapshot_id: snapshotId ?? null }
    },
    'tables.stats': (_input, { signal }) => statsOf(signal),
    async 'lake.probe'() {
      await lake.catalog.listTables(NAMESPACE)
      return {}
    },
  }
  const warming = new AbortController()
  // What is wrong is told to who asks.
  const warm = () => warmUp({ reads: tables, pool }, warming.signal).then(() => favourites.warm(warming.signal))
  if (isServing) void warm().catch(() => {})
  return {
    handlers: config.ingest.writer === 'off' ? { ...handlers, ...refuseWrites() } : handlers,
    async metrics() {
      await fillLakeMetrics(metrics, lake)
      fillPoolMetrics(metrics, tools.pool.stats())
      return metrics.json()
    },
    observe(end) {
      logRequest(end)
      countRequest(end)
    },
    async close() {
      warming.abort()
      if (isServing) favourites.save()
      await (await opened)?.close()
      replays.close()
      await tools.pool.close()
      sql.close()
      files.close()
      await lake.close()
      log.close()
      return []
    },
  }
}

function poolOptions({ query, profile }: Config): PoolOptions {
  return { ...query, size: query.poolSize, tempFolder: join(profile, 'cache', 'queries') }
}

function notOnKafka(): never {
  throw new Error('not on Kafka')
}

/** What changes a table; listing orphans does not, but it is of use to writers only. */
const WRITES = [
  'lake.init',
  'lake.tag',
  'lake.rollback',
  'lake.compact',
  'lake.expire',
  'lake.orphans',
  'ingest.load',
] as const

function refuseWrites(): Record<(typeof WRITES)[number], () => never> {
  const refuse = () => {
    throw new Failure('FORBIDDEN', 'K2_WRITER is off, so this K2 never writes to the tables. Set it to auto or on.')
  }
  return Object.fromEntries(WRITES.map(name => [name, refuse])) as Record<(typeof WRITES)[number], () => never>
}
