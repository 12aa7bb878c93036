import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newTableMetadata } from '../../../../src/main/lake/iceberg/new-table.ts'
import {
  planCompaction,
  sourcesOf,
  TARGET_BYTES,
  type CompactionUnit,
} from '../../../../src/main/lake/maintain/plan-compaction.ts'
import type { ScanFile } from '../../../../src/main/lake/read/file-index.ts'
import { definitionOf } from '../../../../src/main/lake/tables.ts'

const metadata = newTableMetadata({ ...definitionOf('trades'), location: '/t', properties: {}, nowMs: 0 })
const DAYS = [20_000, 20_001]
const BUCKETS = [0, 1, 2]

let made = 0
function scanned(partition: readonly number[], fileBytes: number): ScanFile {
  const path = `/t/data/${made++}.parquet`
  const specId = partition.length === 1 ? 0 : 1
  const file = {
    content: 'data',
    path,
    format: 'PARQUET',
    specId,
    partition,
    recordCount: fileBytes,
    fileBytes,
  } as const
  return { file, sequenceNumber: 1, deletes: [] }
}

const sizes = fc.oneof(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 2 * TARGET_BYTES }))
const fineFiles = fc
  .record({ day: fc.constantFrom(...DAYS), bucket: fc.constantFrom(...BUCKETS), bytes: sizes })
  .map(({ day, bucket, bytes }) => scanned([day, bucket], bytes))
const coarseFiles = fc
  .record({ day: fc.constantFrom(...DAYS), bytes: sizes })
  .map(({ day, bytes }) => scanned([day], bytes))
const someFiles = fc.array(fc.oneof(fineFiles, coarseFiles), { maxLength: 40 })

const bytesOf = (files: readonly ScanFile[]) => files.reduce((sum, { file }) => sum + file.fileBytes, 0)

/** What is there once a unit was replaced; coarse rows fall into buckets unevenly, as `shares` says. */
function replaced(files: readonly ScanFile[], unit: CompactionUnit, shares: readonly number[]): ScanFile[] {
  const gone = new Set(sourcesOf(unit).map(({ file }) => file.path))
  const [day] = unit.shared as number[]
  const bytes = new Map(unit.fine.map(({ partition, files: own }) => [String(partition[1]), bytesOf(own)]))
  if (unit.coarse.length > 0) {
    const sum = shares.reduce((a, b) => a + b, 0)
    for (const bucket of BUCKETS) {
      const incoming = (bytesOf(unit.coarse) * shares[bucket]) / sum
      bytes.set(String(bucket), (bytes.get(String(bucket)) ?? 0) + incoming)
    }
  }
  const added = [...bytes].filter(([, size]) => size > 0).map(([bucket, size]) => scanned([day, Number(bucket)], size))
  return [...files.filter(({ file }) => !gone.has(file.path)), ...added]
}

const compacted = (files: readonly ScanFile[], minFiles: number, shares: readonly number[] = [1, 1, 1]) =>
  planCompaction(metadata, files, { minFiles }).reduce((now, unit) => replaced(now, unit, shares), [...files])

describe('planning a compaction', () => {
  it('takes each file once at the most, and no fine one that is large enough', () => {
    fc.assert(
      fc.property(someFiles, fc.integer({ min: 2, max: 8 }), (files, minFiles) => {
        const units = planCompaction(metadata, files, { minFiles })
        const paths = units.flatMap(unit => sourcesOf(unit).map(({ file }) => file.path))
        expect(new Set(paths).size).toBe(paths.length)
        const known = new Set(files.map(({ file }) => file.path))
        expect(paths.filter(path => !known.has(path))).toEqual([])
        const fine = units.flatMap(unit => unit.fine.flatMap(group => group.files))
        expect(fine.filter(({ file }) => file.fileBytes >= TARGET_BYTES)).toEqual([])
      }),
    )
  })

  it('keeps partitions apart', () => {
    fc.assert(
      fc.property(someFiles, files => {
        for (const { shared, coarse, fine } of planCompaction(metadata, files, { minFiles: 2 })) {
          for (const { file } of coarse) expect(file.partition).toEqual(shared)
          for (const { partition, files: own } of fine)
            for (const { file } of own) expect(file.partition).toEqual(partition)
          expect(fine.filter(({ partition }) => partition[0] !== shared[0])).toEqual([])
        }
      }),
    )
  })

  it('leaves no file of the spec of small commits', () => {
    fc.assert(
      fc.property(someFiles, files => {
        expect(compacted(files, 2).filter(({ file }) => file.specId === 0)).toEqual([])
      }),
    )
  })

  it('has nothing more to do once it is done', () => {
    fc.assert(
      fc.property(fc.array(fineFiles, { maxLength: 40 }), fc.integer({ min: 2, max: 8 }), (files, minFiles) => {
        expect(planCompaction(metadata, compacted(files, minFiles), { minFiles })).toEqual([])
      }),
    )
  })

  it('comes to an end in a few rounds, however unevenly rows fall into buckets', () => {
    const shares = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.nat(1000), fc.nat(1000))
    fc.assert(
      fc.property(someFiles, shares, (files, uneven) => {
        let now: readonly ScanFile[] = files
        let rounds = 0
        while (planCompaction(metadata, now, { minFiles: 2 }).length > 0) {
          now = compacted(now, 2, uneven)
          expect(++rounds).toBeLessThanOrEqual(4)
        }
      }),
    )
  })

  it('leaves files whose rows would make as many again', () => {
    const large = (): ScanFile => {
      const { file, ...rest } = scanned([DAYS[0], BUCKETS[0]], 106_000_000)
      return { ...rest, file: { ...file, recordCount: 4_100_000 } }
    }
    expect(planCompaction(metadata, [large(), large()], { minFiles: 2 })).toEqual([])
    expect(planCompaction(metadata, [large(), large(), large()], { minFiles: 2 })).toHaveLength(1)
  })

  it('is not held up by one tiny file', () => {
    const files = [500, ...Array.from({ length: 1_000 }, () => 50_000)].map(bytes => scanned([20_000, 0], bytes))
    expect(compacted(files, 5)).toHaveLength(1)
  })

  it('keeps every partition far below 1,000 files, whatever small commits come between two rounds of upkeep', () => {
    const commits = fc.array(
      fc.record({ day: fc.constantFrom(...DAYS), bytes: fc.integer({ min: 500, max: 5_000_000 }) }),
      {
        minLength: 100,
        maxLength: 400,
      },
    )
    fc.assert(
      fc.property(commits, fc.integer({ min: 5, max: 100 }), fc.boolean(), (tape, every, isCoarse) => {
        let files: ScanFile[] = []
        let most = 0
        tape.forEach(({ day, bytes }, i) => {
          files.push(...(isCoarse ? [scanned([day], bytes)] : BUCKETS.map(bucket => scanned([day, bucket], bytes / 3))))
          const counts = new Map<string, number>()
          for (const { file } of files) counts.set(file.partition.join(), (counts.get(file.partition.join()) ?? 0) + 1)
          most = Math.max(most, ...counts.values())
          if (i % every === every - 1) files = compacted(files, 5)
        })
        // What is not worth a rewrite yet, and some that are each four times larger than all before.
        expect(most).toBeLessThanOrEqual(every + 4 + Math.ceil(Math.log(TARGET_BYTES) / Math.log(4)))
      }),
      { numRuns: 10 },
    )
  })

  it('leaves small commits as they are when somebody else has made the default spec finer by two fields', () => {
    const finer = { 'source-id': 4, 'field-id': 1002, name: 'exchange', transform: 'identity' }
    const [coarse, fine] = metadata['partition-specs']
    const finest = { 'spec-id': 2, fields: [...fine.fields, finer] }
    const changed = { ...metadata, 'partition-specs': [coarse, fine, finest], 'default-spec-id': 2 }
    const files = [scanned([DAYS[0]], 100), scanned([DAYS[0]], 100)]
    expect(planCompaction(changed, files, { minFiles: 2 })).toEqual([])
  })

  it('leaves files alone whose spec somebody else made', () => {
    const foreign = scanned([20_000, 1], 10)
    const others = [1, 2, 3].map(() => ({ ...foreign, file: { ...foreign.file, specId: 9, path: `/t/${made++}` } }))
    const odd = { 'spec-id': 9, fields: [{ 'source-id': 1, 'field-id': 1009, name: 'x', transform: 'identity' }] }
    const both = { ...metadata, 'partition-specs': [...metadata['partition-specs'], odd] }
    expect(planCompaction(both, others, { minFiles: 2 })).toEqual([])
  })
})
