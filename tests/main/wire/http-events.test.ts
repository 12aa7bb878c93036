// Streams as Server-Sent Events: as EventSource reads them, and what becomes of the producer when the reader does not.
import { request, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { stream } from '../../../src/contract/capability.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { KEY, serveSample, until, type Envelope } from './http-fixture.ts'

interface Event {
  id?: string
  event?: string
  data?: unknown
  comment?: string
}

function openStream(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { 'x-api-key': KEY, ...headers }, agent: false })
    asked.on('response', response => resolve(response.setEncoding('utf8'))).on('error', reject)
    asked.end()
    onTestFinished(() => void asked.destroy())
  })
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<Event> {
  let rest = ''
  for await (const chunk of response) {
    const blocks = (rest + (chunk as string)).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      const fields = block.split('\n').map(line => /^(\w*): ?(.*)$/.exec(line)!)
      const event = Object.fromEntries(fields.map(([, name, value]) => [name || 'comment', value]))
      yield event.data === undefined ? event : { ...event, data: JSON.parse(event.data) as unknown }
    }
  }
}

async function batchesOf(response: IncomingMessage): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of eventsOf(response)) if (event.data !== undefined) events.push(event)
  return events
}

it('sends each batch as an event with its cursor as the id', async () => {
  const { url } = await serveSample()
  const response = await openStream(`${url}/v1/count?to=2`)
  expect(response.statusCode).toBe(200)
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  })
  expect(response.headers).toHaveProperty('x-correlation-id')
  expect(await batchesOf(response)).toEqual([
    { id: '0', data: { n: 0, cursor: '0', ballast: '' } },
    { id: '1', data: { n: 1, cursor: '1', ballast: '' } },
  ])
})

it('goes on after the last event that a returning reader names, whatever its address says', async () => {
  const { url } = await serveSample()
  const first = await batchesOf(await openStream(`${url}/v1/count?to=4`, { 'last-event-id': '1' }))
  const again = await batchesOf(await openStream(`${url}/v1/count?to=4&after=0`, { 'last-event-id': '2' }))
  expect([first.map(({ id }) => id), again.map(({ id }) => id)]).toEqual([['2', '3'], ['3']])
  const twice = await openStream(`${url}/v1/count?after=0&after=1`, { 'last-event-id': '2' })
  expect(twice.statusCode).toBe(400)
})

it.each([
  ['invalid input', 'to=-1', 400, 'INVALID_INPUT'],
  ['a producer that cannot begin', 'fail_at=0', 503, 'UNAVAILABLE'],
])('fails as any route does on %s', async (_what, query, status, code) => {
  const { url } = await serveSample()
  const response = await fetch(`${url}/v1/count?${query}`, { headers: { 'x-api-key': KEY } })
  expect(response.status).toBe(status)
  expect(((await response.json()) as Envelope).error).toMatchObject({ code })
})

it('tells a failure on the way as an event and ends', async () => {
  const { url } = await serveSample()
  const events = await batchesOf(await openStream(`${url}/v1/count?to=9&fail_at=1`))
  expect(events).toEqual([
    expect.objectContaining({ id: '0' }),
    {
      event: 'failure',
      data: { code: 'UNAVAILABLE', message: 'The counter broke at 1.', details: { n: 1 }, retryable: true },
    },
  ])
})

it('opens before there is a batch, and shows that it lives', async () => {
  const contract = {
    silent: stream({
      summary: 'Never says anything',
      http: { method: 'GET', path: '/v1/silent' },
      input: z.strictObject({}),
      output: z.strictObject({}),
    }),
  }
  let ended = false
  const dispatch = createDispatch(contract, {
    async *silent(_input, { signal }) {
      try {
        await sleep(60_000, undefined, { signal })
        yield {}
      } finally {
        ended = true
      }
    },
  })
  const { url } = await serveSample({ contract, dispatch, heartbeatMs: 30 })
  const response = await openStream(`${url}/v1/silent`)
  let beats = 0
  for await (const { comment } of eventsOf(response)) {
    expect(comment).toBe('')
    if (++beats === 3) break
  }
  response.destroy()
  expect(await until(() => ended)).toBe(true)
})

it('ends the producer within a second when its reader vanishes, between batches and amid them', async () => {
  const { url, witness, ends } = await serveSample()
  const fast = await openStream(`${url}/v1/count?to=1000000000&pause_ms=1`)
  const idle = await openStream(`${url}/v1/count?to=1000000000&pause_ms=60000`)
  expect(await until(() => witness.produced > 3 && witness.running === 2)).toBe(true)
  fast.destroy()
  idle.destroy()
  expect(await until(() => witness.running === 0)).toBe(true)
  expect(witness.cleaned).toBe(2)
  expect(ends.map(({ status }) => status)).toEqual([499, 499])
})

it('takes nothing from the producer while its reader is slow, and ends it when the reader gives up', async () => {
  const { url, witness } = await serveSample()
  const response = await openStream(`${url}/v1/count?to=1000000000&wide=1000000`)
  response.pause()
  await sleep(300)
  const ahead = witness.produced
  await sleep(200)
  expect(witness.produced).toBe(ahead)
  expect(ahead).toBeLessThan(20)
  let seen = 0
  for await (const { data } of eventsOf(response)) if (data && ++seen > ahead + 5) break
  expect(witness.produced).toBeGreaterThan(ahead)
  response.destroy()
  expect(await until(() => witness.running === 0)).toBe(true)
})

it('keeps a batch without a cursor free of an id', async () => {
  const contract = {
    plain: stream({
      summary: 'Batches without cursors',
      http: { method: 'GET', path: '/v1/plain' },
      input: z.strictObject({}),
      output: z.strictObject({ n: z.int() }),
    }),
  }
  const dispatch = createDispatch(contract, {
    async *plain() {
      yield { n: 1 }
    },
  })
  const { url } = await serveSample({ contract, dispatch })
  expect(await batchesOf(await openStream(`${url}/v1/plain`))).toEqual([{ data: { n: 1 } }])
})

it('hides a batch that cannot be written behind an id and tells the log', async () => {
  const contract = {
    broken: stream({
      summary: 'A batch with a loop in it',
      http: { method: 'GET', path: '/v1/broken' },
      input: z.strictObject({}),
      output: z.unknown(),
    }),
  }
  const loop: { self?: unknown } = {}
  loop.self = loop
  const dispatch = createDispatch(contract, {
    async *broken() {
      yield loop
    },
  })
  const { url, bugs } = await serveSample({ contract, dispatch })
  const response = await openStream(`${url}/v1/broken`)
  const [event] = await batchesOf(response)
  expect(event).toMatchObject({ event: 'failure', data: { code: 'INTERNAL' } })
  expect(JSON.stringify(event)).toContain(response.headers['x-correlation-id'])
  expect(bugs).toEqual([expect.any(RangeError)])
})

it('tells its readers when the server closes, and does not wait for them', async () => {
  const { url, server, witness } = await serveSample()
  const reading = batchesOf(await openStream(`${url}/v1/count?to=1000000000&pause_ms=20`))
  const stuck = await openStream(`${url}/v1/count?to=1000000000&wide=1000000`)
  stuck.pause()
  expect(await until(() => witness.produced > 5)).toBe(true)
  const started = performance.now()
  await server.close()
  expect(performance.now() - started).toBeLessThan(2000)
  expect((await reading).at(-1)).toMatchObject({ event: 'failure', data: { code: 'UNAVAILABLE', retryable: true } })
  expect(await until(() => witness.running === 0)).toBe(true)
})
