import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Catalog } from '../../../../src/main/lake/catalog/catalog.ts'
import { commitChange } from '../../../../src/main/lake/commit/commit-change.ts'
import { headOf, type Snapshot } from '../../../../src/main/lake/iceberg/metadata.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { ONLY_HEAD } from '../../../support/failing-operations.ts'
import { memoryTable, type MemoryTable } from '../../../support/memory-table.ts'
import { strayFiles } from '../../../support/stray-files.ts'

const append = async ({ table, stage }: Pick<MemoryTable, 'table' | 'stage'>, name: string) =>
  commitChange(table, { operation: 'append', added: [await stage(name)] })

/** The first commit goes through `first`, all others to the catalog itself. */
function firstCommit(catalog: Catalog, first: Catalog['commit']): Catalog {
  let commits = 0
  return { ...catalog, commit: (...asked) => (++commits === 1 ? first(...asked) : catalog.commit(...asked)) }
}

/** Reads all that the head leads to. */
async function readHead(table: MemoryTable['table']): Promise<string[]> {
  const loaded = await table.load()
  const manifests = await table.manifests(headOf(loaded.metadata))
  const entries = await Promise.all(manifests.map(manifest => table.entries(manifest, loaded)))
  return entries
    .flat()
    .map(({ file }) => file.path.replace(/.*\//, ''))
    .sort()
}

describe('a commit that landed and was answered as a conflict, because something on the way sent it twice', () => {
  it('keeps the files of the try that landed', async () => {
    const { stage, catalog, elsewhere } = await memoryTable()
    const table = elsewhere({
      catalog: firstCommit(catalog, async (...asked) => {
        await catalog.commit(...asked)
        return catalog.commit(...asked)
      }),
    })
    await append({ table, stage }, 'a')
    expect(await readHead(elsewhere())).toEqual(['a.parquet'])
  })

  it('keeps them also when it is cancelled meanwhile', async () => {
    const { stage, catalog, elsewhere, files } = await memoryTable()
    const abort = new AbortController()
    const table = elsewhere({
      catalog: firstCommit(catalog, async (...asked) => {
        await catalog.commit(...asked)
        abort.abort()
        return catalog.commit(...asked)
      }),
    })
    const staged = await stage('a')
    await commitChange(table, { operation: 'append', added: [staged] }, abort.signal).catch(() => {})
    expect(files.locations()).toContain(staged.path)
    expect(await readHead(elsewhere())).toEqual(['a.parquet'])
  })
})

describe('a commit of unknown outcome whose snapshot has expired before it could be looked up', () => {
  it('keeps its files, for they are in the table', async () => {
    const { table: other, stage, catalog, elsewhere, files } = await memoryTable()
    const table = elsewhere({
      catalog: firstCommit(catalog, async (...asked) => {
        await catalog.commit(...asked)
        await append({ table: other, stage }, 'theirs')
        await expireSnapshots(other, { retention: ONLY_HEAD })
        return { state: 'unknown', cause: new Error('lost') }
      }),
    })
    const staged = await stage('ours')
    await expect(commitChange(table, { operation: 'append', added: [staged] })).rejects.toMatchObject({
      details: { outcome: 'unknown' },
    })
    expect(files.locations()).toContain(staged.path)
    expect(await readHead(elsewhere())).toEqual(['ours.parquet', 'theirs.parquet'])
  })
})

describe('a writer that has not looked at the table for long', () => {
  it('commits also when the snapshot it knows has expired', async () => {
    const setting = await memoryTable()
    const { elsewhere, stage } = setting
    await append(setting, 'a')
    const idle = elsewhere()
    await idle.known()
    await append(setting, 'b')
    await expireSnapshots(setting.table, { retention: ONLY_HEAD })
    await append({ table: idle, stage }, 'c')
    expect(await readHead(elsewhere())).toEqual(['a.parquet', 'b.parquet', 'c.parquet'])
    expect(await strayFiles(elsewhere(), setting.files)).toEqual([])
  })

  it('commits also when another branch uses up the next sequence number, again and again', async () => {
    const setting = await memoryTable()
    const { elsewhere, stage, catalog } = setting
    await append(setting, 'a')
    const branching = elsewhere({
      catalog: {
        ...catalog,
        commit: (name, base, requirements, updates) =>
          catalog.commit(
            name,
            base,
            requirements,
            updates.map(update => (update.action === 'set-snapshot-ref' ? { ...update, 'ref-name': 'audit' } : update)),
          ),
      },
    })
    let audited = 0
    const disturbed = elsewhere({
      catalog: {
        ...catalog,
        async commit(...asked) {
          if (audited < 3) await append({ table: branching, stage }, `audited-${++audited}`)
          return catalog.commit(...asked)
        },
      },
    })
    await disturbed.known()
    await append({ table: disturbed, stage }, 'b')
    const { metadata } = await elsewhere().load()
    const numbers = metadata.snapshots.map((snapshot: Snapshot) => snapshot['sequence-number'])
    expect(numbers).toEqual([1, 2, 3, 4, 5])
    expect(await readHead(elsewhere())).toEqual(['a.parquet', 'b.parquet'])
  })
})

it('commits nothing to a table that was made anew under the same name', async () => {
  const { stage, catalog, elsewhere } = await memoryTable()
  const table = elsewhere({
    catalog: firstCommit(catalog, async (...asked) => {
      await catalog.dropTable(asked[0])
      const { metadata } = asked[1]
      const location = `${metadata.location}-anew`
      await catalog.createTable(asked[0], { ...metadata, location, 'table-uuid': randomUUID() })
      return catalog.commit(...asked)
    }),
  })
  await expect(append({ table, stage }, 'a')).rejects.toMatchObject({ code: 'CONFLICT' })
  expect((await elsewhere().load()).metadata.snapshots).toEqual([])
})
