import { describe, expect, it } from 'vitest'
import { snapshotSummary } from '../../../../src/main/lake/iceberg/snapshot-summary.ts'
import { tradesEntry } from './manifest-sample.ts'

const [a, b, c] = [0, 1, 17].map(n => tradesEntry(n).file)
const deletes = { ...a, content: 'position-deletes' as const, recordCount: 9 }

describe('the summary of a snapshot', () => {
  it('of the first append counts what there is', () => {
    expect(
      snapshotSummary({ operation: 'append', added: [a, b, c], removed: [], extra: { 'k2.commit-id': 'x' } }),
    ).toEqual({
      operation: 'append',
      'added-data-files': '3',
      'added-records': '3018',
      'added-files-size': '300018',
      'changed-partition-count': '3',
      'total-data-files': '3',
      'total-records': '3018',
      'total-files-size': '300018',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
      'k2.commit-id': 'x',
    })
  })

  it('goes on from its parent, of which it takes nothing else', () => {
    const parent = { ...snapshotSummary({ operation: 'append', added: [a, b], removed: [] }), 'k2.offsets': '[]' }
    expect(snapshotSummary({ operation: 'replace', added: [c], removed: [a, b], parent })).toEqual({
      operation: 'replace',
      'added-data-files': '1',
      'added-records': '1017',
      'added-files-size': '100017',
      'deleted-data-files': '2',
      'deleted-records': '2001',
      'removed-files-size': '200001',
      'changed-partition-count': '3',
      'total-data-files': '1',
      'total-records': '1017',
      'total-files-size': '100017',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
    })
  })

  it('counts deletes apart from rows', () => {
    expect(snapshotSummary({ operation: 'delete', added: [deletes], removed: [] })).toMatchObject({
      'added-delete-files': '1',
      'added-position-delete-files': '1',
      'added-position-deletes': '9',
      'total-records': '0',
      'total-position-deletes': '9',
    })
  })

  it('leaves a total out that its parent lacks or that cannot be', () => {
    const parent = { operation: 'append', 'total-records': '10', 'total-data-files': 'many' } as const
    const summary = snapshotSummary({ operation: 'delete', added: [], removed: [a], parent })
    for (const key of ['total-records', 'total-data-files', 'total-files-size']) expect(summary).not.toHaveProperty(key)
  })
})
