// What every catalog must do, whatever it keeps its tables in.
import { expect, it, onTestFinished } from 'vitest'
import type { Catalog } from '../../../../src/main/lake/catalog/catalog.ts'
import { headOf, type Update } from '../../../../src/main/lake/iceberg/metadata.ts'
import { NAMESPACE } from '../../../../src/main/lake/tables.ts'
import { append, appendUntilLanded, newTrades, notesOf, TRADES } from './catalog-writing.ts'

export interface Opened {
  /** Where tables go; an empty text leaves it to the catalog. */
  location: string
  /** Another connection to the same tables each time. */
  open: () => Catalog | Promise<Catalog>
}

export function behavesAsCatalog(start: () => Opened | Promise<Opened>): void {
  async function opened() {
    const { open, location } = await start()
    const connect = async () => {
      const catalog = await open()
      onTestFinished(() => catalog.close())
      return catalog
    }
    return { catalog: await connect(), connect, location }
  }

  it('creates a table that loads as it was defined, through another connection too', async () => {
    const { catalog, connect, location } = await opened()
    const wanted = newTrades(location, { owner: 'k2' })
    const created = await catalog.createTable(TRADES, wanted)
    const loaded = await (await connect()).loadTable(TRADES)
    expect(loaded.metadata).toEqual(created.metadata)
    expect(loaded.metadataLocation).toBe(created.metadataLocation)
    const made = loaded.metadata
    expect(made.schemas).toEqual(wanted.schemas)
    expect(made['partition-specs']).toEqual(wanted['partition-specs'])
    expect(made['default-spec-id']).toBe(1)
    expect(made['sort-orders'].find(order => order['order-id'] === made['default-sort-order-id'])).toEqual(
      wanted['sort-orders'][0],
    )
    expect(made.properties).toMatchObject({ owner: 'k2' })
    expect(made['last-column-id']).toBe(wanted['last-column-id'])
    expect(made['format-version']).toBe(2)
    expect(headOf(made)).toBeUndefined()
  })

  it('lists the tables of a namespace and forgets a dropped one', async () => {
    const { catalog, location } = await opened()
    await expect(catalog.listTables(NAMESPACE)).resolves.toEqual([])
    await catalog.createTable(TRADES, newTrades(location))
    await expect(catalog.listTables(NAMESPACE)).resolves.toEqual([TRADES])
    await expect(catalog.listTables('elsewhere')).resolves.toEqual([])
    await catalog.dropTable(TRADES)
    await expect(catalog.listTables(NAMESPACE)).resolves.toEqual([])
    await expect(catalog.loadTable(TRADES)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(catalog.dropTable(TRADES)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('names the table and itself when there is none', async () => {
    const { catalog } = await opened()
    const words = new RegExp(`market_data\\.trades.*${catalog.about.replace(/[/\\.]/g, '\\$&')}`)
    await expect(catalog.loadTable(TRADES)).rejects.toThrow(words)
  })

  it('refuses to create a table twice and leaves the first as it was', async () => {
    const { catalog, connect, location } = await opened()
    const first = await catalog.createTable(TRADES, newTrades(location))
    await expect((await connect()).createTable(TRADES, newTrades(location))).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await catalog.loadTable(TRADES)).metadata['table-uuid']).toBe(first.metadata['table-uuid'])
  })

  it('commits a snapshot that every connection then loads', async () => {
    const { catalog, connect, location } = await opened()
    const base = await catalog.createTable(TRADES, newTrades(location))
    const outcome = await append(catalog, TRADES, base, 'one')
    if (outcome.state !== 'committed') throw new Error(outcome.state)
    const loaded = await (await connect()).loadTable(TRADES)
    expect(loaded.metadata).toEqual(outcome.table.metadata)
    expect(loaded.metadataLocation).toBe(outcome.table.metadataLocation)
    expect(notesOf(loaded)).toEqual(['one'])
    expect(loaded.metadata['metadata-log'].map(entry => entry['metadata-file'])).toEqual([base.metadataLocation])
    expect(headOf(loaded.metadata)?.['snapshot-id']).toMatch(/^4\d{18}$/)
  })

  it('answers a commit on a base that is no longer current with a conflict', async () => {
    const { catalog, connect, location } = await opened()
    const base = await catalog.createTable(TRADES, newTrades(location))
    await append(await connect(), TRADES, base, 'theirs')
    await expect(append(catalog, TRADES, base, 'ours')).resolves.toMatchObject({ state: 'conflict' })
    expect(notesOf(await catalog.loadTable(TRADES))).toEqual(['theirs'])
  })

  it('takes a commit on an older base whose requirements still hold', async () => {
    const { catalog, connect, location } = await opened()
    const base = await catalog.createTable(TRADES, newTrades(location))
    await append(await connect(), TRADES, base, 'theirs')
    const updates: Update[] = [{ action: 'set-properties', updates: { colour: 'blue' } }]
    const outcome = await catalog.commit(TRADES, base, [], updates)
    expect(outcome.state).toBe('committed')
    const loaded = await catalog.loadTable(TRADES)
    expect(notesOf(loaded)).toEqual(['theirs'])
    expect(loaded.metadata.properties).toMatchObject({ colour: 'blue' })
  })

  it('answers a commit meant for another table of that name with a conflict', async () => {
    const { catalog, location } = await opened()
    const old = await catalog.createTable(TRADES, newTrades(location))
    await catalog.dropTable(TRADES)
    await catalog.createTable(TRADES, newTrades(location))
    await expect(append(catalog, TRADES, old, 'late')).resolves.toMatchObject({ state: 'conflict' })
  })

  it('refuses a commit to a table that is gone', async () => {
    const { catalog, location } = await opened()
    const base = await catalog.createTable(TRADES, newTrades(location))
    await catalog.dropTable(TRADES)
    await expect(append(catalog, TRADES, base, 'late')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('commits every one of 100 appends exactly once while two writers race', async () => {
    const { catalog, connect, location } = await opened()
    await catalog.createTable(TRADES, newTrades(location))
    const writers = [catalog, await connect()]
    await Promise.all(
      writers.map(async (writer, w) => {
        for (let i = 0; i < 50; i++) await appendUntilLanded(writer, TRADES, `${w}-${i}`)
      }),
    )
    const loaded = await (await connect()).loadTable(TRADES)
    const wanted = [0, 1].flatMap(w => Array.from({ length: 50 }, (_, i) => `${w}-${i}`))
    expect(notesOf(loaded).sort()).toEqual(wanted.sort())
    expect(loaded.metadata['last-sequence-number']).toBe(100)
  })

  it('lets one of two creators win', async () => {
    const { catalog, connect, location } = await opened()
    const other = await connect()
    const both = await Promise.allSettled([catalog, other].map(each => each.createTable(TRADES, newTrades(location))))
    const won = both.filter(result => result.status === 'fulfilled')
    expect(won).toHaveLength(1)
    expect(both.find(result => result.status === 'rejected')?.reason).toMatchObject({ code: 'CONFLICT' })
    expect((await other.loadTable(TRADES)).metadata['table-uuid']).toBe(won[0].value.metadata['table-uuid'])
  })

  it('moves and removes branches, tags, snapshots and properties', async () => {
    const { catalog, location } = await opened()
    const base = await catalog.createTable(TRADES, newTrades(location, { gone: 'soon' }))
    for (const note of ['a', 'b', 'c']) await appendUntilLanded(catalog, TRADES, note)
    const loaded = await catalog.loadTable(TRADES)
    const [first, second, third] = loaded.metadata.snapshots.map(snapshot => snapshot['snapshot-id'])
    const outcome = await catalog.commit(
      TRADES,
      loaded,
      [{ type: 'assert-table-uuid', uuid: base.metadata['table-uuid'] }],
      [
        { action: 'set-snapshot-ref', 'ref-name': 'kept', type: 'tag', 'snapshot-id': second },
        { action: 'remove-snapshots', 'snapshot-ids': [first] },
        { action: 'remove-properties', removals: ['gone'] },
      ],
    )
    expect(outcome.state).toBe('committed')
    const { metadata } = await catalog.loadTable(TRADES)
    expect(metadata.snapshots.map(snapshot => snapshot['snapshot-id'])).toEqual([second, third])
    expect(metadata.refs.kept).toMatchObject({ type: 'tag', 'snapshot-id': second })
    expect(metadata.properties).not.toHaveProperty('gone')
  })
}
