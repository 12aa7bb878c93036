import { describe, expect, it } from 'vitest'
import type { DataFile, ManifestEntry } from '../../../../src/main/lake/iceberg/data-file.ts'
import { decodeManifest, encodeManifest } from '../../../../src/main/lake/iceberg/manifest.ts'
import { decodeManifestList, encodeManifestList } from '../../../../src/main/lake/iceberg/manifest-list.ts'
import { summarizeManifest } from '../../../../src/main/lake/iceberg/summarize-manifest.ts'
import { definitionOf } from '../../../../src/main/lake/tables.ts'

const { schema, partitionSpecs: [, spec] } = definitionOf('trades') // prettier-ignore
const file: DataFile = {
  content: 'data', path: 's3://lake/é.parquet', format: 'PARQUET', specId: 1, partition: [19_000, 3], recordCount: 5, fileBytes: 1000,
  columnBytes: new Map([[1, 100]]), valueCounts: new Map([[1, 5], [200, 2 ** 40]]), nullCounts: new Map([[1, 0]]),
  lowerBounds: new Map([[3, Buffer.from('BHP')]]), upperBounds: new Map([[3, Buffer.from('RIO')]]), splitOffsets: [4], sortOrderId: 1,
} // prettier-ignore
const entry: ManifestEntry = { status: 'added', snapshotId: null, sequenceNumber: null, fileSequenceNumber: null, file }

describe('a manifest', () => {
  it('comes back with what it inherits', () => {
    const bytes = encodeManifest({ schema, spec, content: 'data', entries: [entry] })
    const place = { path: 'm.avro', length: bytes.length, content: 'data' as const, spec, schema }
    const source = summarizeManifest([entry], { ...place, snapshotId: '9007199254740993', sequenceNumber: 7 })
    const list = encodeManifestList([source], { snapshotId: '9007199254740993', sequenceNumber: 7 })
    const [read] = decodeManifestList(list, 'list.avro')
    expect(read).toEqual(source)
    const [back] = decodeManifest(bytes, read, spec, schema)
    expect(back).toMatchObject({ snapshotId: '9007199254740993', sequenceNumber: 7, fileSequenceNumber: 7 })
    expect(back.file.partition).toEqual([19_000, 3])
    expect([...back.file.valueCounts!]).toEqual([[1, 5], [200, 2 ** 40]]) // prettier-ignore
    expect(back.file.upperBounds!.get(3)!.toString()).toBe('RIO')
  })
})
