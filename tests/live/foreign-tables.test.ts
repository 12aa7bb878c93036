import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DuckDBConnection } from '@duckdb/node-api'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../src/contract/failure.ts'
import { openDuck, type Duck } from '../../src/main/duck/open-duck.ts'
import type { Catalog } from '../../src/main/lake/catalog/catalog.ts'
import { openSqlCatalog } from '../../src/main/lake/catalog/sql.ts'
import type { TableMetadata } from '../../src/main/lake/iceberg/metadata.ts'
import { localFiles } from '../../src/main/lake/io/local.ts'
import { resolveSnapshot } from '../../src/main/lake/read/resolve-snapshot.ts'
import { needs } from '../support/needs.ts'
import type { Digest } from '../support/pyiceberg-digest.ts'
import type { AskedFilter } from '../support/pyiceberg-filter.ts'
import { readAsked, type Asked, type Reading } from '../support/pyiceberg-reading.ts'
import { startJudge, type Judge } from '../support/pyiceberg.ts'

const READ = [
  ...['every_type', 'empty', 'emptied', 'odd_properties', 'no_metrics', 'nested_grown'],
  ...['schema_evolved', 'names_swapped', 'specs_evolved'],
  ...['by_symbol', 'by_symbol_bucket', 'by_symbol_start', 'by_id_tens', 'by_id_bucket', 'by_price_bucket'],
  ...['by_price_step', 'by_hour', 'by_day', 'by_month', 'by_year', 'by_moment', 'by_moment_bucket'],
  ...['typed_flag_identity', 'typed_day_identity', 'typed_day_month', 'typed_day_year', 'typed_day_bucket'],
  ...['typed_wall_day', 'typed_wall_hour', 'typed_wall_month', 'typed_moment_day', 'typed_moment_month'],
  ...['typed_moment_year', 'typed_moment_hour', 'typed_big_identity', 'typed_big_truncate', 'typed_big_bucket'],
  ...['typed_price_identity', 'typed_price_truncate', 'typed_price_bucket', 'typed_small_truncate'],
  ...['typed_key_bucket', 'typed_bytes_bucket', 'typed_word_identity', 'typed_word_truncate', 'typed_word_bucket'],
  ...['deleted_rows', 'merged_manifests', 'tags_and_branches', 'rolled_back', 'expired_history'],
  ...['position_deletes', 'position_deletes_by_partition', 'position_deletes_evolved', 'position_deletes_many_groups'],
  ...['files_without_ids', 'partition_column_left_out'],
  ...['manifests_plain', 'manifests_zstandard', 'version_1', 'version_1_upgraded'],
  ...['parquet_snappy', 'parquet_gzip', 'parquet_zstd', 'parquet_lz4', 'parquet_uncompressed'],
]

/** What K2 does not read, and what it says then. */
const REFUSED: Record<string, RegExp> = {
  equality_deletes: /equality/i,
  version_3: /format version 3/i,
  nested_renamed: /Column book is a struct whose fields were renamed/,
  manifests_bzip2: /bzip2/i,
}

const { skip, because } = needs('pyiceberg')

describe.skipIf(skip)(`a table that PyIceberg wrote${because}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'k2-foreign-'))
  // With what a careless reader would unescape.
  const warehouse = join(folder, 'a %20 warehouse')
  const io = localFiles()
  let judge: Judge
  let duck: Duck
  let connection: DuckDBConnection
  let catalog: Catalog

  beforeAll(async () => {
    judge = await startJudge()
    duck = await openDuck({ threads: 2, memoryMb: 500 })
    connection = await duck.connect()
    catalog = openSqlCatalog({ file: join(folder, 'catalog.db'), name: 'k2', io, warehouse })
  })
  afterAll(async () => {
    await catalog.close()
    await duck.close()
    await io.close()
    await judge.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const theirs = { type: 'sql', uri: `sqlite:///${folder}/catalog.db`, warehouse: `file://${warehouse}` }
  const ask = <T>(question: string, args: object) => judge.ask<T>(question, { catalog: theirs, ...args })

  async function makeTable(name: string) {
    const { table, filters } = await ask<{ table: string; filters: AskedFilter[] }>('make_foreign', { name })
    return { table, filters, load: async () => (await catalog.loadTable({ namespace: 'foreign', name })).metadata }
  }

  /** The same rows, out of the same files. */
  async function expectSame(table: string, metadata: TableMetadata, { snapshotId, ...asked }: Asked): Promise<void> {
    const about = JSON.stringify({ table, snapshotId, ...asked })
    const expected = await ask<Reading>('read', { table, snapshot_id: snapshotId, ...asked })
    const found = await readAsked(connection, io, metadata, { snapshotId, ...asked })
    // Of a table without a row it is not known here which columns are numbers.
    if (metadata.snapshots.length === 0) expected.rows.sums = {}
    expect({ about, ...found }).toEqual({ about, ...expected })
  }

  it('is one of these', async () => {
    const names = await judge.ask<string[]>('foreign_names')
    expect([...READ, ...Object.keys(REFUSED)].sort()).toEqual(names.sort())
  })

  it.each(READ)('reads as PyIceberg reads it, at every snapshot and under filters: %s', async name => {
    const { table, filters, load } = await makeTable(name)
    const metadata = await load()
    await expectSame(table, metadata, {})
    for (const snapshot of metadata.snapshots)
      await expectSame(table, metadata, { snapshotId: snapshot['snapshot-id'] })
    for (const filter of filters) await expectSame(table, metadata, { filter })
  })

  it.each(Object.entries(REFUSED))('is refused by name where it cannot be read: %s', async (name, message) => {
    const { load } = await makeTable(name)
    const reading = load().then(metadata => readAsked(connection, io, metadata))
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toBeInstanceOf(Failure)
  })

  it('is read where what cannot be read is not asked for', async () => {
    const nested = await catalog.loadTable({ namespace: 'foreign', name: 'nested_renamed' })
    await expectSame('foreign.nested_renamed', nested.metadata, { columns: ['id'] })

    const { metadata } = await catalog.loadTable({ namespace: 'foreign', name: 'equality_deletes' })
    const rio: AskedFilter = [{ column: 'symbol', op: '=', value: 'RIO' }]
    const before = metadata.snapshots[0]['snapshot-id']
    // PyIceberg plans nothing at all once there are equality deletes, so it is asked for the snapshot before.
    const rows = await ask<Digest>('scan', { table: 'foreign.equality_deletes', filter: rio, snapshot_id: before })
    expect(rows.rows).toBeGreaterThan(0)
    expect(await readAsked(connection, io, metadata, { filter: rio })).toMatchObject({ rows, deletes: [] })
  })

  it('is read by tag and by branch', async () => {
    const { metadata } = await catalog.loadTable({ namespace: 'foreign', name: 'tags_and_branches' })
    const theirRefs = await ask<Record<string, { id: string }>>('refs', { table: 'foreign.tags_and_branches' })
    expect(Object.keys(theirRefs).sort()).toEqual(['first rows', 'main', 'second', 'what-if'])
    for (const [ref, { id }] of Object.entries(theirRefs))
      expect([ref, resolveSnapshot(metadata, { ref })?.['snapshot-id']]).toEqual([ref, id])
  })

  it.each(['rolled_back', 'deleted_rows', 'tags_and_branches'])('is read as of a moment: %s', async name => {
    const { metadata } = await catalog.loadTable({ namespace: 'foreign', name })
    const times = metadata['snapshot-log'].map(entry => entry['timestamp-ms'])
    const moments = times.flatMap(ms => [ms - 1, ms, ms + 1])
    const found = moments.map(ms => {
      try {
        return resolveSnapshot(metadata, { asOfMicros: ms * 1000 })?.['snapshot-id']
      } catch (error) {
        expect(error).toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' })
        return null
      }
    })
    expect(found).toEqual(await ask('as_of', { table: `foreign.${name}`, moments_ms: moments }))
    expect(found[0]).toBeNull()
  })

  it('is read in the columns asked for, in their order', async () => {
    const { metadata } = await catalog.loadTable({ namespace: 'foreign', name: 'schema_evolved' })
    const asked: Asked = { columns: ['market', 'id'], filter: [{ column: 'symbol_currency', op: 'is null' }] }
    await expectSame('foreign.schema_evolved', metadata, asked)
  })
})
