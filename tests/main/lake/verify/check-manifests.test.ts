import { expect, it } from 'vitest'
import type { ManifestEntry, ManifestFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import type { Snapshot } from '../../../../src/main/lake/iceberg/metadata.ts'
import { checkTotals, heldFiles } from '../../../../src/main/lake/verify/check-manifests.ts'

const manifest = (path: string, content: 'data' | 'deletes' = 'data') => ({ path, content }) as ManifestFile
const entry = (path: string, recordCount: number, status: ManifestEntry['status'] = 'added') =>
  ({ status, file: { path, recordCount } }) as ManifestEntry
const snapshot = (files: number, rows: number) =>
  ({
    'snapshot-id': '1',
    summary: { 'total-data-files': String(files), 'total-records': String(rows) },
  }) as unknown as Snapshot

const A = manifest('a')
const B = manifest('b')
const DELETES = manifest('d', 'deletes')
const entries = new Map([
  ['a', [entry('1', 10), entry('2', 20), entry('gone', 5, 'deleted')]],
  ['b', [entry('2', 20, 'existing'), entry('3', 30, 'existing')]],
  ['d', [entry('deletes', 7)]],
])
const held = heldFiles([A, B, DELETES], entries)
const problemsOf = (said: Snapshot, manifests: ManifestFile[]) =>
  checkTotals(said, manifests, held).map(({ file, problem }) => [file, problem])

it('adds up the live data files of each snapshot', () => {
  expect(problemsOf(snapshot(2, 30), [A, DELETES])).toEqual([])
  expect(problemsOf(snapshot(2, 50), [B])).toEqual([])
  expect(problemsOf(snapshot(3, 31), [A])).toEqual([
    [null, 'Says 31 rows in all, its files hold 30.'],
    [null, 'Says 3 files, it holds 2.'],
  ])
})

it('finds a file that two manifests of one snapshot hold, or one manifest twice', () => {
  expect(problemsOf(snapshot(3, 80), [A, B])).toEqual([['2', 'The snapshot holds this file twice.']])
  const twice = heldFiles([A], new Map([['a', [entry('1', 10), entry('1', 10)]]]))
  expect(checkTotals(snapshot(1, 20), [A], twice)).toMatchObject([{ file: '1' }])
})

it('says nothing of a snapshot one of whose manifests could not be read', () => {
  expect(problemsOf(snapshot(9, 9), [A, manifest('damaged')])).toEqual([])
})
