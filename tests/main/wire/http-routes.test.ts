// A route of the contract: its input out of an address or a body, its answer in the envelope, its failures whole.
import { request } from 'node:http'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { call, type Contract } from '../../../src/contract/capability.ts'
import { contract } from '../../../src/contract/index.ts'
import { quotes, trades } from '../../../src/contract/tables.ts'
import { tickRows } from '../../support/sample.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { plainHandlers } from '../../support/plain-handlers.ts'
import { serveSample, until } from './http-fixture.ts'

it('answers with success, data and meta', async () => {
  const { askJson } = await serveSample()
  const { status, headers, body } = await askJson('/v1/echo?text=hej')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(body).toEqual({
    success: true,
    data: { text: 'hej', count: 3, loud: false },
    meta: {
      correlation_id: headers.get('x-correlation-id'),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
    },
  })
})

it('puts the rows of an answer into data and where they came from into meta', async () => {
  const { post } = await serveSample()
  const { body } = await post('/v1/ticks', {})
  expect(body.data).toEqual(tickRows)
  expect(body.meta.query).toMatchObject({ engine: 'tail', partial: false, sources: { tail: { rows: 3 } } })
  expect(body).not.toHaveProperty('pagination')
})

it('reads numbers, booleans and lists out of the address', async () => {
  const { askJson } = await serveSample()
  const both = await askJson('/v1/echo?text=%C3%A6&count=7&loud=true&names=a,b&names=c')
  expect(both.body.data).toEqual({ text: 'æ', count: 7, loud: true, names: ['a', 'b', 'c'] })
})

it.each([
  ['what does not convert', 'text=a&count=abc', 'count'],
  ['a number out of range', 'text=a&count=11', 'count'],
  ['a fraction where integers go', 'text=a&count=1.5', 'count'],
  ['a boolean that is none', 'text=a&loud=yes', 'loud'],
  ['a scalar given twice', 'text=a&text=b', 'text'],
  ['a list that is too long', 'text=a&names=a,b,c,d', 'names'],
  ['a missing field', 'count=1', 'text'],
])('refuses %s, naming the field', async (_what, query, field) => {
  const { askJson } = await serveSample()
  const { status, body } = await askJson(`/v1/echo?${query}`)
  expect(status).toBe(400)
  expect(body).toMatchObject({ success: false, error: { code: 'INVALID_INPUT', retryable: false } })
  expect(body.error!.details).toEqual([expect.objectContaining({ field })])
  expect(body.error!.message).toContain(field)
})

it('refuses an unknown parameter, naming it and those that are allowed', async () => {
  const { askJson } = await serveSample()
  const { status, body } = await askJson('/v1/echo?text=a&colour=red')
  expect(status).toBe(400)
  expect(body.error!.message).toMatch(/colour.*text, count, loud, names/)
})

it('carries an expected failure whole', async () => {
  const { askJson } = await serveSample()
  const { status, body } = await askJson('/v1/fail/a%2Fb%20c')
  expect(status).toBe(404)
  expect(body.error).toEqual({
    code: 'NOT_FOUND',
    message: 'There is no a/b c.',
    details: { what: 'a/b c', known: ['a', 'b'] },
    retryable: false,
  })
})

it('hides a bug behind an id', async () => {
  const { askJson } = await serveSample()
  const { status, headers, body } = await askJson('/v1/bug')
  expect(status).toBe(500)
  expect(body.error!.code).toBe('INTERNAL')
  expect(body.error!.message).toContain(headers.get('x-correlation-id'))
  expect(JSON.stringify(body)).not.toContain('secret internals')
})

it.each([
  ['malformed JSON', '{"a":', 'not JSON'],
  ['a list', '[]', 'JSON object'],
  ['a text', '"a"', 'JSON object'],
  ['null', 'null', 'JSON object'],
  ['an unknown field', '{"a":1}', 'a'],
  ['a prototype', '{"__proto__":{"a":1}}', '__proto__'],
])('refuses %s as a body', async (_what, body, says) => {
  const { askJson } = await serveSample()
  const answer = await askJson('/v1/ticks', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  expect(answer.status).toBe(400)
  expect(answer.body.error!.code).toBe('INVALID_INPUT')
  expect(answer.body.error!.message).toContain(says)
})

it('takes an empty body as no fields', async () => {
  const { askJson } = await serveSample()
  expect((await askJson('/v1/ticks', { method: 'POST' })).status).toBe(200)
  const typed = await askJson('/v1/ticks', { method: 'POST', headers: { 'content-type': 'application/json' } })
  expect(typed.status).toBe(200)
})

it('refuses fields of a POST in the address', async () => {
  const { askJson } = await serveSample()
  const { status, body } = await askJson('/v1/ticks?limit=3', { method: 'POST' })
  expect(status).toBe(400)
  expect(body.error!.message).toMatch(/limit.*body/)
})

it('takes a field from the path once', async () => {
  const { askJson } = await serveSample()
  const { status, body } = await askJson('/v1/fail/a?what=b')
  expect(status).toBe(400)
  expect(body.error!.message).toMatch(/what.*path/)
})

it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x'])('refuses a body of %s', async type => {
  const { askJson } = await serveSample()
  const { status, body } = await askJson('/v1/ticks', { method: 'POST', body: '{}', headers: { 'content-type': type } })
  expect(status).toBe(415)
  expect(body.error!.code).toBe('UNSUPPORTED_MEDIA_TYPE')
})

it('refuses a compressed body rather than misreading it', async () => {
  const { askJson } = await serveSample()
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  expect((await askJson('/v1/ticks', { method: 'POST', body: '{}', headers })).status).toBe(415)
})

it('aborts a call whose caller is gone and records it as 499', async () => {
  const { url, witness, ends } = await serveSample()
  const asked = request(`${url}/v1/wait`, { headers: { 'x-api-key': 'a-key-of-the-test' } }).on('error', () => {})
  asked.end()
  expect(await until(() => witness.running === 1)).toBe(true)
  asked.destroy()
  expect(await until(() => witness.aborted === 1)).toBe(true)
  expect(ends).toEqual([expect.objectContaining({ method: 'GET', endpoint: '/v1/wait', status: 499 })])
})

const SESSION = '00000000-0000-4000-8000-000000000000'

/** Fields without which a question is refused; of a path, what stands for a name in it is 1 elsewhere. */
const REQUIRED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'trades.recent': { symbol: 'BHP', exchange: 'asx' },
  'quotes.recent': { symbol: 'BHP', exchange: 'asx' },
  'bars.list': { symbol: 'BHP', interval: '1m' },
  'summary.day': { symbol: 'BHP', date: '2014-03-10' },
  'aggregations.run': { symbols: ['BHP'], metrics: ['vwap'], interval: '1m' },
  'sql.run': { sql: 'SELECT 1' },
  'replay.control': { session: SESSION, action: 'pause' },
  'replay.state': { session: SESSION },
  'replay.close': { session: SESSION },
  'asof.join': { symbol: 'BHP' },
  'receipts.read': {
    snapshot: null,
    offsets: [],
    query: { name: 'trades.list', input: {} },
    hash: `sha256:${'0'.repeat(64)}`,
  },
}

it('answers every route of the real contract, rows with every column of their table', async () => {
  const dispatch = createDispatch(contract, plainHandlers(), { checkAnswers: true })
  const { ask, askJson, post } = await serveSample({ contract, dispatch })
  const answered: string[] = []
  for (const [name, { http, kind }] of Object.entries(contract as Contract)) {
    if (!http || kind === 'stream') continue
    const fields = new Map(Object.entries(REQUIRED[name] ?? {}))
    const path = http.path.replace(/\{(\w+)\}/g, (_, field: string) => {
      const value = fields.get(field) ?? '1'
      fields.delete(field)
      return value as string
    })
    const query = new URLSearchParams([...fields].map(([field, value]) => [field, value as string]))
    const { status, body } = await (http.method === 'POST'
      ? post(path, Object.fromEntries(fields))
      : askJson(fields.size > 0 ? `${path}?${query}` : path))
    expect([name, status, body.success]).toEqual([name, 200, true])
    answered.push(name)
  }
  expect(answered.length).toBeGreaterThan(5)
  const { body } = await askJson('/v1/quotes/recent?symbol=BHP&exchange=asx')
  expect(Object.keys((body.data as object[])[0])).toEqual(quotes.columns.map(column => column.name))
  const events = await (await ask('/v1/stream?data_type=trades')).text()
  const { rows } = JSON.parse(/^data: (.*)$/m.exec(events)![1]) as { rows: object[] }
  expect(Object.keys(rows[0])).toEqual(trades.columns.map(column => column.name))
})

it('answers 503 with what it found when it is not well', async () => {
  const ill = {
    'system.health': call({
      summary: 'Is everything well',
      http: { method: 'GET', path: '/health', open: true },
      input: z.strictObject({}),
      output: z.strictObject({ status: z.string(), dependencies: z.array(z.unknown()) }),
    }),
  }
  const dependencies = [
    { name: 'tail', healthy: true, why: null },
    { name: 'kafka', healthy: false, why: 'Broker unreachable.' },
  ]
  const health = { status: 'unhealthy', dependencies }
  const { askJson } = await serveSample({
    contract: ill,
    dispatch: createDispatch(ill, { 'system.health': () => health }),
  })
  const { status, body } = await askJson('/health')
  expect(status).toBe(503)
  expect(body).toMatchObject({ success: false, data: health, error: { code: 'UNAVAILABLE', retryable: true } })
  expect(body.error!.message).toContain('kafka: Broker unreachable.')
})
