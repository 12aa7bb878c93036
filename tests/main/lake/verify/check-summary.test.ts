import { describe, expect, it } from 'vitest'
import type { Content, ManifestEntry, ManifestFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import type { Snapshot } from '../../../../src/main/lake/iceberg/metadata.ts'
import { checkSummary } from '../../../../src/main/lake/verify/check-summary.ts'
import { heldFiles } from '../../../../src/main/lake/verify/held-files.ts'

const manifest = (path: string, addedSnapshotId: string) => ({ path, addedSnapshotId }) as ManifestFile
const entry = (
  path: string,
  recordCount: number,
  snapshotId: string,
  { status = 'added', content = 'data' }: { status?: ManifestEntry['status']; content?: Content } = {},
) => ({ status, snapshotId, file: { path, content, recordCount, fileBytes: recordCount * 10 } }) as ManifestEntry
const snapshot = (id: string, summary: Record<string, number | string>, parent?: string) =>
  ({ 'snapshot-id': id, 'parent-snapshot-id': parent, summary }) as unknown as Snapshot

const A = manifest('a', '1')
const B = manifest('b', '2')
const DELETES = manifest('d', '2')
const entries = new Map([
  ['a', [entry('1', 10, '1'), entry('2', 20, '1'), entry('gone', 5, '1', { status: 'deleted' })]],
  ['b', [entry('2', 20, '1', { status: 'existing' }), entry('3', 30, '2')]],
  ['d', [entry('p', 7, '2', { content: 'position-deletes' }), entry('e', 3, '2', { content: 'equality-deletes' })]],
])
const held = heldFiles([A, B, DELETES], entries)
const problemsOf = (said: Snapshot, manifests: ManifestFile[], parent?: Parameters<typeof checkSummary>[2]) =>
  checkSummary({ snapshot: said, manifests }, held, parent).map(({ file, problem }) => [file, problem])
const totals = (files: number, rows: number) => ({ 'total-data-files': files, 'total-records': rows })

it('adds up the live data files of each snapshot', () => {
  expect(problemsOf(snapshot('9', totals(2, 30)), [A, DELETES])).toEqual([])
  expect(problemsOf(snapshot('9', totals(2, 50)), [B])).toEqual([])
  expect(problemsOf(snapshot('9', totals(3, 31)), [A])).toEqual([
    [null, 'Says 31 rows in all, its files hold 30.'],
    [null, 'Says 3 files, it holds 2.'],
  ])
})

it('finds a file that two manifests of one snapshot hold, or one manifest twice', () => {
  expect(problemsOf(snapshot('9', totals(3, 80)), [A, B])).toEqual([['2', 'The snapshot holds this file twice.']])
  const twice = heldFiles([A], new Map([['a', [entry('1', 10, '1'), entry('1', 10, '1')]]]))
  const said = snapshot('9', totals(1, 20))
  expect(checkSummary({ snapshot: said, manifests: [A] }, twice)).toMatchObject([{ file: '1' }])
})

it('says nothing of a snapshot one of whose manifests could not be read', () => {
  expect(problemsOf(snapshot('9', totals(9, 9)), [A, manifest('damaged', '9')])).toEqual([])
})

describe('counters of a summary', () => {
  const right: Record<string, Record<string, number>> = {
    1: {
      'added-data-files': 2,
      'added-records': 30,
      'added-files-size': 300,
      'deleted-data-files': 1,
      'deleted-records': 5,
      'removed-files-size': 50,
      'total-files-size': 300,
    },
    2: {
      'added-data-files': 1,
      'added-records': 30,
      'added-files-size': 400,
      'added-delete-files': 2,
      'added-position-deletes': 7,
      'added-equality-deletes': 3,
      'total-delete-files': 2,
      'total-position-deletes': 7,
      'total-equality-deletes': 3,
    },
  }
  const manifestsOf: Record<string, ManifestFile[]> = { 1: [A], 2: [B, DELETES] }

  it.each(Object.entries(right))('are each compared, where they are said: snapshot %s', (id, summary) => {
    expect(problemsOf(snapshot(id, summary), manifestsOf[id])).toEqual([])
    expect(problemsOf(snapshot(id, {}), manifestsOf[id])).toEqual([])
    for (const [key, count] of Object.entries(summary))
      expect(problemsOf(snapshot(id, { ...summary, [key]: count + 1 }), manifestsOf[id])).toEqual([
        [null, `Says ${key} ${count + 1}, its manifests make it ${count}.`],
      ])
  })

  it('of what came and went are not in the manifests that a rollback takes over', () => {
    const summary = { 'deleted-records': 30, 'total-delete-files': 0, 'k2.rolled-back-to': '1' }
    expect(problemsOf(snapshot('9', summary), [A])).toEqual([])
    expect(problemsOf(snapshot('9', { ...summary, 'total-delete-files': 1 }), [A])).toHaveLength(1)
  })

  describe('of the size in all', () => {
    const after = (total: number, more: Record<string, number> = { 'added-files-size': 400 }) =>
      snapshot('2', { ...more, 'total-files-size': total }, '1')
    const list = [A, manifest('b2', '2'), DELETES]
    const all = heldFiles(list, new Map([...entries, ['b2', [entry('3', 30, '2')]]]))
    const says = (child: Snapshot, parent?: number) =>
      checkSummary(
        { snapshot: child, manifests: list },
        all,
        parent === undefined ? undefined : { snapshot: snapshot('1', { 'total-files-size': parent }), manifests: [A] },
      ).length

    it('are judged by what a snapshot adds to what its parent says', () => {
      expect(says(after(700), 300)).toBe(0)
      expect(says(after(701), 300)).toBe(1)
    })

    it('may lack, here and ever after, what was added in whole manifests without a size', () => {
      expect(says(after(300, {}), 300)).toBe(0)
      expect(says(after(500), 100)).toBe(0)
      expect(says(after(500))).toBe(0)
    })
  })
})
