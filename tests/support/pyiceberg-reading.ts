// A table read by the lake's planner and its SQL, whatever its columns are, so that the judge can be asked the same.
import type { DuckDBConnection } from '@duckdb/node-api'
import {
  currentSchema,
  headOf,
  schemaOf,
  snapshotOf,
  type TableMetadata,
} from '../../src/main/lake/iceberg/metadata.ts'
import type { FileIO } from '../../src/main/lake/io/file-io.ts'
import { createManifestCache } from '../../src/main/lake/read/manifest-cache.ts'
import { planScan, type ScanPlan } from '../../src/main/lake/read/plan-scan.ts'
import { openScan } from '../../src/main/lake/read/scan.ts'
import { digestQuery, type Digest } from './pyiceberg-digest.ts'
import { filterOf, type AskedFilter } from './pyiceberg-filter.ts'

export interface Asked {
  snapshotId?: string
  filter?: AskedFilter
  columns?: string[]
}

const cache = createManifestCache({ maxBytes: 50_000_000 })

/** Undefined for a table without a snapshot: there is nothing to plan. */
async function planAsked(io: FileIO, metadata: TableMetadata, asked: Asked): Promise<ScanPlan | undefined> {
  const head = headOf(metadata)
  const snapshotId = asked.snapshotId ?? head?.['snapshot-id']
  if (snapshotId === undefined) return undefined
  const snapshot = snapshotOf(metadata, snapshotId)!
  const filter = filterOf(
    snapshot === head ? currentSchema(metadata) : schemaOf(metadata, snapshot),
    asked.filter ?? [],
  )
  return planScan({ metadata, snapshotId, filter, io, cache, columns: asked.columns })
}

export interface Reading {
  rows: Digest
  /** Places, in order. */
  files: string[]
  deletes: string[]
}

const NOTHING: Reading = { rows: { rows: 0, checksum: '0'.repeat(32), sums: {} }, files: [], deletes: [] }

/** The rows that pass, and the files they were looked for in. */
export async function readAsked(
  connection: DuckDBConnection,
  io: FileIO,
  metadata: TableMetadata,
  asked: Asked = {},
): Promise<Reading> {
  const plan = await planAsked(io, metadata, asked)
  if (!plan) return NOTHING
  const deletes = plan.files.flatMap(({ deletes }) => deletes.map(({ path }) => path))
  const scan = await openScan({ plan, io, connection })
  try {
    return {
      rows: await digestQuery(connection, scan.sql(asked.columns)),
      files: plan.files.map(({ file }) => file.path).sort(),
      deletes: [...new Set(deletes)].sort(),
    }
  } finally {
    scan.release()
  }
}
