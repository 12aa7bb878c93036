// The lake's slice of the contract.
import type { Context, Handlers } from '../../contract/capability.ts'
import { timestampText } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import type { QueryMeta } from '../../contract/fields.ts'
import type { lake as lakeContract } from '../../contract/lake.ts'
import { TABLES, type TableId } from '../../contract/tables.ts'
import { headOf, type Snapshot } from './iceberg/metadata.ts'
import type { Lake } from './lake.ts'
import { compactTable } from './maintain/compact-table.ts'
import { expireSnapshots, type Retention } from './maintain/expire-snapshots.ts'
import { findOrphans } from './maintain/orphans.ts'
import type { Filter } from './read/filter.ts'
import { resolveSnapshot } from './read/resolve-snapshot.ts'
import { NAMESPACE } from './tables.ts'
import type { LakeTable } from './table.ts'
import { diffSnapshots, type Lend } from './travel/diff-snapshots.ts'
import { currentSnapshot, listSnapshots, shownOffsets } from './travel/list-snapshots.ts'
import { rollBack } from './travel/roll-back.ts'
import { removeTag, tagSnapshot } from './travel/tag-snapshot.ts'
import { verifyTable } from './verify/verify-table.ts'

const MS_PER_HOUR = 3_600_000
/** When a row was, as sessions have it that stand at a time. */
const TIMES: Record<TableId, string> = {
  trades: 'exchange_timestamp',
  quotes: 'exchange_timestamp',
  reference_data: 'ingestion_timestamp',
  sequence_gaps: 'detected_at',
  dead_letters: 'detected_at',
}

type Diff = Handlers<typeof lakeContract>['snapshots.diff']

export interface LakeHandlers extends Handlers<typeof lakeContract> {
  /** Only rows from before `untilMicros`. */
  'snapshots.diff': (input: Parameters<Diff>[0], context: Context, untilMicros?: number) => ReturnType<Diff>
}

export interface LakeSettings {
  retention: Retention
  /** Connections for reading many rows, each for a time only; without a limit when left out. */
  lend?: Lend
}

export function lakeHandlers(lake: Lake, settings: LakeSettings): LakeHandlers {
  /** One, or all that are there; where there is none, the first one says what to do. */
  async function chosen(id?: TableId): Promise<LakeTable[]> {
    if (id) return [lake.table(id)]
    const names = await lake.catalog.listTables(NAMESPACE)
    const there = (Object.keys(TABLES) as TableId[]).filter(one => names.some(({ name }) => name === one))
    return (there.length > 0 ? there : (['trades'] as const)).map(lake.table)
  }

  /** One after the other: each may take much memory. */
  async function eachTable<T>(id: TableId | undefined, work: (table: LakeTable) => Promise<T>): Promise<T[]> {
    const answers: T[] = []
    for (const table of await chosen(id)) answers.push(await work(table))
    return answers
  }

  return {
    async 'lake.init'() {
      const states = await lake.init()
      return eachTable(undefined, async table => {
        const { metadata } = await table.known()
        const total = (key: string) => Number(headOf(metadata)?.summary[key] ?? 0)
        return {
          table: table.id,
          state: states[table.id],
          rows: total('total-records'),
          files: total('total-data-files'),
          location: metadata.location,
        }
      })
    },

    async 'snapshots.list'({ table, limit }, { signal }) {
      const started = performance.now()
      const { metadata } = await lake.table(table).load(signal)
      const total = metadata.snapshots.length
      return {
        data: listSnapshots(metadata, limit),
        query: catalogMeta(headOf(metadata), started),
        pagination: { limit, has_more: total > limit, total },
      }
    },

    async 'snapshots.current'({ table }, { signal }) {
      const started = performance.now()
      const { metadata } = await lake.table(table).load(signal)
      return { data: currentSnapshot(metadata, table), query: catalogMeta(headOf(metadata), started) }
    },

    async 'snapshots.diff'({ a, b, table, limit, offset }, { signal }, untilMicros = Infinity) {
      const started = performance.now()
      const one = lake.table(table)
      const filter: Filter = Number.isFinite(untilMicros) ? [{ column: TIMES[table], op: '<', value: untilMicros }] : []
      const [from, to] = [await idOf(one, a), await idOf(one, b)]
      const question = { a: from, b: to, filter, limit, offset, signal, lend: settings.lend }
      const { data, total, head, files } = await diffSnapshots(lake, one, question)
      return {
        data,
        query: {
          ...catalogMeta(head, started),
          engine: 'lake',
          files,
          sources: { lake: { rows: data.rows.rowCount, ms: 0 } },
        },
        pagination: { limit, offset, has_more: offset + data.rows.rowCount < total, total },
      }
    },

    async 'lake.tag'({ table, name, snapshot_id, remove }) {
      if (remove && snapshot_id !== undefined)
        throw new Failure('INVALID_INPUT', 'A tag is removed by its name alone: leave the snapshot out, or --remove.')
      if (remove) await removeTag(lake.table(table), name)
      const target = snapshot_id === undefined ? undefined : await idOf(lake.table(table), snapshot_id)
      const tagged = remove ? null : await tagSnapshot(lake.table(table), name, target)
      return { table, name, snapshot_id: tagged }
    },

    async 'lake.rollback'({ table, snapshot_id, reingest }) {
      const target = await idOf(lake.table(table), snapshot_id)
      const { snapshot, before } = await rollBack(lake.table(table), target, { reingest })
      return {
        table,
        snapshot_id: snapshot['snapshot-id'],
        rolled_back_to: target,
        rows_before: Number(before?.summary['total-records'] ?? 0),
        rows_after: Number(snapshot.summary['total-records'] ?? 0),
        offsets: shownOffsets(snapshot),
      }
    },

    'lake.compact': ({ table, min_files }, { signal }) =>
      eachTable(table, async one => {
        const done = await compactTable(lake, one, { minFiles: min_files, signal })
        return { table: one.id, ...done }
      }),

    'lake.expire': ({ table, dry_run }, { signal }) =>
      eachTable(table, async one => {
        const done = await expireSnapshots(one, { retention: settings.retention, dryRun: dry_run, signal })
        return { table: one.id, ...done }
      }),

    async 'lake.orphans'({ table, older_than_hours, remove }, { signal }) {
      const found = await eachTable(table, async one => {
        const orphans = await findOrphans(one, { olderThanMs: older_than_hours * MS_PER_HOUR, signal })
        return orphans.map(orphan => ({ table: one.id, ...orphan }))
      })
      return Promise.all(
        found.flat().map(async ({ table: id, location, bytes, modifiedMs }) => {
          if (remove) await lake.io.remove(location)
          return { table: id, file: location, bytes, modified_at: timestampText(modifiedMs * 1000), removed: remove }
        }),
      )
    },

    async 'lake.verify'({ table, quick }, { signal }) {
      const reports = await eachTable(table, async one => ({
        table: one.id,
        ...(await verifyTable(lake, one, { quick, signal })),
      }))
      const problems = reports.flatMap(({ table: id, problems: found }) => found.map(one => ({ table: id, ...one })))
      return {
        status: problems.length === 0 ? 'sound' : 'unsound',
        tables: reports.map(({ table: id, snapshots, manifests, files, rows, bytes }) => ({
          table: id,
          snapshots,
          manifests,
          files,
          rows,
          bytes,
        })),
        problems,
      }
    },
  }
}

/** What a person calls a snapshot: its id, or a tag or branch that points to it. */
async function idOf(table: LakeTable, name: string): Promise<string> {
  if (/^\d+$/.test(name)) return name
  const { metadata } = await table.load()
  return resolveSnapshot(metadata, { ref: name })!['snapshot-id']
}

/** Provenance of an answer that was read from metadata alone. */
function catalogMeta(snapshot: Snapshot | undefined, started: number): QueryMeta {
  const committedAt = snapshot?.['timestamp-ms']
  return {
    ms: performance.now() - started,
    engine: 'catalog',
    snapshot_id: snapshot?.['snapshot-id'] ?? null,
    sources: {},
    watermark: committedAt === undefined ? null : timestampText(committedAt * 1000),
    freshness_ms: committedAt === undefined ? null : Date.now() - committedAt,
    partial: false,
    why: null,
  }
}
