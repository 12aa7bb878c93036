// The real contract answered with one fixed row of everything, so that its doors can be judged without engines.
import type { Handlers } from '../../src/contract/capability.ts'
import type { Column, ColumnBatch } from '../../src/contract/columns.ts'
import type { K2 } from '../../src/contract/index.ts'
import { quotes, TABLES, trades, type ColumnSpec, type TableSpec } from '../../src/contract/tables.ts'
import { plainBars } from './plain-bars.ts'
import { plainReads } from './plain-reads.ts'
import { plainFiles, plainSql } from './plain-sql.ts'
import { plainReplay } from './plain-replay.ts'
import { plainStream, plainWriter } from './plain-stream.ts'

const AT = '2026-03-02T00:41:22.118304Z'
const AT_MICROS = 1_772_412_082_118_304

export function plainHandlers(): Handlers<K2> {
  const answer = <D>(data: D) => ({ data, query })
  const status = {
    running: false,
    seed: 1,
    rate: 1,
    speed: 1,
    messages: 0,
    actual_rate: 0,
    why: null,
    market_time: null,
  }
  return {
    'system.health': () => ({
      status: 'healthy',
      dependencies: [{ name: 'tail', healthy: true, latency_ms: 0.1, why: null }],
    }),
    'system.live': () => ({ status: 'alive', uptime_seconds: 1.5 }),
    'system.about': () => ({
      name: 'K2 Workstation',
      version: '0.0.0',
      environment: 'test',
      started_at: AT,
      log: 'embedded',
    }),
    'stats.get': () => ({
      tail: { trades: tail, quotes: tail },
      tables: null,
      writer: plainWriter,
      processes: [process],
    }),
    'config.get': () => [],
    'trades.recent': () => answer(oneRow(trades)),
    'quotes.recent': () => answer(oneRow(quotes)),
    'receipts.read': () => answer(oneRow(trades)),
    'symbols.list': () => answer([symbol]),
    async *'tail.follow'({ data_type }) {
      yield { rows: oneRow(data_type === 'trades' ? trades : quotes), cursor: '1:1', missed: 0, newest_at: AT }
    },
    'lake.init': () => [{ table: 'trades', state: 'there', rows: 1, files: 1, location: 'file:///lake/trades' }],
    'snapshots.list': () => answer([snapshot]),
    'snapshots.current': () => answer(snapshot),
    'snapshots.diff': ({ table }) => answer({ added: 1, removed: 0, rows: oneDifference(TABLES[table]) }),
    'lake.tag': ({ table, name }) => ({ table, name, snapshot_id: snapshot.snapshot_id }),
    'lake.rollback': ({ table, snapshot_id }) => ({
      table,
      snapshot_id: snapshot.snapshot_id,
      rolled_back_to: snapshot_id,
      rows_before: 2,
      rows_after: 1,
      offsets: null,
    }),
    'lake.compact': () => [{ table: 'trades', ...compacted }],
    'lake.expire': () => [
      { table: 'trades', snapshots_removed: 1, snapshots_kept: 1, files_removed: 2, bytes_removed: 2000 },
    ],
    'lake.orphans': () => [],
    'lake.verify': () => ({
      status: 'sound',
      tables: [{ table: 'trades', snapshots: 1, manifests: 1, files: 1, rows: 1, bytes: 1000 }],
      problems: [],
    }),
    async *'ingest.load'({ files }) {
      yield { file: files[0], state: 'loaded', ...loaded }
    },
    ...plainStream(AT, query),
    ...plainReads(AT, query, oneRow),
    ...plainBars(AT, query, oneRow),
    ...plainSql(query),
    ...plainFiles,
    ...plainReplay(AT, query, oneRow),
    'demo.start': () => status,
    'demo.stop': () => status,
    'demo.status': () => status,
  }
}

function oneDifference(table: TableSpec): ColumnBatch {
  const { rowCount, columns } = oneRow(table)
  const change: Column = { type: 'enum', values: Uint8Array.of(0), words: ['added'] }
  return { rowCount, columns: { change, ...columns } }
}

/** Every second optional column is null. */
export function oneRow({ columns }: TableSpec): ColumnBatch {
  const entries = columns.map((spec, i) => {
    const column = oneCell(spec)
    return [spec.name, spec.required || i % 2 === 0 ? column : { ...column, nulls: Uint8Array.of(1) }]
  })
  return { rowCount: 1, columns: Object.fromEntries(entries) as Record<string, Column> }
}

function oneCell({ name, type, values = [name] }: ColumnSpec): Column {
  switch (type) {
    case 'timestamp':
      return { type, values: Float64Array.of(AT_MICROS) }
    case 'decimal':
      return { type, scale: 8, values: BigInt64Array.of(123_456_789_012_345_678n) }
    case 'long':
      return { type, values: BigInt64Array.of(2n ** 60n) }
    case 'list':
      return { type, values: Uint8Array.of(0), words: [['XT', 'CX']] }
    case 'map':
      return { type, values: Uint8Array.of(0), words: [{ venue: 'C' }] }
    case 'int':
      return { type, values: Int32Array.of(7) }
    case 'date':
      return { type, values: Int32Array.of(16_139) }
    case 'boolean':
      return { type, values: Uint8Array.of(1) }
    case 'bytes':
      return { type, values: Uint8Array.of(0), words: ['SzI='] }
    default:
      return { type, values: Uint8Array.of(0), words: [values[0]] }
  }
}

const query = {
  ms: 0.1,
  engine: 'tail' as const,
  snapshot_id: null,
  sources: { tail: { rows: 1, ms: 0.1 } },
  watermark: AT,
  freshness_ms: 12,
  partial: true,
  why: 'Only the tail was read.',
}

const symbol = {
  symbol: 'BHP',
  exchange: 'ASX',
  asset_class: 'equities' as const,
  first_seen: AT,
  last_seen: AT,
  trades: 1,
  quotes: 1,
  company_name: null,
}

const snapshot = {
  snapshot_id: '8123456789012345678',
  committed_at: AT,
  operation: 'append' as const,
  refs: ['main'],
  added_rows: 1,
  deleted_rows: 0,
  total_rows: 1,
  added_files: 1,
  deleted_files: 0,
  total_files: 1,
  valid_through: AT,
  sequence_number: 1,
  parent_id: null,
  commit_id: null,
  offsets: [{ cluster: 'c', epoch: 'e', topic: 'market.equities.trades.asx', next: { 0: 1 } }],
}

const loaded = {
  rows: 10,
  bad_rows: 0,
  bytes_read: 1000,
  bytes_total: 1000,
  rows_per_second: 10_000,
  seconds_left: 0,
  snapshot_id: snapshot.snapshot_id,
}

const compacted = {
  partitions: 1,
  files_before: 2,
  files_after: 1,
  rows: 10,
  bytes_before: 2000,
  bytes_after: 1000,
  commits: 1,
  snapshot_id: snapshot.snapshot_id,
}

const tail = {
  is_running: true,
  symbols_count: 1,
  total_messages: 1,
  held_messages: 1,
  buffer_minutes: 0.5,
  bytes: 200,
  oldest: AT,
  newest: AT,
  rate_per_second: 0.5,
  undecodable: 0,
  duplicates: 0,
  skipped: 0,
  evicted_uncommitted: 0,
  trouble: null,
  partitions: [
    {
      topic: 'market.equities.trades.asx',
      partition: 0,
      first_offset: '0',
      next_offset: '1',
      committed_offset: null,
      lag: 0,
    },
  ],
}

const process = { name: 'main', pid: 1, resident_mb: 90, loop_delay_p99_ms: 1.5, restarts: 0 }
