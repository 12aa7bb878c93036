// The registry's client against a server that answers as it is told, so that every word of a call can be looked at.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Failure } from '../../../src/contract/failure.ts'
import { openRegistry, type RegistryOptions } from '../../../src/main/log/registry.ts'
import { avroSchemas, EMBEDDED_SCHEMA_IDS } from '../../../src/main/market/avro-schemas.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../../support/loopback-certificate.ts'

interface Seen {
  call: string
  authorization: string | undefined
  body: string
}
type Answer = (seen: Seen) => { status?: number; body: unknown } | 'nothing'

const schemaAnswer = (extra: object = {}) => ({ body: { schema: JSON.stringify(avroSchemas.trades), ...extra } })

async function serve(answer: Answer, { tls = false } = {}) {
  const seen: Seen[] = []
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await buffer(request)).toString()
    const told = { call: `${request.method} ${request.url}`, authorization: request.headers.authorization, body }
    seen.push(told)
    const given = answer(told)
    if (given === 'nothing') return
    const text = typeof given.body === 'string' ? given.body : JSON.stringify(given.body)
    response.writeHead(given.status ?? 200, { location: '/elsewhere' }).end(text)
  }
  const listener = (request: IncomingMessage, response: ServerResponse) => void respond(request, response)
  const server = tls
    ? createSecureServer({ key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE }, listener)
    : createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

function open(url: string, options: Partial<RegistryOptions> = {}) {
  const registry = openRegistry({ urls: [url], timeoutMs: 200, retry: { tries: 3, firstMs: 1 }, ...options })
  onTestFinished(() => registry.close())
  return registry
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('It did not fail.'),
    (error: unknown) => error as Failure,
  )

describe('who K2 is', () => {
  it.each([
    [{ user: 'k2', password: 'se:cret' }, `Basic ${Buffer.from('k2:se:cret').toString('base64')}`],
    [{ token: 'abc' }, 'Bearer abc'],
    [undefined, undefined],
  ])('is told as %j', async (auth, expected) => {
    const { url, seen } = await serve(() => schemaAnswer())
    await open(url, { auth }).learn([1])
    expect(seen).toEqual([{ call: 'GET /schemas/ids/1', authorization: expected, body: '' }])
  })

  it.each([
    [401, 'UNAUTHORIZED'],
    [403, 'FORBIDDEN'],
  ])('that is refused with %i is said at once, with the setting and without the secret', async (status, code) => {
    const { url, seen } = await serve(() => ({ status, body: { error_code: status, message: 'Bad credentials' } }))
    const failure = await failureOf(open(url, { auth: { user: 'k2', password: 'topsecret' } }).learn([1]))
    expect(failure).toMatchObject({ code, retryable: false })
    expect(failure.message).toContain('K2_SCHEMA_REGISTRY_AUTH')
    expect(failure.message).toContain('Bad credentials')
    expect(failure.message).not.toContain('topsecret')
    expect(seen).toHaveLength(1)
  })
})

describe('what is asked', () => {
  it('is a subject with its name escaped, below the address with or without a slash at its end', async () => {
    const { url, seen } = await serve(() => ({ body: { id: 5, version: 1, schema: '"string"' } }))
    const registry = open(`${url}/api/`)
    await registry.register('a/b c-value', avroSchemas.trades)
    await registry.setCompatibility('a/b', 'BACKWARD')
    await registry.latest('a/b')
    expect(seen.map(({ call }) => call)).toEqual([
      'POST /api/subjects/a%2Fb%20c-value/versions',
      'PUT /api/config/a%2Fb',
      'GET /api/subjects/a%2Fb/versions/latest',
    ])
    expect(JSON.parse(seen[0].body)).toEqual({ schema: JSON.stringify(avroSchemas.trades) })
    expect(JSON.parse(seen[1].body)).toEqual({ compatibility: 'BACKWARD' })
    expect(registry.schemaOf(5)).toEqual(avroSchemas.trades)
  })

  it('once where many ask for the same at the same time, and never for what is known or K2’s own', async () => {
    const { url, seen } = await serve(() => schemaAnswer())
    const registry = open(url)
    await Promise.all([registry.learn([1, 2]), registry.learn([2, 1]), registry.learn([1])])
    await registry.learn([1, 2, EMBEDDED_SCHEMA_IDS.quotes])
    expect(seen.map(({ call }) => call).sort()).toEqual(['GET /schemas/ids/1', 'GET /schemas/ids/2'])
    expect(registry.schemaOf(EMBEDDED_SCHEMA_IDS.quotes)).toEqual(avroSchemas.quotes)
  })

  it('is asked again after a failure', async () => {
    let failing = true
    const { url, seen } = await serve(() => (failing ? { status: 503, body: 'down' } : schemaAnswer()))
    const registry = open(url)
    const failure = await failureOf(registry.learn([1]))
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    expect(seen).toHaveLength(3)
    failing = false
    await registry.learn([1])
    expect(registry.schemaOf(1)).toBeDefined()
  })

  it('is given up by a caller who leaves, and answered to the one who stays', async () => {
    const { url } = await serve(() => schemaAnswer())
    const registry = open(url)
    const leaving = new AbortController()
    const left = failureOf(registry.learn([1], leaving.signal))
    const stayed = registry.learn([1])
    leaving.abort()
    expect(await left).toMatchObject({ code: 'CANCELLED' })
    await stayed
    expect(registry.schemaOf(1)).toBeDefined()
  })

  it('ends when it is closed', async () => {
    const { url } = await serve(() => 'nothing')
    const registry = open(url, { timeoutMs: 60_000 })
    const waiting = failureOf(registry.learn([1]))
    registry.close()
    expect(await waiting).toMatchObject({ code: 'CANCELLED' })
  })
})

describe('an answer', () => {
  it.each([
    [{ schemaType: 'PROTOBUF' }, 'is PROTOBUF'],
    [{ references: [{ name: 'com.x.Money', subject: 'money', version: 1 }] }, 'refers to other schemas (com.x.Money)'],
    [{ schema: '"string"' }, 'is no record'],
    [{ schema: '{"type":"record","name":"A","fields":[{}]}' }, 'has fields without name or type'],
    [{ schema: '{' }, 'is not JSON'],
    [{ schema: 'null' }, 'is no record'],
  ])('with a schema of %j is none that K2 reads, and says why', async (extra, why) => {
    const { url, seen } = await serve(() => schemaAnswer(extra))
    const registry = open(url)
    await registry.learn([7])
    expect(registry.schemaOf(7)).toBeUndefined()
    expect(registry.whyUnknown(7)).toBe(`Schema 7 ${why}; K2 reads Avro records that stand alone.`)
    await registry.learn([7])
    expect(seen).toHaveLength(1)
  })

  it('with the namespace in the name says both', async () => {
    const { url } = await serve(() => ({ body: { schema: '{"type":"record","name":"com.x.A","fields":[]}' } }))
    const registry = open(url)
    await registry.learn([7])
    expect(registry.schemaOf(7)).toMatchObject({ name: 'A', namespace: 'com.x' })
  })

  it.each([
    [{ status: 200, body: '<html>Log in</html>' }, 'UNAVAILABLE', 'is no Schema Registry'],
    [{ status: 302, body: '' }, 'INVALID_INPUT', 'points to /elsewhere'],
    [{ status: 404, body: 'no such page' }, 'NOT_FOUND', 'K2_SCHEMA_REGISTRY_URL'],
    [{ status: 429, body: '{"error_code":429,"message":"slow down"}' }, 'RATE_LIMITED', 'slow down'],
    [{ status: 400, body: '{"error_code":400,"message":"what?"}' }, 'INVALID_INPUT', 'what?'],
  ])('that is %j is a %s', async (answer, code, said) => {
    const { url } = await serve(() => answer)
    const failure = await failureOf(open(url).learn([7]))
    expect(failure.code).toBe(code)
    expect(failure.message).toContain(said)
  })

  it('that there is no such subject is none to fail on', async () => {
    const { url } = await serve(() => ({ status: 404, body: { error_code: 40401, message: 'Subject not found' } }))
    const registry = open(url)
    expect(await registry.latest('x')).toBeUndefined()
    expect(await registry.compatibilityOf('x')).toBeUndefined()
    expect(await registry.setCompatibility('x', 'BACKWARD')).toBe(false)
  })

  it('of a subject without a compatibility of its own is none to fail on either', async () => {
    const { url } = await serve(() => ({ status: 404, body: { error_code: 40408, message: 'not configured' } }))
    expect(await open(url).compatibilityOf('x')).toBeUndefined()
  })
})

describe('a node that is something else', () => {
  it('is passed over for the next one', async () => {
    const [portal, real] = [await serve(() => ({ body: '<html>Log in</html>' })), await serve(() => schemaAnswer())]
    const events: string[] = []
    const registry = open('', { urls: [portal.url, real.url], onEvent: ({ kind }) => events.push(kind) })
    await registry.learn([1, 2])
    expect(registry.schemaOf(2)).toBeDefined()
    expect(events).toContain('node-failed')
    await registry.learn([3])
    expect(portal.seen.length).toBeLessThanOrEqual(2)
  })
})

describe('over TLS', () => {
  it('is trusted by the authority that is given, and by no other', async () => {
    const { url } = await serve(() => schemaAnswer(), { tls: true })
    await open(url, { ca: LOOPBACK_CERTIFICATE }).learn([1])
    const failure = await failureOf(open(url).learn([1]))
    expect(failure).toMatchObject({ code: 'UNAVAILABLE' })
    expect(failure.message).toContain('K2_CA_FILE')
  })
})

describe('ids out of damaged messages', () => {
  it('are asked for a few at a time and do not fill the memory', async () => {
    let now = 0
    let most = 0
    const { url, seen } = await serve(() => {
      now++
      most = Math.max(most, now)
      setImmediate(() => now--)
      return { status: 404, body: { error_code: 40403, message: 'Schema not found' } }
    })
    const registry = open(url, { timeoutMs: 30_000 })
    const ids = Array.from({ length: 500 }, (_, i) => i + 1)
    await registry.learn(ids)
    await registry.learn(ids)
    expect(seen).toHaveLength(500)
    expect(most).toBeLessThanOrEqual(8)
    expect(registry.whyUnknown(500)).toContain('does not know schema 500')
  })
})
