// The server itself: where it listens, what stops it from starting, how it closes, and what it says of the contract.
import { createServer, type AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { call } from '../../../src/contract/capability.ts'
import { contract } from '../../../src/contract/index.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { createRateLimit } from '../../../src/main/wire/http/rate-limit.ts'
import { openApi } from '../../../src/main/wire/openapi.ts'
import { sample } from '../../support/sample.ts'
import { serveSample, until } from './http-fixture.ts'

it('names the port that is in use and how to choose another', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  onTestFinished(() => void other.close())
  const { port } = other.address() as AddressInfo
  await expect(serveSample({ port })).rejects.toMatchObject({
    name: 'Failure',
    code: 'CONFLICT',
    message: expect.stringMatching(new RegExp(`${port}.*--port.*K2_API_PORT`)) as string,
  })
})

it('names the address that is not of this machine', async () => {
  await expect(serveSample({ host: '192.0.2.1' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringMatching(/192\.0\.2\.1.*K2_API_HOST/) as string,
  })
})

it.each(['0.0.0.0', '::', '192.168.1.5', 'k2.example'])('does not start on %s with the well-known key', async host => {
  await expect(serveSample({ host, apiKey: 'k2-dev-api-key-2026' })).rejects.toMatchObject({
    code: 'FORBIDDEN',
    message: expect.stringMatching(/K2_API_KEY/) as string,
  })
})

it('does not start without a key', async () => {
  await expect(serveSample({ apiKey: '' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
})

it('starts on loopback with the well-known key', async () => {
  const { url } = await serveSample({ apiKey: 'k2-dev-api-key-2026' })
  const answer = await fetch(`${url}/v1/echo?text=a`, { headers: { 'x-api-key': 'k2-dev-api-key-2026' } })
  expect(answer.status).toBe(200)
})

it('gives an address that can be opened when it listens on all', async () => {
  const { url } = await serveSample({ host: '0.0.0.0' })
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect((await fetch(`${url}/openapi.json`)).status).toBe(200)
})

it('serves the OpenAPI document of its contract', async () => {
  const { url } = await serveSample()
  const response = await fetch(`${url}/openapi.json`)
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(openApi(sample, { version: '1.2.3' }))))
})

it('serves, of the real contract, the document that is checked in', async () => {
  const root = join(import.meta.dirname, '../../..')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const { url } = await serveSample({ contract, version })
  const checkedIn: unknown = JSON.parse(readFileSync(join(root, 'tests/contract/openapi.json'), 'utf8'))
  expect(await (await fetch(`${url}/openapi.json`)).json()).toEqual(checkedIn)
})

it('shows every route for people, without a script and from nowhere else', async () => {
  const { url } = await serveSample({ contract })
  const response = await fetch(`${url}/docs`)
  const html = await response.text()
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  for (const capability of Object.values(contract)) {
    if ('http' in capability && capability.http) expect(html).toContain(`<code>${capability.http.path}</code>`)
  }
  expect(html).toContain(`curl -s &#39;${url}/v1/trades/recent?symbol=SYMBOL&#38;exchange=EXCHANGE&#39;`)
  expect(html).not.toMatch(/<script|\bsrc=|https?:\/\/(?!127\.0\.0\.1)/)
  const [, nonce] = /<style nonce="([^"]+)">/.exec(html)!
  expect(response.headers.get('content-security-policy')).toContain(`'nonce-${nonce}'`)
})

it('serves the metrics as Prometheus reads them', async () => {
  const { url } = await serveSample()
  const response = await fetch(`${url}/metrics`)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(await response.text()).toBe('k2_up 1\n')
})

it('lets a call finish when it closes, and takes nothing new', async () => {
  const contract = {
    slow: call({
      summary: 'Takes its time',
      http: { method: 'GET', path: '/v1/slow' },
      input: z.strictObject({}),
      output: z.strictObject({ at: z.string() }),
    }),
  }
  let began = false
  const dispatch = createDispatch(contract, {
    async slow() {
      began = true
      await sleep(200)
      return { at: 'last' }
    },
  })
  const { askJson, server, url } = await serveSample({ contract, dispatch })
  const answer = askJson('/v1/slow')
  expect(await until(() => began)).toBe(true)
  await server.close()
  expect((await answer).body.data).toEqual({ at: 'last' })
  await expect(fetch(`${url}/openapi.json`)).rejects.toThrow()
})

it('cuts off a call that does not finish within a second of closing', async () => {
  const { ask, server, witness } = await serveSample()
  const cutOff = expect(ask('/v1/wait')).rejects.toThrow()
  expect(await until(() => witness.running === 1)).toBe(true)
  const started = performance.now()
  await server.close()
  expect(performance.now() - started).toBeLessThan(2000)
  await cutOff
  expect(await until(() => witness.aborted === 1)).toBe(true)
})

it('closes twice', async () => {
  const { server } = await serveSample()
  await server.close()
  await server.close()
})

it('forgets the oldest callers rather than remember without end', () => {
  let nowMs = 0
  const count = createRateLimit(1, () => nowMs)
  expect(count('a')).toEqual({ limit: 1, remaining: 0, resetSeconds: 60, exceeded: false })
  nowMs = 30_500
  expect(count('a')).toEqual({ limit: 1, remaining: 0, resetSeconds: 30, exceeded: true })
  nowMs = 60_000
  expect(count('a')).toMatchObject({ exceeded: false, resetSeconds: 60 })
  for (let i = 0; i < 10_000; i++) count(`stranger ${i}`)
  expect(count('a')).toMatchObject({ exceeded: false })
})
