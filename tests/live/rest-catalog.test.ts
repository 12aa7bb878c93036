import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openRestCatalog } from '../../src/main/lake/catalog/rest.ts'
import { behavesAsCatalog } from '../main/lake/catalog/catalog-behaviour.ts'
import { append, appendUntilLanded, newTrades, notesOf, TRADES } from '../main/lake/catalog/catalog-writing.ts'
import { startCutProxy, type Cut } from '../support/cut-proxy.ts'
import { startIcebergRest, type IcebergRest } from '../support/iceberg-rest.ts'
import { needs } from '../support/needs.ts'
import { openS3Server } from '../support/s3-server.ts'

const rest = needs('iceberg-rest')

describe.skipIf(rest.skip)(`Iceberg's own REST catalog server${rest.because}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'k2-rest-'))
  let server: IcebergRest

  beforeAll(async () => {
    server = await startIcebergRest({ warehouse: join(folder, 'warehouse') })
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Each test finds the server without tables. */
  async function connect(url = server.url, options: { timeoutMs?: number } = {}) {
    const catalog = await openRestCatalog({ url, pauseMs: 5, ...options })
    onTestFinished(() => catalog.close())
    return catalog
  }
  async function emptied() {
    const catalog = await connect()
    for (const table of await catalog.listTables(TRADES.namespace)) await catalog.dropTable(table)
    return catalog
  }
  async function behindProxy(options: { timeoutMs?: number } = {}) {
    const direct = await emptied()
    const proxy = await startCutProxy(server.url)
    onTestFinished(() => proxy.stop())
    const base = await direct.createTable(TRADES, newTrades(''))
    const catalog = await connect(proxy.url, options)
    return { direct, proxy, catalog, base }
  }

  behavesAsCatalog(async () => {
    await emptied()
    return { location: '', open: () => connect() }
  })

  it('decides itself where a table goes, and keeps one metadata file at its creation', async () => {
    const catalog = await emptied()
    const { metadata, metadataLocation } = await catalog.createTable(TRADES, newTrades('/ours/is/not/asked'))
    expect(metadata.location).toBe(join(folder, 'warehouse/market_data/trades'))
    expect(metadataLocation.startsWith(`${metadata.location}/metadata/00000-`)).toBe(true)
    expect(metadata['partition-specs'].map(spec => spec.fields.map(({ transform }) => transform))).toEqual([
      ['day'],
      ['day', 'bucket[16]'],
    ])
  })

  it('is asked for a table that is unchanged by its mark, and sends nothing then', async () => {
    const { proxy, catalog, direct } = await behindProxy()
    const first = await catalog.loadTable(TRADES)
    expect(await catalog.loadTable(TRADES)).toBe(first)
    await append(direct, TRADES, first, 'x')
    expect(notesOf(await catalog.loadTable(TRADES))).toEqual(['x'])
    expect(proxy.seen.filter(name => name.startsWith('GET')).length).toBeGreaterThanOrEqual(3)
  })

  const status = (code: number, headers?: Record<string, string>): Cut['then'] => ({ status: code, headers })
  const applied: [string, Cut['then']][] = [
    ['500', status(500)],
    ['502', status(502)],
    ['503', status(503, { 'retry-after': '0' })],
    ['504', status(504)],
    ['a broken connection', 'reset'],
    ['silence', 'hang'],
    ['half an answer', 'half'],
    ['a page of a proxy', { status: 200, text: '<html>Welcome</html>' }],
  ]
  it.each(applied)(
    'whose commit was done but answered by %s is of unknown outcome, and can be looked up',
    async (_, then) => {
      const { proxy, catalog, base } = await behindProxy({ timeoutMs: 2_000 })
      proxy.cuts.push({ on: /^POST .*\/trades$/, forwarded: true, then })
      await expect(append(catalog, TRADES, base, 'x')).resolves.toMatchObject({ state: 'unknown' })
      expect(notesOf(await catalog.loadTable(TRADES))).toEqual(['x'])
      expect(proxy.seen.filter(name => name === 'POST /v1/namespaces/market_data/tables/trades')).toHaveLength(1)
    },
  )

  it.each([
    ['500', status(500)],
    ['503', status(503)],
    ['a broken connection', 'reset' as const],
  ])('whose commit was not done and answered by %s is of unknown outcome too', async (_, then) => {
    const { proxy, catalog, base } = await behindProxy()
    proxy.cuts.push({ on: /^POST .*\/trades$/, forwarded: false, then })
    await expect(append(catalog, TRADES, base, 'x')).resolves.toMatchObject({ state: 'unknown' })
    const now = await catalog.loadTable(TRADES)
    expect(notesOf(now)).toEqual([])
    await expect(append(catalog, TRADES, now, 'y')).resolves.toMatchObject({ state: 'committed' })
  })

  it('that refuses for now with 429 is asked again when it says, and does it once', async () => {
    const { proxy, catalog, base } = await behindProxy()
    for (let i = 0; i < 3; i++)
      proxy.cuts.push({ on: /^POST .*\/trades$/, forwarded: false, then: status(429, { 'retry-after': '0' }) })
    await expect(append(catalog, TRADES, base, 'x')).resolves.toMatchObject({ state: 'committed' })
    expect(notesOf(await catalog.loadTable(TRADES))).toEqual(['x'])
  })

  it('is read again after 502, 503, 504 and broken connections', async () => {
    const { proxy, catalog } = await behindProxy()
    for (const then of [status(502), status(503, { 'retry-after': '0' }), status(504), 'reset' as const])
      proxy.cuts.push({ on: /^GET/, forwarded: true, then })
    await expect(catalog.loadTable(TRADES)).resolves.toBeDefined()
    expect(proxy.cuts).toEqual([])
  })

  it('creates a table whose answer is lost, once', async () => {
    const direct = await emptied()
    const proxy = await startCutProxy(server.url)
    onTestFinished(() => proxy.stop())
    const catalog = await connect(proxy.url)
    proxy.cuts.push({ on: /^POST .*\/trades$/, forwarded: true, then: 'reset' })
    const created = await catalog.createTable(TRADES, newTrades(''))
    expect((await direct.loadTable(TRADES)).metadata['table-uuid']).toBe(created.metadata['table-uuid'])
  })

  it('does not keep a table whose creation ends between staging and commit', async () => {
    const direct = await emptied()
    const proxy = await startCutProxy(server.url)
    onTestFinished(() => proxy.stop())
    const catalog = await connect(proxy.url)
    proxy.cuts.push({ on: /^POST .*\/trades$/, forwarded: false, then: status(403) })
    await expect(catalog.createTable(TRADES, newTrades(''))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(direct.listTables(TRADES.namespace)).resolves.toEqual([])
    await expect(catalog.createTable(TRADES, newTrades(''))).resolves.toBeDefined()
  })

  it('keeps files when a table is dropped', async () => {
    const catalog = await emptied()
    const { metadata } = await catalog.createTable(TRADES, newTrades(''))
    await catalog.dropTable(TRADES)
    expect(readdirSync(join(metadata.location, 'metadata'))).not.toEqual([])
  })

  it('is named when it is gone', async () => {
    const other = join(folder, 'other')
    mkdirSync(other)
    const second = await startIcebergRest({ warehouse: other })
    const catalog = await connect(second.url)
    await catalog.createTable(TRADES, newTrades(''))
    await second.stop()
    await expect(catalog.loadTable(TRADES)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(second.url) as string,
    })
  })

  it('vends storage credentials with a table, which come with its configuration', async () => {
    const vending = await startIcebergRest({
      warehouse: join(folder, 'vending'),
      settings: { 'include-credentials': 'true', 's3.access-key-id': 'someone', 's3.secret-access-key': 'secret' },
    })
    onTestFinished(() => vending.stop())
    const catalog = await connect(vending.url)
    await catalog.createTable(TRADES, newTrades(''))
    const { config } = await catalog.loadTable(TRADES)
    expect(config).toMatchObject({ 's3.access-key-id': 'someone', 's3.secret-access-key': 'secret' })
  })
})

const s3 = needs('s3')

describe.skipIf(rest.skip || s3.skip)(`That server over S3${rest.because}${s3.because}`, () => {
  it('keeps tables in a bucket, and names the keys to read them when it is asked to', async () => {
    const store = await openS3Server()
    onTestFinished(() => store.close())
    const { endpoint, region, bucket, accessKeyId: accessKey, secretAccessKey: secretKey } = store
    const server = await startIcebergRest({
      warehouse: `s3://${bucket}/warehouse`,
      s3: { endpoint, region, accessKey, secretKey },
      settings: { 'include-credentials': 'true' },
    })
    onTestFinished(() => server.stop())
    const [one, other] = await Promise.all([openRestCatalog(server), openRestCatalog(server)])
    onTestFinished(async () => {
      await one.close()
      await other.close()
    })
    const created = await one.createTable(TRADES, newTrades(''))
    expect(created.metadata.location).toBe(`s3://${bucket}/warehouse/market_data/trades`)
    const notes = (w: number) => Array.from({ length: 10 }, (_, i) => `${w}-${i}`)
    await Promise.all(
      [one, other].map(async (catalog, w) => {
        for (const note of notes(w)) await appendUntilLanded(catalog, TRADES, note)
      }),
    )
    const loaded = await other.loadTable(TRADES)
    expect(notesOf(loaded).sort()).toEqual([...notes(0), ...notes(1)])
    expect(loaded.config).toMatchObject({ 's3.access-key-id': accessKey, 's3.secret-access-key': secretKey })
  })
})
