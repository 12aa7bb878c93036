// The historical half, composed: the lake and what is loaded into it. Runs in a process of its own.
import { z } from 'zod'
import { call } from '../contract/capability.ts'
import { contract } from '../contract/index.ts'
import type { ColumnBatch } from '../contract/columns.ts'
import { systemClock } from './base/clock.ts'
import { createLog, logRequests, type Log } from './base/log.ts'
import type { Config } from './config/settings.ts'
import type { Engines } from './host/engine-dispatch.ts'
import { streamBatches } from './duck/read-batch.ts'
import { lakeHandlers } from './lake/handlers.ts'
import { countCommit, fillLakeMetrics } from './lake-metrics.ts'
import { lakeOptions } from './lake-options.ts'
import { openLake } from './lake/lake.ts'
import { loadFile } from './lake/load/load-file.ts'
import { startUpkeep, type UpkeepOptions } from './lake/maintain/upkeep.ts'
import { NAMESPACE } from './lake/tables.ts'
import { countRequests } from './metrics/count-requests.ts'
import { createMetrics } from './metrics/metrics.ts'
import { openColumnarFile } from './sources/columnar/open-columnar.ts'
import { parseMapping } from './sources/columnar/plan-columns.ts'
import { ingestHandlers } from './sources/csv/handlers.ts'

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
  'lake.probe': call({ summary: 'Ask the catalog', input: z.strictObject({}), output: z.strictObject({}) }),
}

export interface HistoryOptions {
  config: Config
  /** Where the log file goes; none when left out. */
  logFolder?: string
}

export async function startHistory({ config, logFolder }: HistoryOptions): Promise<Engines<typeof historyContract>> {
  const log = createLog({ ...config.log, environment: config.environment, service: 'k2-history', folder: logFolder })
  const metrics = createMetrics({ environment: config.environment, service: 'k2-history' })
  const lake = await openLake({ ...lakeOptions(config), onCommit: commit => countCommit(metrics, commit) })
  // Only a writer changes tables that nobody asked it to change.
  const upkeep = config.ingest.writer === 'off' ? undefined : startUpkeep(lake, reportUpkeep(log, config))
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

  return {
    handlers: {
      ...lakeHandlers(lake, { retention: config.lake.snapshotRetention }),
      ...ingestHandlers({
        target: () => Promise.resolve({ begin: (table, source, again) => loadFile(lake, table, source, again) }),
        openOther: (path, options, signal) =>
          openColumnarFile(path, { ...options, mapping: parseMapping(options.map ?? ''), readParquet }, signal),
        nowMs: () => systemClock.nowMs(),
      }),
      async 'lake.probe'() {
        await lake.catalog.listTables(NAMESPACE)
        return {}
      },
    },
    async metrics() {
      await fillLakeMetrics(metrics, lake)
      return metrics.json()
    },
    observe(end) {
      logRequest(end)
      countRequest(end)
    },
    async close() {
      await upkeep?.close()
      await lake.close()
      log.close()
      return []
    },
  }
}

function reportUpkeep(log: Log, { lake: { snapshotRetention: retention } }: Config): UpkeepOptions {
  return {
    retention,
    onDone({ table, compacted, expired }) {
      if (compacted.commits + expired.snapshots_removed > 0)
        log.info('table kept in order', { table, ...compacted, ...expired })
    },
    onFailed: ({ table, error }) => log.error('table could not be kept in order', { table, error }),
  }
}
