// A lake over each pair of catalog and store, with what the judge and DuckDB need to open the same tables.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import type { TableId } from '../../src/contract/tables.ts'
import { commitChange, type Committed } from '../../src/main/lake/commit/commit-change.ts'
import type { Change } from '../../src/main/lake/commit/change.ts'
import { openLake, type Lake, type LakeOptions } from '../../src/main/lake/lake.ts'
import { stageBatches } from '../../src/main/lake/write/stage-batches.ts'
import { startIcebergRest } from './iceberg-rest.ts'
import { needs, type Need, type Needed } from './needs.ts'
import type { Judge } from './pyiceberg.ts'
import { openS3Server } from './s3-server.ts'

export const LAKE_KINDS = ['sqlite', 'rest', 'rest and S3'] as const
export type LakeKind = (typeof LAKE_KINDS)[number]

const NEEDS: Record<LakeKind, Need[]> = {
  sqlite: ['pyiceberg'],
  rest: ['pyiceberg', 'iceberg-rest'],
  'rest and S3': ['pyiceberg', 'iceberg-rest', 's3'],
}

/** Of the judge and of the servers together. */
export function needsOf(kind: LakeKind): Needed {
  const all = NEEDS[kind].map(needs)
  return { skip: all.some(({ skip }) => skip), because: all.map(({ because }) => because).join('') }
}

export interface JudgedLake {
  lake: Lake
  /** For the judge: PyIceberg's settings of the same catalog. */
  catalog: Record<string, string>
  ask: <T>(question: string, args: object) => Promise<T>
  append: (id: TableId, specId: number, batches: ColumnBatch[], change?: Partial<Change>) => Promise<Committed>
  restUrl: string | undefined
  /** With which DuckDB's own reader gets at the store, where it needs to be told. */
  duckSecret: string | undefined
  close: () => Promise<void>
}

export async function openJudgedLake(
  kind: LakeKind,
  judge: Judge,
  { isLongLived = false }: { isLongLived?: boolean } = {},
): Promise<JudgedLake> {
  const folder = mkdtempSync(join(tmpdir(), 'k2-judged-'))
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const each of closers.splice(0).reverse()) await each()
  }
  try {
    const { options, catalog, restUrl, duckSecret } = await prepare(kind, { folder, isLongLived }, closers)
    const lake = await openLake({ ...options, tempFolder: join(folder, 'spill'), threads: 2, memoryMb: 500 })
    closers.push(lake.close)
    await lake.init()
    const ask = <T>(question: string, args: object) => judge.ask<T>(question, { catalog, ...args })
    const append = appendTo(lake)
    return { lake, catalog, ask, append, restUrl, duckSecret, close }
  } catch (error) {
    await close()
    throw error
  }
}

type Prepared = Pick<JudgedLake, 'catalog'> & {
  restUrl?: string
  duckSecret?: string
  options: Omit<LakeOptions, 'tempFolder'>
}

async function prepare(
  kind: LakeKind,
  { folder, isLongLived }: { folder: string; isLongLived: boolean },
  closers: (() => unknown)[],
): Promise<Prepared> {
  const warehouse = join(folder, 'warehouse')
  if (kind === 'sqlite') {
    const file = join(warehouse, 'catalog.db')
    const catalog = { name: 'k2', type: 'sql', uri: `sqlite:///${file}`, warehouse: `file://${warehouse}` }
    return { options: { warehouse, catalog: { kind: 'sqlite', file }, s3: {} }, catalog }
  }
  if (kind === 'rest') {
    const rest = await startIcebergRest({ warehouse, isLongLived })
    closers.push(() => rest.stop())
    const options: Prepared['options'] = { warehouse, catalog: { kind: 'rest', url: rest.url }, s3: {} }
    return { options, catalog: { type: 'rest', uri: rest.url }, restUrl: rest.url }
  }
  const server = await openS3Server()
  closers.push(server.close)
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = server
  const s3Warehouse = `s3://${bucket}/warehouse`
  const s3 = { endpoint, region, accessKey: accessKeyId, secretKey: secretAccessKey }
  const rest = await startIcebergRest({ warehouse: s3Warehouse, s3, isLongLived })
  closers.push(() => rest.stop())
  return {
    options: {
      warehouse: s3Warehouse,
      catalog: { kind: 'rest', url: rest.url },
      s3: {
        ...{ endpoint, region, pathStyle: true, cacheFolder: join(folder, 'cache') },
        credentials: { accessKeyId, secretAccessKey },
      },
    },
    catalog: {
      type: 'rest',
      uri: rest.url,
      's3.endpoint': endpoint,
      's3.region': region,
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
    },
    restUrl: rest.url,
    duckSecret:
      `CREATE OR REPLACE SECRET (TYPE s3, KEY_ID '${accessKeyId}', SECRET '${secretAccessKey}', REGION '${region}', ` +
      `ENDPOINT '${endpoint.replace('http://', '')}', URL_STYLE 'path', USE_SSL false)`,
  }
}

function appendTo(lake: Lake): JudgedLake['append'] {
  return async (id, specId, batches, change) => {
    const table = lake.table(id)
    const { metadata } = await table.load()
    const connection = await lake.duck.connect()
    const { spec } = table.definition
    const added = await stageBatches({ connection, io: lake.io, metadata, specId, spec, batches })
    return commitChange(table, { operation: 'append', added, ...change })
  }
}
