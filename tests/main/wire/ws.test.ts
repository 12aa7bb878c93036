// The WebSocket: who may open one, what it speaks, and what becomes of requests whose caller is gone.
import { createServer, type AddressInfo } from 'node:net'
import { createServer as createHttp, request, type IncomingMessage } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket, type ClientOptions } from 'ws'
import { connectClient } from '../../../src/contract/client.ts'
import { encodeFrame, decodeFrame } from '../../../src/contract/frame.ts'
import { INITIAL_CREDIT } from '../../../src/contract/messages.ts'
import { connectWebSocket } from '../../../src/main/wire/ws-client.ts'
import { sample, tickBatch, tickRows } from '../../support/sample.ts'
import { KEY, serveSample, until, type Envelope } from './http-fixture.ts'

const withKey = { headers: { 'x-api-key': KEY } }

function openSocket(url: string, protocols: string[] = [], options: ClientOptions = withKey): WebSocket {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, protocols, options)
  onTestFinished(() => socket.terminate())
  return socket
}

function opened(socket: WebSocket): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket)).once('error', reject)
  })
}

function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise(resolve => socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })))
}

/** What the server said in place of an upgrade. */
async function refusal(asked: { once(event: string, listen: (...values: never[]) => void): unknown }) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('unexpected-response', (_request: never, answer: IncomingMessage) => resolve(answer))
    asked.once('response', (answer: IncomingMessage) => resolve(answer))
    asked.once('open', () => reject(new Error('it was let in')))
    asked.once('error', reject)
  })
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) as Envelope }
}

it.each([
  ['no key', {}, 401, 'UNAUTHORIZED'],
  ['a wrong key', { 'x-api-key': 'wrong' }, 401, 'UNAUTHORIZED'],
  ['a foreign page, even with the key', { 'x-api-key': KEY, origin: 'https://evil.example' }, 403, 'FORBIDDEN'],
  ['a page of another port of this machine', { 'x-api-key': KEY, origin: 'http://localhost:1' }, 403, 'FORBIDDEN'],
  ['a foreign host', { 'x-api-key': KEY, host: 'evil.example' }, 421, 'MISDIRECTED'],
])('refuses %s before anything is opened', async (_what, headers, status, code) => {
  const { url, ends } = await serveSample()
  const refused = await refusal(openSocket(url, [], { headers }))
  expect(refused.status).toBe(status)
  expect(refused.body).toMatchObject({ success: false, error: { code } })
  expect(refused.headers['x-correlation-id']).toBe(refused.body.meta.correlation_id)
  expect(ends).toEqual([expect.objectContaining({ endpoint: '/v1/ws', status })])
})

it('lets its own pages and those of a configured origin in', async () => {
  const { url } = await serveSample({ corsOrigins: ['https://desk.example'] })
  for (const origin of [url, 'https://desk.example'])
    await opened(openSocket(url, [], { headers: { 'x-api-key': KEY, origin } }))
})

it('refuses an upgrade elsewhere, to something else, or done wrong', async () => {
  const { url } = await serveSample()
  const upgrade = (path: string, to: string) =>
    request(url + path, { headers: { 'x-api-key': KEY, connection: 'Upgrade', upgrade: to } }).end()
  const elsewhere = await refusal(upgrade('/v1/echo', 'websocket'))
  expect([elsewhere.status, elsewhere.body.error!.message]).toEqual([404, expect.stringContaining('/v1/ws')])
  const other = await refusal(upgrade('/v1/ws', 'h2c'))
  expect([other.status, other.body.error!.message]).toEqual([400, expect.stringContaining('h2c')])
  const keyless = await refusal(upgrade('/v1/ws', 'websocket'))
  expect([keyless.status, keyless.body.error!.message]).toEqual([400, expect.stringContaining('handshake')])
})

it('counts handshakes against the rate limit', async () => {
  const { url } = await serveSample({ rateLimitPerMinute: 1 })
  await opened(openSocket(url))
  const { status, headers } = await refusal(openSocket(url))
  expect([status, headers['x-ratelimit-limit']]).toEqual([429, '1'])
  expect(Number(headers['retry-after'])).toBeGreaterThan(0)
})

it('says over plain HTTP that it is a WebSocket', async () => {
  const { askJson } = await serveSample()
  const { status, headers, body } = await askJson('/v1/ws')
  expect([status, headers.get('upgrade')]).toEqual([400, 'websocket'])
  expect(body.error!.message).toContain('WebSocket')
})

it('speaks frames when nothing else is asked for', async () => {
  const { url } = await serveSample()
  for (const protocols of [[], ['k2.frame'], ['k2.frame', 'k2.json']]) {
    const socket = await opened(openSocket(url, protocols))
    socket.send(encodeFrame({ t: 'open', id: 1, name: 'sample.ticks', input: {} }))
    const answer = decodeFrame(await new Promise<Uint8Array>(resolve => socket.once('message', resolve)))
    expect(answer).toMatchObject({ t: 'done', id: 1, value: { data: tickBatch() } })
  }
})

it('speaks JSON to scripts, with rows as objects', async () => {
  const { url } = await serveSample()
  const socket = await opened(openSocket(url, ['k2.json']))
  const said: unknown[] = []
  socket.on('message', (data, isBinary) => said.push(isBinary ? 'binary' : JSON.parse((data as Buffer).toString())))
  const say = (message: object) => socket.send(JSON.stringify(message))
  say({ t: 'open', id: 1, name: 'sample.ticks', input: {} })
  expect(await until(() => said.length === 1)).toBe(true)
  expect(said).toEqual([
    expect.objectContaining({ t: 'done', id: 1, value: expect.objectContaining({ data: tickRows }) as object }),
  ])
  said.length = 0
  say({ t: 'open', id: 2, name: 'sample.count', input: { to: 6 } })
  expect(await until(() => said.length === 4)).toBe(true)
  say({ t: 'credit', id: 2, n: 10 })
  expect(await until(() => said.length === 7)).toBe(true)
  expect(said.at(-1)).toEqual({ t: 'done', id: 2 })
  say({ t: 'open', id: 3, name: 'sample.fail', input: { what: 'x' } })
  expect(await until(() => said.length === 8)).toBe(true)
  expect(said.at(-1)).toMatchObject({ t: 'fail', id: 3, error: { code: 'NOT_FOUND', details: { what: 'x' } } })
})

it.each([
  ['k2.frame', 'text', 1007],
  ['k2.frame', Buffer.from([255, 255, 255, 255, 1]), 1007],
  ['k2.json', Buffer.from('{}'), 1007],
  ['k2.json', '{"t":', 1007],
  ['k2.json', 'null', 1008],
  ['k2.json', '{"t":"shout"}', 1008],
  ['k2.json', `{"t":"cancel","id":1,"${'é'.repeat(200)}":1}`, 1008],
  ['k2.json', `{"t":"cancel","id":1,"x${'é'.repeat(200)}":1}`, 1008],
  ['k2.json', '{"t":"open","id":"1","name":"sample.echo"}', 1008],
  ['k2.json', '{"t":"credit","id":1,"n":-5}', 1008],
  ['k2.json', '{"t":"credit","id":1,"n":1001}', 1008],
  ['k2.json', '{"t":"open","id":1,"name":"sample.echo","input":{},"more":1}', 1008],
])('hangs up on a caller of %s that sends %j', async (protocol, message, code) => {
  const { url } = await serveSample()
  const socket = await opened(openSocket(url, [protocol]))
  const end = closed(socket)
  socket.send(message)
  expect(await end).toMatchObject({ code, reason: expect.stringMatching(/\w+/) as string })
})

it('hangs up on a message over the limit', async () => {
  const { url } = await serveSample()
  const socket = await opened(openSocket(url, ['k2.json']))
  const end = closed(socket)
  socket.send('x'.repeat(10 * 1024 * 1024 + 1))
  expect((await end).code).toBe(1009)
})

it('ends what a vanished caller had open within a second', async () => {
  const { url, witness } = await serveSample()
  const socket = await opened(openSocket(url, ['k2.json']))
  socket.send(JSON.stringify({ t: 'open', id: 1, name: 'sample.count', input: { to: 1e9, pause_ms: 1 } }))
  socket.send(JSON.stringify({ t: 'open', id: 2, name: 'sample.count', input: { to: 1e9, pause_ms: 60_000 } }))
  socket.send(JSON.stringify({ t: 'open', id: 3, name: 'sample.wait' }))
  expect(await until(() => witness.running === 3)).toBe(true)
  socket.terminate()
  expect(await until(() => witness.running === 0)).toBe(true)
  expect([witness.cleaned, witness.aborted]).toEqual([2, 1])
})

it('gives up a caller that has fallen silent', async () => {
  const { url, witness } = await serveSample({ heartbeatMs: 50 })
  const socket = await opened(openSocket(url, ['k2.json'], { ...withKey, autoPong: false }))
  socket.send(JSON.stringify({ t: 'open', id: 1, name: 'sample.wait' }))
  expect(await until(() => witness.running === 1)).toBe(true)
  expect(await until(() => witness.aborted === 1)).toBe(true)
})

it('keeps a slow caller that still takes what waits for it', async () => {
  const { url, witness } = await serveSample({ heartbeatMs: 300 })
  const socket = await opened(openSocket(url, ['k2.json']))
  let seen = 0
  socket.on('message', () => {
    seen++
    socket.pause()
    setTimeout(() => socket.resume(), 100)
  })
  socket.send(JSON.stringify({ t: 'open', id: 1, name: 'sample.count', input: { to: 12, wide: 4_000_000 } }))
  socket.send(JSON.stringify({ t: 'credit', id: 1, n: 12 }))
  expect(await until(() => seen === 13, 8000)).toBe(true)
  expect(witness.cleaned).toBe(1)
})

it('gives up a caller that grants credit and does not read', async () => {
  const { url, witness } = await serveSample()
  const socket = await opened(openSocket(url, ['k2.json']))
  socket.pause()
  socket.send(JSON.stringify({ t: 'open', id: 1, name: 'sample.count', input: { to: 1e9, wide: 4_000_000 } }))
  socket.send(JSON.stringify({ t: 'credit', id: 1, n: 1000 }))
  expect(await until(() => witness.cleaned === 1, 10_000)).toBe(true)
  expect(witness.produced).toBeLessThanOrEqual(1000 + INITIAL_CREDIT)
})

it('says goodbye when the server closes, and cuts off who does not answer', async () => {
  const { url, server } = await serveSample()
  const [polite, deaf] = [await opened(openSocket(url)), await opened(openSocket(url))]
  const end = closed(polite)
  deaf.pause()
  const started = performance.now()
  await server.close()
  expect(await end).toEqual({ code: 1001, reason: 'K2 is closing' })
  expect(performance.now() - started).toBeLessThan(2000)
})

it('connects a thin client by the address that the server printed', async () => {
  const { url } = await serveSample()
  for (const address of [url, `${url}/`, url.replace('http', 'ws'), `${url}/v1/ws`]) {
    const port = await connectWebSocket(address, { apiKey: KEY })
    onTestFinished(() => port.close())
    const echo = await connectClient(sample, port)['sample.echo']({ text: address })
    expect(echo.text).toBe(address)
  }
})

it('tells a thin client plainly why it cannot connect', async () => {
  const { url } = await serveSample()
  await expect(connectWebSocket(url, { apiKey: 'wrong' })).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: expect.stringMatching(/K2_API_KEY/) as string,
  })
  const nobody = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => nobody.once('listening', resolve))
  const empty = `http://127.0.0.1:${(nobody.address() as AddressInfo).port}`
  await new Promise(resolve => nobody.close(resolve))
  await expect(connectWebSocket(empty, { apiKey: KEY })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(empty) as string,
  })
  await expect(connectWebSocket('not an address', { apiKey: KEY })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
})

it('tells a thin client that what answers is no K2', async () => {
  const other = createHttp((_request, response) => response.writeHead(404).end('<h1>Not found</h1>')).listen(
    0,
    '127.0.0.1',
  )
  await new Promise(resolve => other.once('listening', resolve))
  onTestFinished(() => void other.close())
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  await expect(connectWebSocket(url, { apiKey: KEY })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(url) as string,
  })
})

it('fails what a thin client had open when the server goes away', async () => {
  const { url, server, witness } = await serveSample()
  const port = await connectWebSocket(url, { apiKey: KEY })
  const waiting = connectClient(sample, port)['sample.wait']({})
  waiting.catch(() => {})
  expect(await until(() => witness.running === 1)).toBe(true)
  await server.close()
  await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
})
