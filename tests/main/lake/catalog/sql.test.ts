import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openSqlCatalog } from '../../../../src/main/lake/catalog/sql.ts'
import { localFiles } from '../../../../src/main/lake/io/local.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { behavesAsCatalog } from './catalog-behaviour.ts'
import { append, appendUntilLanded, newTrades, notesOf, TRADES } from './catalog-writing.ts'
import { startWriterProcess } from './writer-process.ts'

function warehouse() {
  const folder = makeTempFolder()
  const file = join(folder, 'below/catalog.db')
  const io = localFiles()
  const open = (options: { waitForLockMs?: number; name?: string } = {}) => {
    const catalog = openSqlCatalog({ file, name: 'k2', io, warehouse: folder, ...options })
    onTestFinished(() => catalog.close())
    return catalog
  }
  const metadataFiles = () => readdirSync(join(folder, 'trades/metadata')).filter(name => name.endsWith('.json'))
  return { folder, file, open, location: join(folder, 'trades'), metadataFiles }
}

describe('the SQL catalog', () => {
  behavesAsCatalog(() => {
    const { open, location } = warehouse()
    return { open, location }
  })

  it('keeps its rows as PyIceberg and Java know them', async () => {
    const { open, file, location } = warehouse()
    const created = await open().createTable(TRADES, newTrades(location))
    await appendUntilLanded(open(), TRADES, 'x')
    const now = await open().loadTable(TRADES)
    const db = new Database(file)
    onTestFinished(() => void db.close())
    expect(db.prepare('SELECT * FROM iceberg_tables').raw().all()).toEqual([
      ['k2', 'market_data', 'trades', now.metadataLocation, created.metadataLocation, 'TABLE'],
    ])
    expect(db.prepare('SELECT * FROM iceberg_namespace_properties').raw().all()).toEqual([
      ['k2', 'market_data', 'exists', 'true'],
    ])
    expect(db.pragma('journal_mode', { simple: true })).toMatchObject({ journal_mode: 'delete' })
  })

  it('puts a table without a location below the warehouse', async () => {
    const { open, folder } = warehouse()
    const { metadata, metadataLocation } = await open().createTable(TRADES, newTrades(''))
    expect(metadata.location).toBe(`${folder}/market_data/trades`)
    expect(metadataLocation).toMatch(
      new RegExp(`^${folder}/market_data/trades/metadata/00000-[-0-9a-f]{36}\\.metadata\\.json$`),
    )
  })

  it('numbers metadata files one after the other', async () => {
    const { open, location, metadataFiles } = warehouse()
    const catalog = open()
    await catalog.createTable(TRADES, newTrades(location))
    for (const note of ['a', 'b', 'c']) await appendUntilLanded(catalog, TRADES, note)
    expect(
      metadataFiles()
        .sort()
        .map(name => name.slice(0, 6)),
    ).toEqual(['00000-', '00001-', '00002-', '00003-'])
  })

  it('leaves no metadata file behind when a commit meets a conflict', async () => {
    const { open, location, metadataFiles } = warehouse()
    const [ours, theirs] = [open(), open()]
    const base = await ours.createTable(TRADES, newTrades(location))
    const outcomes = await Promise.all([append(ours, TRADES, base, 'ours'), append(theirs, TRADES, base, 'theirs')])
    expect(outcomes.map(({ state }) => state).sort()).toEqual(['committed', 'conflict'])
    await expect(ours.createTable(TRADES, newTrades(location))).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(metadataFiles()).toHaveLength(2)
  })

  it('clears away metadata that fell off the log where the table asks for it, and only there', async () => {
    const { open, location, metadataFiles } = warehouse()
    const catalog = open()
    await catalog.createTable(TRADES, newTrades(location, { 'write.metadata.previous-versions-max': '2' }))
    for (let i = 0; i < 6; i++) await appendUntilLanded(catalog, TRADES, `${i}`)
    expect(metadataFiles()).toHaveLength(7)
    const base = await catalog.loadTable(TRADES)
    const updates = { 'write.metadata.delete-after-commit.enabled': 'true' }
    await catalog.commit(TRADES, base, [], [{ action: 'set-properties', updates }])
    const before = metadataFiles().length
    for (let i = 6; i < 12; i++) await appendUntilLanded(catalog, TRADES, `${i}`)
    expect(metadataFiles()).toHaveLength(before)
    const now = await open().loadTable(TRADES)
    expect(notesOf(now)).toHaveLength(12)
    const kept = [now.metadataLocation, ...now.metadata['metadata-log'].map(entry => entry['metadata-file'])]
    expect(kept.every(location => metadataFiles().some(name => location.endsWith(name)))).toBe(true)
  })

  it('puts no empty table in the place of one with commits that it has lost', async () => {
    const { open, file, location } = warehouse()
    await open().createTable(TRADES, newTrades(location))
    await appendUntilLanded(open(), TRADES, 'x')
    rmSync(file)
    await expect(open().createTable(TRADES, newTrades(location))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/catalog\.db has no table.*Restore the catalog/) as string,
    })
  })

  it('creates a table where a creation was cut off before its row was there', async () => {
    const { open, file, location } = warehouse()
    await open().createTable(TRADES, newTrades(location))
    rmSync(file)
    await expect(open().createTable(TRADES, newTrades(location))).resolves.toBeDefined()
  })

  it('reads a table named by file:/ and file:/// alike', async () => {
    const { open, file, folder } = warehouse()
    for (const scheme of ['file:', 'file://']) {
      const table = { ...TRADES, name: scheme === 'file:' ? 'java' : 'python' }
      await open().createTable(table, newTrades(`${scheme}${folder}/${table.name}`))
      expect((await open().loadTable(table)).metadata.location).toBe(`${scheme}${folder}/${table.name}`)
    }
    const db = new Database(file)
    onTestFinished(() => void db.close())
    db.prepare("UPDATE iceberg_tables SET metadata_location = replace(metadata_location, 'file:///', '/')").run()
    await expect(open().loadTable({ ...TRADES, name: 'python' })).resolves.toBeDefined()
  })

  it('holds several catalogs in one file apart', async () => {
    const { open, location } = warehouse()
    await open().createTable(TRADES, newTrades(location))
    await expect(open({ name: 'other' }).loadTable(TRADES)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it("works on Java's first form of the tables, which has no types, and sees no views", async () => {
    const { open, file, location } = warehouse()
    mkdirSync(join(file, '..'), { recursive: true })
    const db = new Database(file)
    onTestFinished(() => void db.close())
    db.exec(`CREATE TABLE iceberg_tables(catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL,
      table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000),
      PRIMARY KEY (catalog_name, table_namespace, table_name))`)
    await open().createTable(TRADES, newTrades(location))
    await appendUntilLanded(open(), TRADES, 'x')
    expect(notesOf(await open().loadTable(TRADES))).toEqual(['x'])
    db.exec('ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)')
    const catalog = open()
    await expect(catalog.listTables('market_data')).resolves.toEqual([TRADES])
    db.exec("UPDATE iceberg_tables SET iceberg_type = 'VIEW'")
    await expect(catalog.listTables('market_data')).resolves.toEqual([])
    await expect(catalog.loadTable(TRADES)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('says so when the metadata that the row names is gone', async () => {
    const { open, file, location } = warehouse()
    await open().createTable(TRADES, newTrades(location))
    const db = new Database(file)
    onTestFinished(() => void db.close())
    db.exec("UPDATE iceberg_tables SET metadata_location = '/nowhere/00001-x.metadata.json'")
    await expect(open().loadTable(TRADES)).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('/nowhere/00001-x.metadata.json') as string,
    })
  })

  it('loads a table with 2,000 snapshots in under a millisecond while it is unchanged', async () => {
    const { open, location } = warehouse()
    const catalog = open()
    const empty = newTrades(location)
    const snapshots = Array.from({ length: 2000 }, (_, i) => ({
      'snapshot-id': String(4_000_000_000_000_000_000n + BigInt(i)),
      'sequence-number': i + 1,
      'timestamp-ms': empty['last-updated-ms'],
      summary: { operation: 'append' as const },
      'manifest-list': `${location}/metadata/snap-${i}.avro`,
    }))
    await catalog.createTable(TRADES, { ...empty, snapshots, 'last-sequence-number': 2000 })
    const first = await catalog.loadTable(TRADES)
    const tookMs: number[] = []
    for (let i = 0; i < 101; i++) {
      const started = performance.now()
      expect(await catalog.loadTable(TRADES)).toBe(first)
      tookMs.push(performance.now() - started)
    }
    expect(tookMs.sort((a, b) => a - b)[50]).toBeLessThan(1)
  })
})

describe('the SQL catalog, written by several processes at once', { timeout: 60_000 }, () => {
  it('lands every commit of four processes exactly once', async () => {
    const { open, file, location, metadataFiles } = warehouse()
    const catalog = open()
    await catalog.createTable(TRADES, newTrades(location))
    const writers = ['a', 'b', 'c', 'd'].map(name => startWriterProcess(file, name, 25))
    for (const { ended } of writers) expect(await ended).toEqual({ code: 0, complaint: '' })
    const now = await catalog.loadTable(TRADES)
    expect(notesOf(now).sort()).toEqual(writers.flatMap(({ landed }) => landed).sort())
    expect(notesOf(now)).toHaveLength(100)
    expect(now.metadata['last-sequence-number']).toBe(100)
    expect(metadataFiles()).toHaveLength(101)
  })

  it('keeps what it said has landed, and stays usable, when writers are killed', async () => {
    const { open, file, location } = warehouse()
    await open().createTable(TRADES, newTrades(location))
    const said: string[] = []
    for (let round = 0; round < 2; round++) {
      const writers = ['a', 'b'].map(name => startWriterProcess(file, `${name}${round}`, 10_000))
      await vi.waitUntil(() => writers.every(({ landed }) => landed.length > 10), { timeout: 30_000 })
      for (const { kill } of writers) kill()
      await Promise.all(writers.map(({ ended }) => ended))
      said.push(...writers.flatMap(({ landed }) => landed))
    }
    const now = await open().loadTable(TRADES)
    const found = notesOf(now)
    expect(new Set(found).size).toBe(found.length)
    expect(said.filter(note => !found.includes(note))).toEqual([])
    await expect(append(open(), TRADES, now, 'after')).resolves.toMatchObject({ state: 'committed' })
  })
})

describe('the SQL catalog, when its file', () => {
  it('is held by another program, waits for it and then does its work', async () => {
    const { open, file, location } = warehouse()
    const base = await open().createTable(TRADES, newTrades(location))
    const other = new Database(file)
    onTestFinished(() => void other.close())
    other.exec('BEGIN EXCLUSIVE')
    const committing = append(open(), TRADES, base, 'x')
    await new Promise(resolve => setTimeout(resolve, 200))
    other.exec('COMMIT')
    await expect(committing).resolves.toMatchObject({ state: 'committed' })
  })

  it('is held for too long, says so, has changed nothing, and keeps no lock of its own', async () => {
    const { open, file, location, metadataFiles } = warehouse()
    const catalog = open({ waitForLockMs: 100 })
    const base = await catalog.createTable(TRADES, newTrades(location))
    const other = new Database(file)
    onTestFinished(() => void other.close())
    for (let i = 0; i < 3; i++) {
      other.exec('BEGIN IMMEDIATE')
      await expect(append(catalog, TRADES, base, 'x')).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining(file) as string,
      })
      expect(metadataFiles()).toHaveLength(1)
      await catalog.loadTable(TRADES)
      other.exec('CREATE TABLE IF NOT EXISTS other(a)')
      other.exec('COMMIT')
    }
    await expect(append(catalog, TRADES, base, 'x')).resolves.toMatchObject({ state: 'committed' })
  })

  it('is being read for too long to commit, rolls back', async () => {
    const { open, file, location, metadataFiles } = warehouse()
    const catalog = open({ waitForLockMs: 100 })
    const base = await catalog.createTable(TRADES, newTrades(location))
    const reader = new Database(file)
    onTestFinished(() => void reader.close())
    reader.exec('BEGIN')
    reader.prepare('SELECT * FROM iceberg_tables').all()
    await expect(append(catalog, TRADES, base, 'x')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(metadataFiles()).toHaveLength(1)
    reader.exec('COMMIT')
    expect(notesOf(await open().loadTable(TRADES))).toEqual([])
    await expect(append(catalog, TRADES, base, 'x')).resolves.toMatchObject({ state: 'committed' })
  })

  it('is no SQLite file, says so and leaves it as it is', async () => {
    const { open, file, location } = warehouse()
    mkdirSync(join(file, '..'), { recursive: true })
    const text = 'name,value\n'.repeat(500)
    writeFileSync(file, text)
    const failure = { code: 'CORRUPT', message: expect.stringContaining(`${file} is not a SQLite file`) as string }
    await expect(open().loadTable(TRADES)).rejects.toMatchObject(failure)
    await expect(open().createTable(TRADES, newTrades(location))).rejects.toMatchObject(failure)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('has a folder in its place or a file above it, says so', async () => {
    const { open, file, folder } = warehouse()
    writeFileSync(join(folder, 'below'), '')
    await expect(open().listTables('x')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const other = openSqlCatalog({ file: folder, name: 'k2', io: localFiles(), warehouse: folder })
    await expect(other.listTables('x')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(file).toContain(folder)
  })

  it('has any one byte flipped, either works or fails by name, and never crashes', async () => {
    const { open, file, location } = warehouse()
    const catalog = open()
    await catalog.createTable(TRADES, newTrades(location))
    await appendUntilLanded(catalog, TRADES, 'x')
    await catalog.close()
    const bytes = readFileSync(file)
    const seed = Date.now()
    let random = seed % 2 ** 31
    const next = (below: number) => (random = (random * 48271) % 2147483647) % below
    for (let i = 0; i < 100; i++) {
      const flipped = Buffer.from(bytes)
      // A third in the headers of the file and of its first page, where a flip does most.
      const at = next(i % 3 === 0 ? 120 : bytes.length)
      flipped[at] ^= 1 << next(8)
      writeFileSync(file, flipped)
      const damaged = open({ waitForLockMs: 50 })
      const [error] = await damaged.loadTable(TRADES).then(
        loaded => [notesOf(loaded).every(note => note === 'x') ? undefined : new Error('other rows')],
        (reason: unknown) => [reason],
      )
      await damaged.close()
      if (error === undefined) continue
      expect(error, `byte ${at}, seed ${seed}`).toMatchObject({ name: 'Failure' })
      expect((error as Error).message).toMatch(/catalog\.db|metadata/)
    }
  })
})
