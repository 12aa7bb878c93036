import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import { TABLES, type TableId } from '../../src/contract/tables.ts'
import { commitChange } from '../../src/main/lake/commit/commit-change.ts'
import { headOf } from '../../src/main/lake/iceberg/metadata.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../src/main/lake/maintain/expire-snapshots.ts'
import { OFFSETS_KEY } from '../../src/main/lake/offsets.ts'
import { planScan } from '../../src/main/lake/read/plan-scan.ts'
import { scanBatches } from '../../src/main/lake/read/scan.ts'
import { rollBack } from '../../src/main/lake/travel/roll-back.ts'
import { tagSnapshot } from '../../src/main/lake/travel/tag-snapshot.ts'
import { verifyTable } from '../../src/main/lake/verify/verify-table.ts'
import { stageBatches } from '../../src/main/lake/write/stage-batches.ts'
import { oddBatch } from '../support/pyiceberg-batches.ts'
import { digestBatches, type Digest } from '../support/pyiceberg-digest.ts'
import type { AskedFilter } from '../support/pyiceberg-filter.ts'
import { LAKE_KINDS, needsOf, openJudgedLake, type JudgedLake } from '../support/pyiceberg-lake.ts'
import { anyFilter } from '../support/pyiceberg-random-filter.ts'
import { readAsked, type Asked, type Reading } from '../support/pyiceberg-reading.ts'
import { startJudge, type Judge } from '../support/pyiceberg.ts'

/** What is wrong, and how much was looked at. */
interface Checked {
  complaints: string[]
  seen: Record<string, number>
}

const TABLE_IDS = Object.keys(TABLES) as TableId[]
const nameOf = (id: TableId) => `market_data.${id}`
const columnsOf = (id: TableId) => TABLES[id].columns.map(({ name }) => name)

const FILTERS: AskedFilter[] = [
  [{ column: 'symbol', op: '=', value: 'BHP' }],
  [{ column: 'symbol', op: '=', value: '株式会社' }],
  [{ column: 'symbol', op: 'in', values: ['RIO', 'O\'Neil "x"\\', 'NOT THERE'] }],
  [{ column: 'symbol', op: '>', value: 'Z' }],
  [
    { column: 'exchange_timestamp', op: '>=', value: '2014-03-11T00:00:00+00:00' },
    { column: 'exchange_timestamp', op: '<', value: '2014-03-12T00:00:00+00:00' },
  ],
  [
    { column: 'exchange_timestamp', op: '>=', value: '2014-03-12T01:00:00.000001+00:00' },
    { column: 'exchange_timestamp', op: '<', value: '2014-03-12T01:30:00+00:00' },
    { column: 'symbol', op: '=', value: 'RIO' },
  ],
  [{ column: 'exchange_timestamp', op: '<', value: '1970-01-01T00:00:00+00:00' }],
  [{ column: 'exchange_timestamp', op: '>', value: '2100-01-01T00:00:00+00:00' }],
  [{ column: 'price', op: '>=', value: '9999999999.99999999' }],
  [{ column: 'price', op: '<', value: '-0.00000001' }],
  [{ column: 'quantity', op: '=', value: '36.67' }],
  [{ column: 'exchange', op: '=', value: 'ASX' }],
  [{ column: 'side', op: 'is null' }],
  [{ column: 'source_sequence', op: '=', value: '9223372036854775807' }],
  [{ column: 'source_sequence', op: '>', value: '9007199254740993' }],
  [{ column: '_partition', op: '<=', value: '-2147483648' }],
  [{ column: 'message_id', op: '=', value: 'message_id-1234' }],
]

for (const kind of LAKE_KINDS) {
  const { skip, because } = needsOf(kind)
  describe.skipIf(skip)(`our tables in ${kind}, judged by PyIceberg${because}`, { timeout: 120_000 }, () => {
    let judge: Judge
    let judged: JudgedLake
    let connection: DuckDBConnection
    /** What every table must hold, as it was given to the writer. */
    const given = new Map<TableId, ColumnBatch[]>()

    beforeAll(async () => {
      judge = await startJudge()
      judged = await openJudgedLake(kind, judge)
      connection = await judged.lake.duck.connect()
    })
    afterAll(async () => {
      await judged.close()
      await judge.close()
    })

    const metadataOf = async (id: TableId) => (await judged.lake.table(id).load()).metadata
    const ask = <T>(question: string, id: TableId, more: object = {}) =>
      judged.ask<T>(question, { table: nameOf(id), ...more })

    async function append(id: TableId, specId: number, batches: ColumnBatch[]) {
      await judged.append(id, specId, batches)
      given.set(id, [...(given.get(id) ?? []), ...batches])
    }

    /** Through the lake's own reading, into column batches. */
    async function readBack(id: TableId): Promise<Digest> {
      const { io, cache } = judged.lake
      const metadata = await metadataOf(id)
      const snapshotId = headOf(metadata)!['snapshot-id']
      const plan = await planScan({ metadata, snapshotId, filter: [], io, cache })
      return digestBatches(scanBatches({ plan, io, connection }), columnsOf(id))
    }

    async function expectSame(id: TableId, { snapshotId, ...asked }: Asked = {}): Promise<Digest> {
      const metadata = await metadataOf(id)
      const about = JSON.stringify({ id, snapshotId, ...asked })
      const expected = await ask<Reading>('read', id, { snapshot_id: snapshotId, ...asked })
      const found = await readAsked(connection, judged.lake.io, metadata, { snapshotId, ...asked })
      expect({ about, ...found }).toEqual({ about, ...expected })
      return expected.rows
    }

    it.each(TABLE_IDS)('hold exactly what was written, at every snapshot: %s', async id => {
      const { partitionSpecs } = judged.lake.table(id).definition
      const specs = [0, partitionSpecs.length - 1, 0]
      const atSnapshots: Digest[] = []
      for (const [turn, specId] of specs.entries()) {
        const batches = [0, 1].map(part => oddBatch(TABLES[id], turn * 1000 + part * 200, 200))
        await append(id, specId, batches)
        const expected = await digestBatches(given.get(id)!, columnsOf(id))
        expect(await expectSame(id)).toEqual(expected)
        expect(await readBack(id)).toEqual(expected)
        atSnapshots.push(expected)
      }
      const { snapshots } = await metadataOf(id)
      for (const [turn, expected] of atSnapshots.slice(0, -1).entries())
        expect(await expectSame(id, { snapshotId: snapshots[turn]['snapshot-id'] })).toEqual(expected)
    })

    it.each(TABLE_IDS)('have manifests that tell the truth about files, and files in order: %s', async id => {
      const { complaints, seen } = await ask<Checked>('check_files', id)
      expect(complaints).toEqual([])
      expect(seen.files).toBeGreaterThan(2)
      expect(Math.min(seen.bounds, seen.counts, seen.sorted)).toBeGreaterThan(2)
      if (id !== 'reference_data') expect(seen.partitions).toBeGreaterThanOrEqual(seen.files)
    })

    it('are pruned to the same files under filters', async () => {
      const all = await expectSame('trades')
      const left = []
      for (const filter of FILTERS) left.push((await expectSame('trades', { filter })).rows)
      expect(Math.max(...left)).toBeLessThan(all.rows)
      expect(left.filter(rows => rows > 0).length).toBeGreaterThan(FILTERS.length / 2)
    })

    it('give the same rows under any filter, out of all the files that PyIceberg reads', async () => {
      const metadata = await metadataOf('trades')
      const law = fc.asyncProperty(anyFilter, async filter => {
        const expected = await ask<Reading>('read', 'trades', { filter })
        const found = await readAsked(connection, judged.lake.io, metadata, { filter })
        expect(found.rows).toEqual(expected.rows)
        // A few more are read by `<` and `>` of a text that is itself a bound: about 2 of 500 such filters.
        expect(expected.files.filter(file => !found.files.includes(file))).toEqual([])
      })
      await fc.assert(law, { numRuns: kind === 'sqlite' ? 60 : 10 })
    })

    it('are read in the columns asked for', async () => {
      await expectSame('quotes', { columns: ['ask_price', 'symbol', 'vendor_data'] })
    })

    it('have snapshots, files and manifests that PyIceberg sees as we do', async () => {
      const metadata = await metadataOf('trades')
      const head = headOf(metadata)!
      const theirs = await ask<{ id: string; summary: Record<string, string> }[]>('snapshots', 'trades')
      const ours = metadata.snapshots.map(({ summary: { operation, ...summary }, ...snapshot }) => ({
        id: snapshot['snapshot-id'],
        parent: snapshot['parent-snapshot-id'] ?? null,
        sequence: snapshot['sequence-number'],
        timestamp_ms: snapshot['timestamp-ms'],
        operation,
        summary,
      }))
      expect(theirs).toEqual(ours)

      const inspect = (what: string) => ask<Record<string, unknown>[]>('inspect', 'trades', { what })
      const files = await inspect('files')
      const sum = (rows: Record<string, unknown>[], key: string) => rows.reduce((all, row) => all + Number(row[key]), 0)
      expect(String(files.length)).toBe(head.summary['total-data-files'])
      expect(String(sum(files, 'record_count'))).toBe(head.summary['total-records'])
      expect(String(sum(files, 'file_size_in_bytes'))).toBe(head.summary['total-files-size'])
      const manifests = await inspect('manifests')
      expect(sum(manifests, 'added_data_files_count') + sum(manifests, 'existing_data_files_count')).toBe(files.length)
      expect(sum(await inspect('partitions'), 'record_count')).toBe(sum(files, 'record_count'))
      expect((await inspect('history')).length).toBe(metadata.snapshots.length)
      expect((await inspect('metadata_log_entries')).length).toBe(metadata['metadata-log'].length + 1)
    })

    it('are appended to and deleted from by PyIceberg, then by us again', async () => {
      const bhp: AskedFilter = [{ column: 'symbol', op: '=', value: 'BHP' }]
      const before = await expectSame('trades')
      const copies = await ask<number>('append_copies', 'trades', { filter: bhp, changes: { symbol: 'FROM PYTHON' } })
      expect(copies).toBeGreaterThan(0)
      expect((await expectSame('trades')).rows).toBe(before.rows + copies)

      const gone: AskedFilter = [{ column: 'symbol', op: '=', value: 'RIO' }]
      const { rows: rio } = await ask<Digest>('scan', 'trades', { filter: gone })
      await ask('delete_rows', 'trades', { filter: gone })
      expect((await expectSame('trades')).rows).toBe(before.rows + copies - rio)

      await judged.append('trades', 1, [oddBatch(TABLES.trades, 5000, 300)])
      expect((await expectSame('trades')).rows).toBe(before.rows + copies - rio + 300)
      const { complaints } = await ask<Checked>('check_files', 'trades')
      expect(complaints).toEqual([])
      for (const filter of FILTERS.slice(0, 6)) await expectSame('trades', { filter })
    })

    it('keep the offsets of the log through a commit of PyIceberg', async () => {
      const offsets = (next: number) => [{ cluster: 'c', epoch: '1', topic: 't', next: { 0: next } }]
      const batches = [oddBatch(TABLES.quotes, 6000, 10)]
      await judged.append('quotes', 0, batches, { offsets: { from: [], to: offsets(10) } })
      await ask('append_copies', 'quotes', { filter: [], changes: {} })
      expect(headOf(await metadataOf('quotes'))!.summary).not.toHaveProperty([OFFSETS_KEY])
      await judged.append('quotes', 0, batches, { offsets: { from: offsets(10), to: offsets(20) } })
      expect(JSON.parse(headOf(await metadataOf('quotes'))!.summary[OFFSETS_KEY])).toEqual(offsets(20))
      await expect(
        judged.append('quotes', 0, batches, { offsets: { from: offsets(10), to: offsets(30) } }),
      ).rejects.toMatchObject({ code: 'FENCED' })
    })

    it('are tagged by either and rolled back by us', async () => {
      const metadata = await metadataOf('reference_data')
      const [first, second] = metadata.snapshots.map(snapshot => snapshot['snapshot-id'])
      await tagSnapshot(judged.lake.table('reference_data'), 'ours', first)
      await ask('tag', 'reference_data', { name: 'theirs', snapshot_id: second })
      const main = headOf(metadata)!['snapshot-id']
      const expected = { ours: { id: first, type: 'tag' }, theirs: { id: second, type: 'tag' } }
      expect(await ask('refs', 'reference_data')).toEqual({ ...expected, main: { id: main, type: 'branch' } })
      expect((await metadataOf('reference_data')).refs).toMatchObject({ theirs: { 'snapshot-id': second } })

      const then = await ask<Digest>('scan', 'reference_data', { snapshot_id: first })
      await rollBack(judged.lake.table('reference_data'), first)
      expect(await expectSame('reference_data')).toEqual(then)
      const { complaints } = await ask<Checked>('check_files', 'reference_data')
      expect(complaints).toEqual([])
    })

    it('take a column that PyIceberg added, and go on being written', async () => {
      await ask('add_column', 'sequence_gaps', { name: 'reviewed_by', type: 'string' })
      await judged.append('sequence_gaps', 0, [oddBatch(TABLES.sequence_gaps, 7000, 50)])
      await ask('append_copies', 'sequence_gaps', { filter: [], changes: { reviewed_by: 'Ann' } })
      await expectSame('sequence_gaps')
      await expectSame('sequence_gaps', { filter: [{ column: 'reviewed_by', op: '=', value: 'Ann' }] })
      await expectSame('sequence_gaps', { filter: [{ column: 'reviewed_by', op: 'is null' }] })
    })

    it('hold the same rows after compaction and expiry, in order again, and stand up to our own check', async () => {
      const { lake } = judged
      const table = lake.table('trades')
      const before = await expectSame('trades')
      await compactTable(lake, table, { minFiles: 2 })
      expect(await expectSame('trades')).toEqual(before)
      await expireSnapshots(table, { retention: { keep: [], most: 1 } })
      expect((await metadataOf('trades')).snapshots).toHaveLength(1)
      expect(await expectSame('trades')).toEqual(before)
      const { complaints } = await ask<Checked>('check_files', 'trades')
      expect(complaints).toEqual([])
      expect((await verifyTable(lake, table, { quick: false })).problems).toEqual([])
    })

    it('take the commits of both at once', async () => {
      const seed = { reason: 'seed' }
      const rounds = 5
      await ask('append_copies', 'dead_letters', {
        filter: [{ column: 'error', op: '=', value: 'plain' }],
        changes: seed,
      })
      const { rows } = await expectSame('dead_letters')
      const filter: AskedFilter = [{ column: 'reason', op: '=', value: 'seed' }]
      const { rows: copies } = await ask<Digest>('scan', 'dead_letters', { filter })
      expect(copies).toBeGreaterThan(0)
      const theirs = async () => {
        for (let round = 0; round < rounds; round++)
          await ask('append_copies', 'dead_letters', { filter, changes: { reason: 'copied' } })
      }
      const ours = async () => {
        for (let round = 0; round < rounds; round++)
          await judged.append('dead_letters', 0, [oddBatch(TABLES.dead_letters, 8000 + round * 10, 10)])
      }
      await Promise.all([theirs(), ours()])
      expect((await expectSame('dead_letters')).rows).toBe(rows + rounds * (copies + 10))
    })

    it('would not pass with a file that is told of wrongly', async () => {
      const { lake } = judged
      const table = lake.table('sequence_gaps')
      const { metadata } = await table.load()
      const batches = [oddBatch(TABLES.sequence_gaps, 9000, 40)]
      const { spec } = table.definition
      const [file, ...rest] = await stageBatches({ connection, io: lake.io, metadata, specId: 0, spec, batches })
      const wrong = { ...file, recordCount: file.recordCount + 1, lowerBounds: new Map([[2, Buffer.from('zz')]]) }
      await commitChange(table, { operation: 'append', added: [wrong, ...rest] })
      const { complaints } = await ask<Checked>('check_files', 'sequence_gaps')
      expect(complaints).toEqual([
        expect.stringMatching(/has \d+ rows, not/),
        expect.stringMatching(/symbol has the bound/),
      ])
      expect((await verifyTable(lake, table, { quick: false })).problems).not.toEqual([])
    })
  })
}
