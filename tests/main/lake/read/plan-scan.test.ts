import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Failure } from '../../../../src/contract/failure.ts'
import type { Content, DataFile, ManifestEntry, ManifestFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import { encodeManifestList } from '../../../../src/main/lake/iceberg/manifest-list.ts'
import { encodeManifest } from '../../../../src/main/lake/iceberg/manifest.ts'
import type { PartitionSpec, Snapshot, TableMetadata } from '../../../../src/main/lake/iceberg/metadata.ts'
import type { Field, Schema } from '../../../../src/main/lake/iceberg/schema.ts'
import { summarizeManifest } from '../../../../src/main/lake/iceberg/summarize-manifest.ts'
import type { FileIO } from '../../../../src/main/lake/io/file-io.ts'
import type { Filter } from '../../../../src/main/lake/read/filter.ts'
import { createManifestCache } from '../../../../src/main/lake/read/manifest-cache.ts'
import { planScan } from '../../../../src/main/lake/read/plan-scan.ts'
import { dataFile, schema, specs, values, type SampleRow } from './sample-files.ts'

const DAY = 86_400_000_000n
const empty: SampleRow = Object.fromEntries(Object.keys(values).map(name => [name, null]))
const [plain, byDay, byDayAndBucket] = specs

/** One data file of one row. */
function data(path: string, day: number, string: string, spec: PartitionSpec = byDay): DataFile {
  return dataFile(path, [{ ...empty, timestamptz: BigInt(day) * DAY, string }], spec)
}

type Placed = DataFile | (Partial<ManifestEntry> & { file: DataFile })
interface ManifestPlan {
  spec: PartitionSpec
  files: Placed[]
  content?: 'data' | 'deletes'
  sequenceNumber?: number
}

/** A table of one snapshot of these manifests, and files that count what is read. */
function tableOf(manifests: readonly ManifestPlan[], changes: Partial<TableMetadata> = {}) {
  const stored = new Map<string, Uint8Array>()
  const lines = manifests.map(({ spec, files, content = 'data', sequenceNumber = 1 }, i): ManifestFile => {
    const entries = files.map((placed): ManifestEntry => ({
      status: 'added',
      snapshotId: null,
      sequenceNumber: null,
      fileSequenceNumber: null,
      ...('file' in placed ? placed : { file: placed }),
    }))
    const path = `manifest-${i}`
    const bytes = encodeManifest({ schema, spec, content, entries })
    stored.set(path, bytes)
    return summarizeManifest(entries, {
      path,
      length: bytes.length,
      content,
      spec,
      schema,
      snapshotId: '7',
      sequenceNumber,
    })
  })
  stored.set('list', encodeManifestList(lines, { snapshotId: '7', parentSnapshotId: undefined, sequenceNumber: 9 }))
  const snapshot = {
    'snapshot-id': '7',
    'sequence-number': 9,
    'timestamp-ms': 1,
    summary: { operation: 'append' },
    'manifest-list': 'list',
    'schema-id': 0,
  } as Snapshot
  const metadata = {
    schemas: [schema],
    'current-schema-id': 0,
    'partition-specs': [...specs],
    'current-snapshot-id': '7',
    snapshots: [snapshot],
    properties: {},
    refs: { main: { 'snapshot-id': '7', type: 'branch' } },
    ...changes,
  } as unknown as TableMetadata
  const reads: string[] = []
  let failing = 0
  const read: FileIO['read'] = async location => {
    reads.push(location)
    await sleep(1)
    if (failing-- > 0) throw new Error('the connection broke')
    return stored.get(location)!
  }
  const io = { read } as FileIO
  const cache = createManifestCache()
  const plan = (filter: Filter = [], options: Partial<Parameters<typeof planScan>[0]> = {}) =>
    planScan({ metadata, snapshotId: '7', filter, io, cache, ...options })
  return { metadata, io, cache, reads, stored, plan, fail: (times: number) => (failing = times) }
}

const paths = (plan: { files: readonly { file: DataFile }[] }) => plan.files.map(({ file }) => file.path).sort()
const onDay = (day: number): Filter => [
  { column: 'timestamptz', op: '>=', value: BigInt(day) * DAY },
  { column: 'timestamptz', op: '<', value: BigInt(day + 1) * DAY },
]

function deletes(path: string, of: DataFile, content: Content = 'position-deletes', format = 'PARQUET'): DataFile {
  const { specId, partition } = of
  return { content, path, format, specId, partition, recordCount: 1, fileBytes: 1 }
}

async function refusal(work: Promise<unknown>): Promise<Failure> {
  return work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as Failure,
  )
}

describe('a plan', () => {
  it('reads only the manifests and files that can hold passing rows, over several specs, and counts them', async () => {
    const { plan, reads } = tableOf([
      { spec: byDay, files: [data('a', 1, 'BHP'), data('b', 2, 'BHP')] },
      { spec: byDay, files: [data('c', 5, 'BHP')] },
      { spec: byDayAndBucket, files: [data('d', 2, 'BHP', byDayAndBucket), data('e', 2, 'RIO', byDayAndBucket)] },
      { spec: plain, files: [data('f', 2, 'BHP', plain), data('g', 3, 'BHP', plain)] },
    ])
    const found = await plan([...onDay(2), { column: 'string', op: '=', value: 'BHP' }])
    expect(paths(found)).toEqual(['b', 'd', 'f'])
    expect(found.counts).toEqual({ total: 7, pruned: 4, read: 3 })
    expect(reads.sort()).toEqual(['list', 'manifest-0', 'manifest-2', 'manifest-3'])
    expect((await plan()).counts).toEqual({ total: 7, pruned: 0, read: 7 })
  })

  it('leaves out files that were deleted, and counts them neither as read nor as there', async () => {
    const { plan } = tableOf([
      { spec: byDay, files: [{ status: 'deleted', file: data('a', 1, 'BHP') }, { status: 'existing', file: data('b', 1, 'BHP'), sequenceNumber: 3, fileSequenceNumber: 3, snapshotId: '3' }] }, // prettier-ignore
    ])
    const found = await plan()
    expect(paths(found)).toEqual(['b'])
    expect(found.files[0].sequenceNumber).toBe(3)
    expect(found.counts).toEqual({ total: 1, pruned: 0, read: 1 })
  })

  it('gives each file the position deletes of its partition that are not older than it', async () => {
    const [a, b, c] = [data('a', 1, 'BHP'), data('b', 2, 'BHP'), data('c', 1, 'RIO')]
    const { plan, reads } = tableOf([
      { spec: byDay, files: [a, b], sequenceNumber: 2 },
      { spec: byDay, files: [c], sequenceNumber: 4 },
      { spec: byDay, content: 'deletes', files: [deletes('gone', a)], sequenceNumber: 3 },
      { spec: byDay, content: 'deletes', files: [deletes('same', b)], sequenceNumber: 2 },
      { spec: byDay, content: 'deletes', files: [deletes('late', c)], sequenceNumber: 4 },
    ])
    const found = await plan()
    const of = (path: string) => found.files.find(({ file }) => file.path === path)!.deletes.map(file => file.path)
    expect(of('a')).toEqual(['gone', 'late'])
    expect(of('b')).toEqual(['same'])
    expect(of('c')).toEqual(['late'])
    expect(found.counts).toEqual({ total: 3, pruned: 0, read: 3 })
    reads.length = 0
    expect((await plan(onDay(2))).files[0].deletes.map(file => file.path)).toEqual(['same'])
  })

  it('takes a position delete for one file by its bounds', async () => {
    const [a, b] = [data('a', 1, 'BHP'), data('b', 1, 'BHP')]
    const path = new Map([[2147483546, Buffer.from('b')]])
    const only = { ...deletes('only', b), lowerBounds: path, upperBounds: path }
    const { plan } = tableOf([
      { spec: byDay, files: [a, b] },
      { spec: byDay, content: 'deletes', files: [only] },
    ])
    const counts = (await plan()).files.map(({ file, deletes: applied }) => [file.path, applied.length])
    expect(counts).toEqual([
      ['a', 0],
      ['b', 1],
    ])
  })

  it.each<[string, Partial<DataFile>]>([
    ['equality deletes', { content: 'equality-deletes', equalityIds: [1] }],
    ['a deletion vector', { format: 'PUFFIN' }],
    ['position deletes in AVRO', { format: 'AVRO' }],
  ])('refuses %s by name, but only where they touch the scan', async (what, changes) => {
    const [a, b] = [data('a', 1, 'BHP'), data('b', 2, 'BHP')]
    const { plan } = tableOf([
      { spec: byDay, files: [a, b] },
      { spec: byDay, content: 'deletes', files: [{ ...deletes('odd', a), ...changes }], sequenceNumber: 2 },
    ])
    const error = await refusal(plan())
    expect(error.code).toBe('INVALID_INPUT')
    expect(error.message).toContain(`odd holds ${what} for a`)
    expect(paths(await plan(onDay(2)))).toEqual(['b'])
  })

  it('refuses equality deletes of an unpartitioned spec wherever older data is read', async () => {
    const old = data('old', 1, 'BHP')
    const odd = { ...deletes('odd', data('x', 1, 'BHP', plain), 'equality-deletes'), equalityIds: [1] }
    const table = (sequenceNumber: number) =>
      tableOf([
        { spec: byDay, files: [old], sequenceNumber: 3 },
        { spec: plain, content: 'deletes', files: [odd], sequenceNumber },
      ])
    expect((await refusal(table(4).plan())).message).toContain('equality deletes')
    expect(paths(await table(3).plan())).toEqual(['old'])
  })

  it('refuses data files that are not Parquet by name, but only where they touch the scan', async () => {
    const { plan } = tableOf([
      { spec: byDay, files: [{ ...data('a.orc', 1, 'BHP'), format: 'ORC' }, data('b', 2, 'BHP')] },
    ])
    expect((await refusal(plan())).message).toContain('a.orc is a data file in ORC')
    expect(paths(await plan(onDay(2)))).toEqual(['b'])
  })

  it('refuses columns that the schema does not have, in the filter and among those to read', async () => {
    const { plan } = tableOf([{ spec: byDay, files: [] }])
    expect((await refusal(plan([{ column: 'prize', op: 'is null' }]))).message).toMatch(
      /no column prize. The columns are boolean,/,
    )
    expect((await refusal(plan([], { columns: ['int', 'prize'] }))).message).toMatch(/no column prize/)
    expect((await refusal(plan([], { snapshotId: '8' }))).code).toBe('SNAPSHOT_NOT_FOUND')
  })

  it('reads the head by the schema of today, and an older snapshot by its own', async () => {
    const added: Field = { id: 50, name: 'later', required: false, type: 'string' }
    const today: Schema = { ...schema, 'schema-id': 1, fields: [...schema.fields, added] }
    const { plan, metadata } = tableOf([{ spec: byDay, files: [data('a', 1, 'BHP')] }], {
      schemas: [schema, today],
      'current-schema-id': 1,
    })
    expect((await plan([{ column: 'later', op: 'is null' }])).counts.read).toBe(1)
    metadata.snapshots.push({ ...metadata.snapshots[0], 'snapshot-id': '8' })
    metadata.refs.main['snapshot-id'] = '8'
    expect((await plan()).schema).toBe(schema)
  })

  it('refuses a struct whose fields were renamed, unless it is left out', async () => {
    const inner = (name: string): Field => ({
      id: 50,
      name: 'inner',
      required: false,
      type: { type: 'struct', fields: [{ id: 51, name, required: false, type: 'int' }] },
    })
    const before: Schema = { ...schema, fields: [...schema.fields, inner('a')] }
    const today: Schema = { ...schema, 'schema-id': 1, fields: [...schema.fields, inner('b')] }
    const { plan } = tableOf([{ spec: byDay, files: [] }], { schemas: [before, today], 'current-schema-id': 1 })
    expect((await refusal(plan())).message).toContain('Column inner is a struct whose fields were renamed')
    expect((await plan([], { columns: ['int'] })).counts.total).toBe(0)
  })
})

describe('the cache of manifests', () => {
  it('reads each file once, also for readers at the same time', async () => {
    const { plan, reads } = tableOf([{ spec: byDay, files: [data('a', 1, 'BHP')] }])
    await Promise.all([plan(), plan(), plan(onDay(1))])
    await plan()
    expect(reads).toEqual(['list', 'manifest-0'])
  })

  it('forgets a read that failed, so that the next one tries again', async () => {
    const { plan, fail } = tableOf([{ spec: byDay, files: [data('a', 1, 'BHP')] }])
    fail(1)
    await expect(plan()).rejects.toThrow('the connection broke')
    expect((await plan()).counts.read).toBe(1)
  })

  it('lets go of the least recently used, by bytes', async () => {
    const { metadata, io, reads } = tableOf([0, 1, 2].map(i => ({ spec: byDay, files: [data(`f${i}`, i, 'BHP')] })))
    const plan = async (day: number, cache = createManifestCache()) => {
      await planScan({ metadata, snapshotId: '7', filter: onDay(day), io, cache })
      return cache.bytes
    }
    const roomForTwo = (await plan(0)) + (await plan(1)) / 2
    const cache = createManifestCache({ maxBytes: roomForTwo })
    for (const day of [0, 1, 2]) expect(await plan(day, cache)).toBeLessThanOrEqual(roomForTwo)
    reads.length = 0
    await plan(2, cache)
    expect(reads).not.toContain('manifest-2')
    await plan(0, cache)
    expect(reads).toContain('manifest-0')
  })

  it('ends the wait of a reader that cancels, and not that of another', async () => {
    const { plan, reads } = tableOf([{ spec: byDay, files: [data('a', 1, 'BHP')] }])
    const abort = new AbortController()
    const cancelled = plan([], { signal: abort.signal })
    const other = plan()
    abort.abort()
    expect((await refusal(cancelled)).code).toBe('CANCELLED')
    expect((await other).counts.read).toBe(1)
    expect(reads).toEqual(['list', 'manifest-0'])
    expect((await refusal(plan([], { signal: abort.signal }))).code).toBe('CANCELLED')
  })

  it('names a manifest that is damaged', async () => {
    const { plan, stored } = tableOf([{ spec: byDay, files: [data('a', 1, 'BHP')] }])
    stored.set('manifest-0', stored.get('manifest-0')!.subarray(0, 100))
    const error = await refusal(plan())
    expect(error).toMatchObject({ code: 'CORRUPT' })
    expect(error.message).toContain('manifest-0')
  })
})
