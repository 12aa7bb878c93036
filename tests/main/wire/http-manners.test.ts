// What every route does alike: who may come in, how often, which methods there are, what each answer says.
import { connect } from 'node:net'
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { KEY, serveSample, until, type Envelope } from './http-fixture.ts'

/** As fetch, but with every header as given, Host and Origin too. */
async function askRaw(url: string, headers: OutgoingHttpHeaders, method = 'GET', body?: Readable) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }).on('response', resolve).on('error', reject)
    if (body) body.pipe(asked)
    else asked.end()
  })
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  const envelope = text === '' ? undefined : (JSON.parse(text) as Envelope)
  return { status: response.statusCode!, headers: response.headers, body: envelope }
}

/** Bytes as they are; resolves with what came back until the server closed. */
function speak(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
    socket.on('close', () => resolve(answer)).on('error', reject)
  })
}

function envelopeIn(answer: string): Envelope {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as Envelope
}

it.each([
  ['/v1/nothing', 'GET'],
  ['/v1/echo/deeper', 'GET'],
  ['/nothing', 'POST'],
  ['/index.html', 'GET'],
  ['/', 'GET'],
])('answers %s (%s) with NOT_FOUND and where to look', async (path, method) => {
  const { askJson } = await serveSample()
  const { status, body } = await askJson(path, { method })
  expect(status).toBe(404)
  expect(body).toMatchObject({ success: false, error: { code: 'NOT_FOUND', retryable: false } })
  expect(body.error!.message).toMatch(/openapi\.json/)
})

it.each([
  ['/v1/echo', 'POST', 'GET, HEAD, OPTIONS'],
  ['/v1/ticks', 'GET', 'POST, OPTIONS'],
  ['/v1/ticks', 'HEAD', 'POST, OPTIONS'],
  ['/v1/fail/x', 'DELETE', 'GET, HEAD, OPTIONS'],
  ['/openapi.json', 'PUT', 'GET, HEAD, OPTIONS'],
  ['/metrics', 'PROPFIND', 'GET, HEAD, OPTIONS'],
])('answers %s by %s with METHOD_NOT_ALLOWED and what is allowed', async (path, method, allow) => {
  const { url } = await serveSample()
  const { status, headers, body } = await askRaw(url + path, { 'x-api-key': KEY, 'content-length': 0 }, method)
  expect(status).toBe(405)
  expect(headers.allow?.toString().split(', ').sort()).toEqual(allow.split(', ').sort())
  if (method !== 'HEAD') expect(body!.error!.code).toBe('METHOD_NOT_ALLOWED')
})

it('refuses a wrong method before it reads the body', async () => {
  const { askJson } = await serveSample()
  const headers = { 'content-type': 'application/json' }
  expect((await askJson('/v1/echo', { method: 'PUT', body: 'not json', headers })).status).toBe(405)
})

it('answers HEAD as GET without the body, and does not begin a stream for it', async () => {
  const { ask, witness } = await serveSample()
  const head = await ask('/v1/echo?text=a', { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect(head.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const stream = await ask('/v1/count', { method: 'HEAD' })
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  expect(witness.produced).toBe(0)
})

it('says which methods a path has, without a key', async () => {
  const { url } = await serveSample()
  const { status, headers } = await askRaw(`${url}/v1/ticks`, {}, 'OPTIONS')
  expect([status, headers.allow]).toEqual([204, 'POST, OPTIONS'])
})

it.each([
  ['no key', {}],
  ['a wrong key', { 'x-api-key': 'wrong' }],
  ['an empty key', { 'x-api-key': '' }],
  ['a key with more behind it', { 'x-api-key': `${KEY}x` }],
  ['a made-up session', { cookie: 'k2_session_0=abc' }],
])('refuses %s and says how to come in', async (_what, headers) => {
  const { url } = await serveSample()
  const answer = await askRaw(`${url}/v1/echo?text=a`, headers)
  expect(answer.status).toBe(401)
  expect(answer.headers['www-authenticate']).toBe('ApiKey header="X-API-Key"')
  expect(answer.body).toMatchObject({ success: false, error: { code: 'UNAUTHORIZED', retryable: false } })
  expect(answer.body!.error!.message).toMatch(/X-API-Key.*K2_API_KEY|K2_API_KEY.*X-API-Key/)
  expect((await askRaw(`${url}/v1/nothing`, headers)).status).toBe(401)
})

it.each(['/metrics', '/docs', '/openapi.json'])('serves %s without a key', async path => {
  const { url } = await serveSample()
  expect((await fetch(url + path)).status).toBe(200)
})

it('never tells the log a key', async () => {
  const said: unknown[] = []
  const log = { debug: (...all: unknown[]) => said.push(all), error: (...all: unknown[]) => said.push(all) }
  const { ask } = await serveSample({ log })
  await ask('/v1/echo?text=a')
  await ask('/v1/echo?text=a', { headers: { 'x-api-key': 'wrong-key' } })
  expect(said.length).toBe(2)
  expect(JSON.stringify(said)).not.toMatch(new RegExp(`${KEY}|wrong-key`))
})

it.each(['evil.example', 'evil.example:8000', '127.0.0.1.evil.example', 'localhost.evil.example', '192.168.1.5'])(
  'refuses the foreign host %j',
  async host => {
    const { url } = await serveSample()
    const { status, body } = await askRaw(`${url}/health`, { host, 'x-api-key': KEY })
    expect(status).toBe(421)
    expect(body!.error!.code).toBe('MISDIRECTED')
    expect(body!.error!.message).toContain('K2_API_ALLOWED_HOSTS')
  },
)

it.each(['localhost', 'localhost:9', 'LOCALHOST', '127.0.0.1:80', '[::1]:8000', 'k2.example:99', 'exact.example:7'])(
  'answers for the host %s',
  async host => {
    const { url } = await serveSample({ allowedHosts: ['k2.example', 'exact.example:7'] })
    expect((await askRaw(`${url}/openapi.json`, { host })).status).toBe(200)
  },
)

it('answers for the address it listens on, which no name can be pointed at', async () => {
  const { port } = await serveSample({ host: '127.0.0.2' })
  expect((await askRaw(`http://127.0.0.2:${port}/openapi.json`, {})).status).toBe(200)
})

it('takes a correlation id and makes one where there is none to take', async () => {
  const { askJson } = await serveSample()
  const taken = await askJson('/v1/echo?text=a', { headers: { 'x-correlation-id': 'mine-17' } })
  expect([taken.headers.get('x-correlation-id'), taken.body.meta.correlation_id]).toEqual(['mine-17', 'mine-17'])
  for (const bad of ['x'.repeat(129), 'with space', 'umläut']) {
    const made = await askJson('/v1/echo', { headers: { 'x-correlation-id': bad } })
    expect(made.headers.get('x-correlation-id')).toMatch(/^[\da-f-]{36}$/)
    expect(made.body.meta.correlation_id).toBe(made.headers.get('x-correlation-id'))
  }
})

it('counts requests down and refuses the next until the minute is over', async () => {
  const { askJson, ask } = await serveSample({ rateLimitPerMinute: 3 })
  const left = []
  for (let i = 0; i < 3; i++) left.push((await askJson('/v1/echo?text=a')).headers.get('x-ratelimit-remaining'))
  expect(left).toEqual(['2', '1', '0'])
  const { status, headers, body } = await askJson('/v1/echo?text=a')
  expect(status).toBe(429)
  expect(body).toMatchObject({ error: { code: 'RATE_LIMITED', retryable: true } })
  expect(headers.get('x-ratelimit-limit')).toBe('3')
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(50)
  expect(headers.get('x-ratelimit-reset')).toBe(headers.get('retry-after'))
  for (const path of ['/metrics', '/openapi.json']) expect((await ask(path)).status).toBe(200)
})

it('says how the limit stands on every answer under /v1, and lets no stranger use up the limit of the key', async () => {
  const { askJson } = await serveSample({ rateLimitPerMinute: 4 })
  const stranger = { headers: { 'x-api-key': 'wrong' } }
  for (const status of [401, 401, 401, 401, 429]) {
    const answer = await askJson('/v1/echo?text=a', stranger)
    expect([answer.status, answer.headers.get('x-ratelimit-limit')]).toEqual([status, '4'])
  }
  for (const [path, status] of [
    ['/v1/echo?text=a', 200],
    ['/v1/echo', 400],
    ['/v1/nothing', 404],
    ['/v1/ticks', 405],
  ] as const) {
    const answer = await askJson(path)
    expect([answer.status, answer.headers.has('x-ratelimit-remaining')]).toEqual([status, true])
  }
})

it('does not limit where the limit is 0', async () => {
  const { ask } = await serveSample({ rateLimitPerMinute: 0 })
  const answers = await Promise.all(Array.from({ length: 150 }, () => ask('/v1/echo?text=a')))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  expect(answers[0].headers.has('x-ratelimit-limit')).toBe(false)
})

it('lets the pages of a configured origin call, and tells their browser so', async () => {
  const origin = 'https://desk.example'
  const { url } = await serveSample({ corsOrigins: [origin] })
  const preflight = await askRaw(
    `${url}/v1/ticks`,
    { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' },
    'OPTIONS',
  )
  expect(preflight.status).toBe(204)
  expect(preflight.headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST, OPTIONS',
    'access-control-allow-headers': expect.stringMatching(/x-api-key/i) as string,
    vary: 'Origin',
  })
  expect(preflight.headers).not.toHaveProperty('access-control-allow-credentials')
  const { status, headers } = await askRaw(`${url}/v1/echo?text=a`, { origin, 'x-api-key': KEY })
  expect([status, headers['access-control-allow-origin']]).toEqual([200, origin])
  expect(headers['access-control-expose-headers']).toMatch(/X-Correlation-ID/)
  const refused = await askRaw(`${url}/v1/echo`, { origin })
  expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, origin])
})

it.each(['https://evil.example', 'null', 'http://localhost:1'])('refuses the pages of %s', async origin => {
  const { url } = await serveSample({ corsOrigins: ['https://desk.example'] })
  const { status, headers, body } = await askRaw(`${url}/v1/echo?text=a`, { origin, 'x-api-key': KEY })
  expect([status, body!.error!.code]).toEqual([403, 'FORBIDDEN'])
  expect(headers).not.toHaveProperty('access-control-allow-origin')
  const preflight = await askRaw(`${url}/v1/ticks`, { origin, 'access-control-request-method': 'POST' }, 'OPTIONS')
  expect(preflight.headers).not.toHaveProperty('access-control-allow-origin')
})

it('needs no permission for its own pages', async () => {
  const { url } = await serveSample()
  expect((await askRaw(`${url}/v1/echo?text=a`, { origin: url, 'x-api-key': KEY })).status).toBe(200)
})

it('says on every answer not to keep, frame or guess at it', async () => {
  const { ask } = await serveSample()
  for (const path of ['/v1/echo?text=a', '/v1/nothing', '/v1/%zz', '/metrics']) {
    const { headers } = await ask(path)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('x-correlation-id')).toBeTruthy()
  }
})

it('refuses an address that is not well encoded, in its own shape', async () => {
  const { askJson } = await serveSample()
  const { status, body } = await askJson('/v1/fail/%zz')
  expect(status).toBe(400)
  expect(body).toMatchObject({ success: false, error: { code: 'INVALID_INPUT' } })
})

it('refuses a body over the limit by its length', async () => {
  const { post } = await serveSample()
  const { status, body } = await post('/v1/ticks', { text: 'x'.repeat(10 * 1024 * 1024) })
  expect([status, body.error!.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
})

it('refuses a chunked body that is over the limit, and its sender gets to read why', async () => {
  const { url, ends } = await serveSample()
  const headers = { 'x-api-key': KEY, 'content-type': 'application/json' }
  const chunks = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(1024 * 1024, 32)))
  const { status, body } = await askRaw(`${url}/v1/ticks`, headers, 'POST', chunks)
  expect([status, body!.error!.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  expect(await until(() => ends.length === 1)).toBe(true)
  expect(ends[0].status).toBe(413)
})

it('answers what is not HTTP in its own shape and hangs up', async () => {
  const { port } = await serveSample()
  const answer = await speak(port, 'NONSENSE\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(envelopeIn(answer)).toMatchObject({ success: false, error: { code: 'INVALID_INPUT' } })
})

it('answers headers that are too long with 431', async () => {
  const { port } = await serveSample()
  const answer = await speak(port, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(80_000)}\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  expect(envelopeIn(answer).error!.code).toBe('INVALID_INPUT')
})

it('refuses a request without a Host', async () => {
  const { port } = await serveSample()
  const answer = await speak(port, 'GET /openapi.json HTTP/1.1\r\nConnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 421 /)
  expect(envelopeIn(answer).error!.code).toBe('MISDIRECTED')
})

it('records every request by its route', async () => {
  const { ask, ends } = await serveSample()
  await ask('/v1/fail/some-name')
  await ask('/v1/nothing')
  await new Promise(resolve => setTimeout(resolve, 20))
  expect(ends.map(({ method, endpoint, status }) => [method, endpoint, status])).toEqual([
    ['GET', '/v1/fail/:what', 404],
    ['GET', 'unknown', 404],
  ])
  expect(ends.every(({ elapsedMs }) => elapsedMs > 0 && elapsedMs < 1000)).toBe(true)
})

it('knows how many requests are not answered to the end, those that were given up included', async () => {
  const { server, ask } = await serveSample()
  expect(server.inProgress()).toBe(0)
  const leaving = new AbortController()
  const asked = ['/v1/wait', '/v1/wait'].map(path => ask(path, { signal: leaving.signal }).catch(() => {}))
  expect(await until(() => server.inProgress() === 2)).toBe(true)
  await ask('/v1/echo?text=x')
  expect(await until(() => server.inProgress() === 2)).toBe(true)
  leaving.abort()
  await Promise.all(asked)
  expect(await until(() => server.inProgress() === 0)).toBe(true)
})
