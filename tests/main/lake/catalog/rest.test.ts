import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRestCatalog, type RestCatalogOptions } from '../../../../src/main/lake/catalog/rest.ts'
import { encodeMetadata } from '../../../../src/main/lake/iceberg/json.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../../../support/loopback-certificate.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'
import { append, newTrades, TRADES } from './catalog-writing.ts'

interface Call {
  name: string
  headers: IncomingMessage['headers']
  body: string
}
interface Said {
  status?: number
  headers?: Record<string, string>
  json?: unknown
  text?: string | Buffer
}

/** A server that answers as it is told, by `METHOD path`; the rest is 404 without an error body. */
async function serve(answers: Record<string, Said | ((call: Call) => Said)>, port = 0) {
  const calls: Call[] = []
  const server = createServer((request, response) => {
    void buffer(request).then(body => {
      const call = { name: `${request.method} ${request.url}`, headers: request.headers, body: body.toString() }
      calls.push(call)
      const told = answers[call.name] ?? { status: 404, text: 'nothing here' }
      const { status = 200, headers, json, text } = typeof told === 'function' ? told(call) : told
      response.writeHead(status, headers).end(text ?? JSON.stringify(json ?? {}))
    })
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(stop)
  const address = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${address.port}`, port: address.port, calls, stop }
}

async function connect(url: string, options: Partial<RestCatalogOptions> = {}) {
  const catalog = await openRestCatalog({ url, pauseMs: 2, ...options })
  onTestFinished(() => catalog.close())
  return catalog
}

const CONFIG = 'GET /v1/config'
const TABLES = 'GET /v1/namespaces/market_data/tables'
const TABLE = `${TABLES}/trades`
const noTables: Said = { json: { identifiers: [] } }
const error = (status: number, type = 'SomeException', message = 'because'): Said => ({
  status,
  json: { error: { message, type, code: status } },
})

function tableText(config: Record<string, string> = {}, more: Record<string, unknown> = {}): string {
  const metadata = Buffer.from(encodeMetadata(newTrades('s3://lake/trades'))).toString()
  const rest = JSON.stringify({
    'metadata-location': 's3://lake/trades/metadata/00000-a.metadata.json',
    config,
    ...more,
  })
  return `${rest.slice(0, -1)},"metadata":${metadata}}`
}

describe('a REST catalog', () => {
  it('is asked for nothing before it is needed, and for its configuration once', async () => {
    const { url, calls } = await serve({ [CONFIG]: {}, [TABLES]: noTables })
    const catalog = await connect(`${url}/`)
    expect(calls).toEqual([])
    await catalog.listTables('market_data')
    await catalog.listTables('market_data')
    expect(calls.map(({ name }) => name)).toEqual([CONFIG, TABLES, TABLES])
  })

  it('says where its tables are: prefix and address by its overrides, for the warehouse that is named', async () => {
    const other = await serve({ 'GET /v1/ware/house/namespaces/a%20b/tables': noTables })
    const overrides = { prefix: 'ware/house', uri: other.url }
    const { url } = await serve({
      [`${CONFIG}?warehouse=my%20lake`]: { json: { defaults: { prefix: 'x' }, overrides } },
    })
    const catalog = await connect(url, { warehouse: 'my lake' })
    await expect(catalog.listTables('a b')).resolves.toEqual([])
    expect(other.calls).toHaveLength(1)
  })

  it('is asked for its configuration again after it failed to give it', async () => {
    let asked = 0
    const { url } = await serve({ [CONFIG]: () => (asked++ === 0 ? { status: 500 } : {}), [TABLES]: noTables })
    const catalog = await connect(url)
    await expect(catalog.listTables('market_data')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(catalog.listTables('market_data')).resolves.toEqual([])
  })

  it('lists page by page', async () => {
    const page = (name: string, next: string | null): Said => ({
      json: { identifiers: [{ namespace: ['market_data'], name }], 'next-page-token': next },
    })
    const { url } = await serve({
      [CONFIG]: {},
      [TABLES]: page('a', 'two/2'),
      [`${TABLES}?pageToken=two%2F2`]: page('b', null),
    })
    const tables = await (await connect(url)).listTables('market_data')
    expect(tables.map(({ name }) => name)).toEqual(['a', 'b'])
  })

  it('is understood when it compresses its answers', async () => {
    const { url } = await serve({
      [CONFIG]: {},
      [TABLE]: { headers: { 'content-encoding': 'gzip' }, text: gzipSync(tableText()) },
    })
    const { metadata } = await (await connect(url)).loadTable(TRADES)
    expect(metadata.location).toBe('s3://lake/trades')
  })

  it('gives storage keys from the catalog, the table and the longest fitting prefix, the last one winning', async () => {
    const vended = [
      { prefix: 's3://lake/trades', config: { 's3.session-token': 'for trades' } },
      { prefix: 's3://lake', config: { 's3.session-token': 'for all' } },
      { prefix: 's3://other', config: { 's3.session-token': 'for others' } },
    ]
    const table = tableText({ 's3.access-key-id': 'tables' }, { 'storage-credentials': vended })
    const overrides = { 's3.endpoint': 'http://s3', 's3.access-key-id': 'catalogs', prefix: '', header: 'x' }
    const { url, calls } = await serve({
      [CONFIG]: { json: { overrides } },
      [TABLE]: { text: table, headers: { etag: 'e' } },
    })
    const catalog = await connect(url)
    const { config } = await catalog.loadTable(TRADES)
    expect(config).toEqual({
      's3.endpoint': 'http://s3',
      's3.access-key-id': 'tables',
      's3.session-token': 'for trades',
    })
    await catalog.loadTable(TRADES)
    const asked = calls.filter(({ name }) => name === TABLE)
    expect(asked.map(({ headers }) => headers['x-iceberg-access-delegation'])).toEqual(
      Array(2).fill('vended-credentials'),
    )
    // Keys that end are fetched anew, so such a table is never asked for by its mark.
    expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined])
  })

  it.each([
    [400, 'INVALID_INPUT'],
    [401, 'UNAUTHORIZED'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [406, 'INVALID_INPUT'],
    [419, 'UNAUTHORIZED'],
    [422, 'INVALID_INPUT'],
    [302, 'INVALID_INPUT'],
  ])('that answers a commit with %s has not done it, and is named with what it said', async (status, code) => {
    const { url } = await serve({
      [CONFIG]: {},
      [TABLE]: { text: tableText() },
      [TABLE.replace('GET', 'POST')]: { ...error(status), headers: { location: 'https://elsewhere' } },
    })
    const catalog = await connect(url)
    const base = await catalog.loadTable(TRADES)
    const said = status === 302 ? 'elsewhere' : 'because'
    await expect(append(catalog, TRADES, base, 'x')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`${url}.*${said}`)) as string,
    })
  })

  it('that answers 409 has met a conflict, in its own words', async () => {
    const { url } = await serve({
      [CONFIG]: {},
      [TABLE]: { text: tableText() },
      [TABLE.replace('GET', 'POST')]: error(409, 'CommitFailedException', 'branch main has moved\n\tat a stack'),
    })
    const catalog = await connect(url)
    const outcome = await append(catalog, TRADES, await catalog.loadTable(TRADES), 'x')
    expect(outcome).toEqual({ state: 'conflict', why: 'branch main has moved' })
  })

  it('that has no such table is told apart from an address that has no catalog', async () => {
    const { url } = await serve({ [CONFIG]: {}, [TABLE]: error(404, 'NoSuchTableException') })
    await expect((await connect(url)).loadTable(TRADES)).rejects.toThrow(/There is no table market_data.trades/)
    const web = await serve({ [CONFIG]: { text: '<html>Hello</html>' } })
    await expect((await connect(web.url)).loadTable(TRADES)).rejects.toThrow(/is no Iceberg REST catalog/)
    const nothing = await serve({})
    await expect((await connect(nothing.url)).loadTable(TRADES)).rejects.toThrow(/Check K2_CATALOG/)
  })

  it('that answers with metadata that is none is named, and nothing is made of it', async () => {
    for (const text of ['{"metadata":{"format-version":2}}', '{"metadata-location":"x"}', '[]', '{']) {
      const { url } = await serve({ [CONFIG]: {}, [TABLE]: { text } })
      await expect((await connect(url)).loadTable(TRADES)).rejects.toMatchObject({ code: 'CORRUPT' })
    }
  })

  it('that is gone for a moment is asked again', async () => {
    const first = await serve({})
    await first.stop()
    const catalog = await connect(first.url, { pauseMs: 100 })
    const listing = catalog.listTables('market_data')
    setTimeout(() => void serve({ [CONFIG]: {}, [TABLES]: noTables }, first.port), 150)
    await expect(listing).resolves.toEqual([])
  })

  it('that is not there is named, with what to do', async () => {
    const { url, stop } = await serve({})
    await stop()
    const catalog = await connect(url)
    await expect(catalog.loadTable(TRADES)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `The REST catalog ${url} cannot be reached: nothing listens there; start it or check its address.`,
    })
  })

  it('is no longer waited for when the caller has left', async () => {
    const { url } = await serve({ [CONFIG]: {}, [TABLE]: { status: 503, headers: { 'retry-after': '60' } } })
    const catalog = await connect(url)
    const left = new AbortController()
    const loading = catalog.loadTable(TRADES, left.signal)
    setTimeout(() => left.abort(), 50)
    await expect(loading).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('without a readable authority file is refused at once', async () => {
    const caFile = join(makeTempFolder(), 'ca.pem')
    await expect(openRestCatalog({ url: 'https://x', caFile })).rejects.toThrow(caFile)
    writeFileSync(caFile, 'no certificate')
    await expect(openRestCatalog({ url: 'https://x', caFile })).rejects.toThrow(caFile)
  })

  it('is trusted by the authority that is named, and by no other', async () => {
    const server = createTlsServer({ key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE }, (_, response) =>
      response.end('{}'),
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const caFile = join(makeTempFolder(), 'ca.pem')
    writeFileSync(caFile, LOOPBACK_CERTIFICATE)
    await expect((await connect(url, { caFile })).listTables('market_data')).resolves.toEqual([])
    await expect((await connect(url)).listTables('market_data')).rejects.toThrow(/not trusted.*K2_CA_FILE/)
  })

  it('hides the password in its address', async () => {
    const catalog = await connect('http://someone:secret@127.0.0.1:9/')
    expect(catalog.about).toBe('the REST catalog http://someone:****@127.0.0.1:9')
  })
})

describe("a REST catalog's token", () => {
  const TOKENS = 'POST /v1/oauth/tokens'

  it('is sent as it was given, and nothing more is tried when it is refused', async () => {
    const { url, calls } = await serve({ [CONFIG]: {}, [TABLES]: error(401, 'NotAuthorizedException') })
    const catalog = await connect(url, { token: 'mine' })
    await expect(catalog.listTables('market_data')).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer mine', 'Bearer mine'])
  })

  it('is fetched by an OAuth2 client once for all who wait, and sent with every call', async () => {
    const { url, calls } = await serve({
      [CONFIG]: {},
      [TABLES]: noTables,
      [TOKENS]: { json: { access_token: 'given', token_type: 'bearer', expires_in: 3600 } },
    })
    const catalog = await connect(url, { credential: 'k2:pass:word' })
    await Promise.all([1, 2, 3].map(() => catalog.listTables('market_data')))
    const asked = calls.filter(({ name }) => name === TOKENS)
    expect(asked).toHaveLength(1)
    expect(Object.fromEntries(new URLSearchParams(asked[0].body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'catalog',
      client_id: 'k2',
      client_secret: 'pass:word',
    })
    const others = calls.filter(({ name }) => name !== TOKENS)
    expect(others.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill('Bearer given'))
  })

  it('is renewed before it ends', async () => {
    let given = 0
    const { url, calls } = await serve({
      [CONFIG]: {},
      [TABLES]: noTables,
      [TOKENS]: () => ({ json: { access_token: `token ${++given}`, expires_in: 5.05 } }),
    })
    const catalog = await connect(url, { credential: 'k2:x' })
    await catalog.listTables('market_data')
    await new Promise(resolve => setTimeout(resolve, 100))
    await catalog.listTables('market_data')
    expect(calls.at(-1)?.headers.authorization).toBe(`Bearer token ${given}`)
    expect(given).toBeGreaterThan(1)
  })

  it('is renewed once when it is refused, and the call sent again', async () => {
    let given = 0
    const { url, calls } = await serve({
      [CONFIG]: {},
      [TABLES]: ({ headers }) => (headers.authorization === 'Bearer 2' ? noTables : error(401)),
      [TOKENS]: () => ({ json: { access_token: String(++given) } }),
    })
    const catalog = await connect(url, { credential: 'k2:x' })
    await expect(catalog.listTables('market_data')).resolves.toEqual([])
    expect(calls.filter(({ name }) => name === TABLES)).toHaveLength(2)
  })

  it('that is refused again ends the call', async () => {
    const { url, calls } = await serve({
      [CONFIG]: {},
      [TABLES]: error(401),
      [TOKENS]: { json: { access_token: 'x' } },
    })
    const catalog = await connect(url, { credential: 'k2:x' })
    await expect(catalog.listTables('market_data')).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(calls.filter(({ name }) => name === TABLES)).toHaveLength(2)
  })

  it('that the server does not give is a clear failure without the secret', async () => {
    const { url } = await serve({ [TOKENS]: { status: 401, json: { error: 'invalid_client' } } })
    const catalog = await connect(url, { credential: 'k2:topsecret' })
    const failure = await catalog.listTables('market_data').catch((reason: unknown) => reason)
    expect(failure).toMatchObject({ code: 'UNAUTHORIZED' })
    expect((failure as Error).message).toMatch(/K2_CATALOG_CREDENTIAL/)
    expect((failure as Error).message).not.toMatch(/topsecret/)
  })

  it('comes from another server where one is named', async () => {
    const tokens = await serve({ 'POST /token': { json: { access_token: 'theirs' } } })
    const { url, calls } = await serve({ [CONFIG]: {}, [TABLES]: noTables })
    const catalog = await connect(url, { credential: 'k2:x', tokenUrl: `${tokens.url}/token`, scope: 'all' })
    await catalog.listTables('market_data')
    expect(tokens.calls[0].body).toContain('scope=all')
    expect(calls.at(-1)?.headers.authorization).toBe('Bearer theirs')
  })
})
