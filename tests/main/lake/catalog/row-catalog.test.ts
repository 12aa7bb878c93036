import { describe, expect, it } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { systemClock } from '../../../../src/main/base/clock.ts'
import { memoryRows } from '../../../../src/main/lake/catalog/memory.ts'
import { createRowCatalog, NotDone, type TableRows } from '../../../../src/main/lake/catalog/row-catalog.ts'
import { memoryFiles } from '../../../../src/main/lake/io/memory.ts'
import { append, newTrades, notesOf, TRADES } from './catalog-writing.ts'

/** A table in a catalog whose rows fail as they are told. */
async function withRows(change: (rows: TableRows) => Partial<TableRows>, { created = true } = {}) {
  const io = memoryFiles()
  const rows = memoryRows()
  const open = (used: TableRows) =>
    createRowCatalog({
      about: 'the rows',
      rows: used,
      io,
      warehouse: '/w',
      clock: systemClock,
      translate: error => new Failure('UNAVAILABLE', 'translated', { cause: error }),
    })
  if (created) await open(rows).createTable(TRADES, newTrades('/w/trades'))
  const metadataFiles = async () => {
    const found: string[] = []
    for await (const { location } of io.list('/w/trades/metadata')) found.push(location)
    return found.length
  }
  return { catalog: open({ ...rows, ...change(rows) }), sound: open(rows), rows, io, metadataFiles }
}

const fails = () => Promise.reject(new Error('the disk'))
const certainlyFails = () => Promise.reject(new NotDone(new Error('the lock')))

describe('a commit to a row, when the swap', () => {
  it('landed and then failed, is committed', async () => {
    const { catalog, sound } = await withRows(rows => ({
      swap: async (...swap) => {
        await rows.swap(...swap)
        return fails()
      },
    }))
    const outcome = await append(catalog, TRADES, await catalog.loadTable(TRADES), 'x')
    expect(outcome.state).toBe('committed')
    expect(notesOf(await sound.loadTable(TRADES))).toEqual(['x'])
  })

  it.each([
    ['failed as the row shows', fails],
    ['certainly failed', certainlyFails],
  ])('%s, throws what it means and leaves no file', async (_, swap) => {
    const { catalog, sound, metadataFiles } = await withRows(() => ({ swap }))
    const base = await catalog.loadTable(TRADES)
    await expect(append(catalog, TRADES, base, 'x')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'translated',
    })
    expect(await metadataFiles()).toBe(1)
    expect(notesOf(await sound.loadTable(TRADES))).toEqual([])
  })

  it.each(['landed', 'did not land'])(
    '%s and nobody can look, is of unknown outcome and keeps its file',
    async what => {
      let blind = false
      const { catalog, sound, metadataFiles } = await withRows(rows => ({
        find: table => (blind ? fails() : rows.find(table)),
        swap: async (...swap) => {
          blind = true
          if (what === 'landed') await rows.swap(...swap)
          return fails()
        },
      }))
      const base = await catalog.loadTable(TRADES)
      await expect(append(catalog, TRADES, base, 'x')).resolves.toMatchObject({ state: 'unknown' })
      expect(await metadataFiles()).toBe(2)
      expect(notesOf(await sound.loadTable(TRADES))).toEqual(what === 'landed' ? ['x'] : [])
    },
  )

  it('failed and another writer has moved the row since, is of unknown outcome', async () => {
    const { catalog, metadataFiles } = await withRows(rows => ({
      swap: async (table, from, to) => {
        await rows.swap(table, from, to)
        await rows.swap(table, to, '/w/trades/metadata/00002-theirs.metadata.json')
        return fails()
      },
    }))
    const base = await catalog.loadTable(TRADES)
    await expect(append(catalog, TRADES, base, 'x')).resolves.toMatchObject({ state: 'unknown' })
    expect(await metadataFiles()).toBe(2)
  })

  it('does not find the row that is there, is no conflict: it would be met again without end', async () => {
    const { catalog, metadataFiles } = await withRows(() => ({ swap: async () => false }))
    const base = await catalog.loadTable(TRADES)
    await expect(append(catalog, TRADES, base, 'x')).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(await metadataFiles()).toBe(1)
  })
})

describe('the creation of a row', () => {
  it('that landed and then failed is done', async () => {
    const insert: (rows: TableRows) => Partial<TableRows> = rows => ({
      insert: async (...row) => {
        await rows.insert(...row)
        return fails()
      },
    })
    const { catalog, sound } = await withRows(insert, { created: false })
    const created = await catalog.createTable(TRADES, newTrades('/w/trades'))
    expect((await sound.loadTable(TRADES)).metadata['table-uuid']).toBe(created.metadata['table-uuid'])
  })

  it.each([fails, certainlyFails])('that did not land leaves no file', async insert => {
    const { catalog, metadataFiles } = await withRows(() => ({ insert }), { created: false })
    await expect(catalog.createTable(TRADES, newTrades('/w/trades'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await metadataFiles()).toBe(0)
  })
})

describe('a table whose metadata is cleared away while it is read', () => {
  it('is read again from where the row points now', async () => {
    let moved = false
    const { catalog, sound, io } = await withRows(rows => ({
      find: async table => {
        const location = await rows.find(table)
        if (!moved && location) {
          moved = true
          await append(sound, TRADES, await sound.loadTable(TRADES), 'x')
          await io.remove(location)
        }
        return location
      },
    }))
    expect(notesOf(await catalog.loadTable(TRADES))).toEqual(['x'])
  })
})
