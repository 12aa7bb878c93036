// The historical half, composed: the lake and what is loaded into it. Runs in a process of its own.
import { join } from 'node:path'
import { z } from 'zod'
import { call } from '../contract/capability.ts'
import { contract } from '../contract/index.ts'
import type { ColumnBatch } from '../contract/columns.ts'
import { TABLES, type TableId } from '../contract/tables.ts'
import { systemClock } from './base/clock.ts'
import { createLog, logRequests, type Log } from './base/log.ts'
import type { Config } from './config/settings.ts'
import type { Engines } from './host/engine-dispatch.ts'
import { streamBatches } from './duck/read-batch.ts'
import { lakeHandlers } from './lake/handlers.ts'
import { headOf } from './lake/iceberg/metadata.ts'
import { openLake, type CatalogOptions, type Lake, type LakeOptions } from './lake/lake.ts'
import { loadFile } from './lake/load/load-file.ts'
import { startUpkeep, type UpkeepOptions } from './lake/maintain/upkeep.ts'
import { NAMESPACE } from './lake/tables.ts'
import { countRequests } from './metrics/count-requests.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
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

/** For sorting what is written; the rest of the 2 GB that the whole app may take belongs to tail and queries. */
const WRITER_MEMORY_MB = 384

export interface HistoryOptions {
  config: Config
  /** Where the log file goes; none when left out. */
  logFolder?: string
}

export async function startHistory({ config, logFolder }: HistoryOptions): Promise<Engines<typeof historyContract>> {
  const log = createLog({ ...config.log, environment: config.environment, service: 'k2-history', folder: logFolder })
  const metrics = createMetrics({ environment: config.environment, service: 'k2-history' })
  const lake = await openLake(lakeOptions(config))
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

function lakeOptions({ lake, catalog, s3, tls, profile }: Config): LakeOptions {
  const { warehouse } = lake
  const { endpoint, region, pathStyle, accessKey, secretKey, sessionToken } = s3
  const { caFile } = tls
  // The configuration has both keys or none.
  const credentials =
    accessKey && secretKey ? { accessKeyId: accessKey, secretAccessKey: secretKey, sessionToken } : undefined
  return {
    warehouse: warehouse.kind === 'folder' ? warehouse.path : `s3://${warehouse.bucket}/${warehouse.prefix}`,
    catalog: catalogOptions(),
    s3: { endpoint, region, pathStyle, caFile, credentials, cacheFolder: join(profile, 'cache', 's3') },
    tempFolder: join(profile, 'cache', 'spill'),
    memoryMb: WRITER_MEMORY_MB,
  }

  function catalogOptions(): CatalogOptions {
    if (catalog.at.kind === 'rest') {
      const { token, credential, warehouse: name } = catalog
      return { kind: 'rest', url: catalog.at.url, token, credential, warehouse: name, caFile }
    }
    const folder = warehouse.kind === 'folder' ? warehouse.path : profile
    return { kind: 'sqlite', file: join(folder, 'catalog.db') }
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

async function fillLakeMetrics(metrics: Metrics, lake: Lake): Promise<void> {
  const names = await lake.catalog.listTables(NAMESPACE)
  const ours = (Object.keys(TABLES) as TableId[]).filter(id => names.some(({ name }) => name === id))
  const tables = await Promise.all(ours.map(async id => (await lake.table(id).load()).metadata))
  const total = (key: string) => tables.reduce((sum, one) => sum + Number(headOf(one)?.summary[key] ?? 0), 0)
  metrics.set('k2_iceberg_table_size_bytes', total('total-files-size'))
  metrics.set('k2_iceberg_data_files', total('total-data-files'))
  metrics.set(
    'k2_iceberg_snapshot_count',
    tables.reduce((sum, { snapshots }) => sum + snapshots.length, 0),
  )
}
