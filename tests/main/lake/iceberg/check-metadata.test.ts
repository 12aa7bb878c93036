import { expect, it } from 'vitest'
import { applyUpdates } from '../../../../src/main/lake/iceberg/apply-updates.ts'
import { decodeMetadata, stringifyJson } from '../../../../src/main/lake/iceberg/json.ts'
import { appendOf, emptyTrades, idOf, snapshotOf, START_MS } from './metadata-sample.ts'

it('takes a parent that is null, as some writers put it, for none', () => {
  const updates = [...appendOf(snapshotOf(1)), ...appendOf(snapshotOf(2))]
  const metadata = applyUpdates(emptyTrades(), updates, { nowMs: START_MS })
  const [first, second] = metadata.snapshots
  const written = { ...metadata, snapshots: [{ ...first, 'parent-snapshot-id': null }, second] }
  const { snapshots } = decodeMetadata(Buffer.from(stringifyJson(written)), 'file:///a.metadata.json')
  expect(snapshots.map(snapshot => snapshot['parent-snapshot-id'])).toEqual([undefined, idOf(1)])
})
