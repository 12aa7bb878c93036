import { describe, expect, it } from 'vitest'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import type { DataFile } from '../../../../src/main/lake/iceberg/data-file.ts'
import { headOf } from '../../../../src/main/lake/iceberg/metadata.ts'
import type { LakeTable } from '../../../../src/main/lake/table.ts'
import { liveFiles, memoryTable } from '../../../support/memory-table.ts'

/** Of each manifest of the head: how many files it has, and of which days. */
async function manifestsOf(table: LakeTable) {
  const loaded = await table.load()
  const manifests = await table.manifests(headOf(loaded.metadata))
  const entries = await Promise.all(manifests.map(manifest => table.entries(manifest, loaded)))
  return entries.map(found => {
    const days = found.map(({ file }) => Number(file.partition[0]))
    return { files: found.length, from: Math.min(...days), to: Math.max(...days) }
  })
}

/** Described only: nothing looks into them. */
const files = (name: string, day: number, count: number): DataFile[] =>
  Array.from({ length: count }, (_, i) => ({
    content: 'data',
    path: `file:///warehouse/market_data/trades/data/${name}-${day}-${i}.parquet`,
    format: 'PARQUET',
    specId: 0,
    partition: [day],
    recordCount: 10,
    fileBytes: 100,
  }))

const append = (table: LakeTable, added: DataFile[]) => commitChange(table, { operation: 'append', added })

describe('manifests that a commit joins', () => {
  it('hold few days each, and every file once', async () => {
    const { table } = await memoryTable()
    // Forty days, each commit with files of many of them, as late data comes.
    for (let commit = 0; commit < 26; commit++) {
      const days = Array.from({ length: 20 }, (_, i) => 20_000 + ((commit * 7 + i * 2) % 40))
      await append(
        table,
        days.flatMap(day => files(`c${commit}`, day, 2)),
      )
    }
    const joined = (await manifestsOf(table)).filter(({ files }) => files > 40)
    expect(joined.length).toBeGreaterThan(2)
    for (const [i, { from, to }] of joined.toSorted((a, b) => a.from - b.from).entries()) {
      expect(to - from).toBeLessThan(20)
      if (i > 0) expect(from).toBeGreaterThan(joined.toSorted((a, b) => a.from - b.from)[i - 1].to)
    }
    expect(new Set(await liveFiles(table)).size).toBe(26 * 40)
    expect(await liveFiles(table)).toHaveLength(26 * 40)
  })

  it('are not written anew again and again once they hold many files', async () => {
    const { table } = await memoryTable()
    const paths = async () => (await table.manifests(headOf((await table.load()).metadata))).map(({ path }) => path)
    for (let day = 0; day < 30; day++) await append(table, files('many', 20_000 + day, 300))
    const many = await paths()
    expect(many).toHaveLength(30)
    for (let commit = 0; commit < 60; commit++) await append(table, files(`few${commit}`, 20_100, 1))
    expect((await paths()).filter(path => many.includes(path))).toHaveLength(30)
    expect((await paths()).length).toBeLessThan(30 + 26)
  })
})
