import { describe, expect, it } from 'vitest'
import type { LakeTable } from '../../../src/main/lake/table.ts'
import { commitChange } from '../../../src/main/lake/commit/commit-change.ts'
import { headOf } from '../../../src/main/lake/iceberg/metadata.ts'
import { expireSnapshots } from '../../../src/main/lake/maintain/expire-snapshots.ts'
import { offsetsAt } from '../../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../../src/main/market/topic-offsets.ts'
import { rollBack } from '../../../src/main/lake/travel/roll-back.ts'
import { ONLY_HEAD } from '../../support/failing-operations.ts'
import { memoryTable, type MemoryTable } from '../../support/memory-table.ts'

const at = (next: Record<string, number>, epoch = 'e'): OffsetVector => [{ cluster: 'c', epoch, topic: 't', next }]

/** As another engine commits: without any key of ours. */
function foreign({ catalog, elsewhere }: MemoryTable): LakeTable {
  return elsewhere({
    catalog: {
      ...catalog,
      commit: (name, base, requirements, updates) =>
        catalog.commit(
          name,
          base,
          requirements,
          updates.map(update =>
            update.action === 'add-snapshot'
              ? { ...update, snapshot: { ...update.snapshot, summary: { operation: 'append' } } }
              : update,
          ),
        ),
    },
  })
}

/** As another engine lets go of snapshots: all but the head. */
async function expireAsOthersDo({ table }: MemoryTable): Promise<void> {
  const base = await table.load()
  const head = headOf(base.metadata)!['snapshot-id']
  const ids = base.metadata.snapshots.map(snapshot => snapshot['snapshot-id']).filter(id => id !== head)
  await table.catalog.commit(table.name, base, [], [{ action: 'remove-snapshots', 'snapshot-ids': ids }])
}

async function stream(
  { stage }: MemoryTable,
  table: LakeTable,
  name: string,
  offsets: { from: OffsetVector; to: OffsetVector },
) {
  return commitChange(table, { operation: 'append', added: [await stage(name)], offsets })
}

describe('how far the log is', () => {
  it('is still known when snapshots expire between the head and the one that says it', async () => {
    const setting = await memoryTable()
    const { table, stage } = setting
    await stream(setting, table, 'a', { from: [], to: at({ 0: 5 }) })
    const other = foreign(setting)
    await commitChange(other, { operation: 'append', added: [await stage('b')] })
    await commitChange(other, { operation: 'append', added: [await stage('c')] })
    await expireSnapshots(table, { retention: ONLY_HEAD })
    expect(offsetsAt((await table.load()).metadata)).toEqual(at({ 0: 5 }))
    await stream(setting, table, 'd', { from: at({ 0: 5 }), to: at({ 0: 9 }) })
    expect(offsetsAt((await table.load()).metadata)).toEqual(at({ 0: 9 }))
  })

  it('is refused, and never taken for nothing, when another engine let the snapshot expire that said it', async () => {
    const setting = await memoryTable()
    const { table, stage } = setting
    await stream(setting, table, 'a', { from: [], to: at({ 0: 5 }) })
    await commitChange(foreign(setting), { operation: 'append', added: [await stage('b')] })
    await expireAsOthersDo(setting)
    const { metadata } = await table.load()
    expect(() => offsetsAt(metadata)).toThrow('k2 ingest offsets set')
    await expect(stream(setting, table, 'c', { from: [], to: at({ 0: 3 }) })).rejects.toMatchObject({ code: 'CORRUPT' })
    const head = headOf(metadata)!['snapshot-id']
    await expect(rollBack(table, head, { reingest: true })).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it('is nothing in a table that never had a log, whatever has expired', async () => {
    const setting = await memoryTable()
    const { table, stage } = setting
    await commitChange(table, { operation: 'append', added: [await stage('a')] })
    await commitChange(table, { operation: 'append', added: [await stage('b')] })
    await expireAsOthersDo(setting)
    expect(offsetsAt((await table.load()).metadata)).toEqual([])
    await stream(setting, table, 'c', { from: [], to: at({ 0: 3 }) })
  })
})

describe('a writer of an earlier life of the log', () => {
  it('is fenced also on a partition that the later life has not written to', async () => {
    const setting = await memoryTable()
    const { table } = setting
    await stream(setting, table, 'a', { from: [], to: at({ 0: 5 }, 'old') })
    await stream(setting, table, 'b', { from: at({ 0: 5 }, 'old'), to: at({ 0: 2 }, 'new') })
    await expect(stream(setting, table, 'c', { from: [], to: at({ 1: 7 }, 'old') })).rejects.toMatchObject({
      code: 'FENCED',
    })
    await stream(setting, table, 'd', { from: at({ 0: 2 }, 'new'), to: at({ 1: 1 }, 'new') })
    expect(offsetsAt((await table.load()).metadata)).toEqual(at({ 0: 2, 1: 1 }, 'new'))
  })
})
