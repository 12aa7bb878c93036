import { describe, expect, it } from 'vitest'
import { memoryCatalog, type CommitFault } from '../../../../src/main/lake/catalog/memory.ts'
import { memoryFiles } from '../../../../src/main/lake/io/memory.ts'
import { behavesAsCatalog } from './catalog-behaviour.ts'
import { append, newTrades, notesOf, TRADES } from './catalog-writing.ts'

describe('the catalog in memory', () => {
  behavesAsCatalog(() => {
    const catalog = memoryCatalog({ io: memoryFiles() })
    return { location: '/warehouse/trades', open: () => catalog }
  })

  it.each([
    ['conflict', 'conflict', []],
    ['unknown-applied', 'unknown', ['x']],
    ['unknown-not-applied', 'unknown', []],
  ] as const)('answers %s when it is asked to, at that commit only', async (fault, state, notes) => {
    const faults: (CommitFault | undefined)[] = [fault]
    const catalog = memoryCatalog({ io: memoryFiles(), fault: commit => faults[commit - 1] })
    const base = await catalog.createTable(TRADES, newTrades('/warehouse/trades'))
    await expect(append(catalog, TRADES, base, 'x')).resolves.toMatchObject({ state })
    const now = await catalog.loadTable(TRADES)
    expect(notesOf(now)).toEqual(notes)
    await expect(append(catalog, TRADES, now, 'y')).resolves.toMatchObject({ state: 'committed' })
  })

  it('throws what it is asked to throw, and nothing lands', async () => {
    const catalog = memoryCatalog({ io: memoryFiles(), fault: () => new Error('cut') })
    const base = await catalog.createTable(TRADES, newTrades('/warehouse/trades'))
    await expect(append(catalog, TRADES, base, 'x')).rejects.toThrow('cut')
    expect(notesOf(await catalog.loadTable(TRADES))).toEqual([])
  })
})
