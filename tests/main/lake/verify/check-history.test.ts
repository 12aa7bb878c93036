import { expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import type { TableMetadata } from '../../../../src/main/lake/iceberg/metadata.ts'
import { offsetsText } from '../../../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../../../src/main/market/topic-offsets.ts'
import { checkHistory } from '../../../../src/main/lake/verify/check-history.ts'
import { memoryTable } from '../../../support/memory-table.ts'

const at = (next: Record<string, number>, epoch = 'e'): OffsetVector => [{ cluster: 'c', epoch, topic: 't', next }]

/** The history of a table whose snapshots say this of the log, one after the other; undefined: another engine's. */
async function historyOf(vectors: readonly (OffsetVector | undefined)[]): Promise<TableMetadata> {
  const { table, stage } = await memoryTable()
  for (const i of vectors.keys()) await commitChange(table, { operation: 'append', added: [await stage(`f${i}`)] })
  const { metadata } = await table.load()
  const snapshots = metadata.snapshots.map((snapshot, i) => {
    const vector = vectors[i]
    return {
      ...snapshot,
      summary: { operation: 'append' as const, ...(vector && { 'k2.offsets': offsetsText(vector) }) },
    }
  })
  return { ...metadata, snapshots }
}

it.each([
  ['go on', [at({ 0: 5 }), at({ 0: 9, 1: 2 })], 0],
  ['go on over a commit of another engine', [at({ 0: 5 }), undefined, at({ 0: 9 })], 0],
  ['begin anew with another log', [at({ 0: 5 }), at({ 1: 2 }, 'new')], 0],
  ['go back', [at({ 0: 5 }), at({ 0: 4 })], 1],
  ['go back over a commit of another engine', [at({ 0: 5 }), undefined, at({ 0: 4 })], 1],
  ['lose a partition', [at({ 0: 5, 1: 3 }), at({ 0: 6 })], 1],
  ['lose a topic', [at({ 0: 5 }), []], 1],
] as const)('tells offsets that %s', async (_, vectors, problems) => {
  expect(checkHistory(await historyOf(vectors))).toHaveLength(problems)
})
