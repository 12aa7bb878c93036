import { expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import type { TableMetadata } from '../../../../src/main/lake/iceberg/metadata.ts'
import { offsetsText } from '../../../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../../../src/main/market/topic-offsets.ts'
import { checkHistory } from '../../../../src/main/lake/verify/check-history.ts'
import { memoryTable } from '../../../support/memory-table.ts'

const at = (next: Record<string, number>, epoch = 'e'): OffsetVector => [{ cluster: 'c', epoch, topic: 't', next }]

/** The history of a table whose snapshots say this of the log, one after the other; undefined: another engine's. */
async function historyOf(
  vectors: readonly (OffsetVector | string | undefined)[],
  set?: string,
): Promise<TableMetadata> {
  const { table, stage } = await memoryTable()
  for (const i of vectors.keys()) await commitChange(table, { operation: 'append', added: [await stage(`f${i}`)] })
  const { metadata } = await table.load()
  const snapshots = metadata.snapshots.map((snapshot, i) => {
    const vector = vectors[i]
    const said = typeof vector === 'object' ? offsetsText(vector) : vector
    const keys = { ...(said && { 'k2.offsets': said }), ...(i > 0 && set && { 'k2.offsets-set': set }) }
    return { ...snapshot, summary: { operation: 'append' as const, ...keys } }
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

it('takes offsets that a person has set back for what they are, and no others', async () => {
  const back = [at({ 0: 5, 1: 7 }), at({ 0: 4, 1: 7 })]
  expect(checkHistory(await historyOf(back, 't/0'))).toEqual([])
  expect(checkHistory(await historyOf(back, 't/1'))).toHaveLength(1)
})

it('tells offsets that cannot be read, once', async () => {
  expect(checkHistory(await historyOf([at({ 0: 5 }), 'nonsense', at({ 0: 9 })]))).toMatchObject([
    { problem: 'Has a k2.offsets that cannot be read.' },
  ])
})
