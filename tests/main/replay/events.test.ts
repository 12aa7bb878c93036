// A session's rows as Server-Sent Events, at the session's own address and at that of what is live.
import { expect, it, onTestFinished } from 'vitest'
import { market } from '../../../src/contract/market.ts'
import { replaySessions } from '../../../src/contract/replay-sessions.ts'
import { createReplay } from '../../../src/main/replay/handlers.ts'
import { realTicker } from '../../../src/main/replay/pace.ts'
import type { ReplayTools } from '../../../src/main/replay/tools.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { append, START_MICROS, tempLake } from '../../support/lake.ts'
import { openReplayPlace } from '../../support/replay-place.ts'
import { replayTools } from '../../support/replay.ts'
import { replayBatch } from '../../support/replay-rows.ts'
import { serveSample } from '../wire/http-fixture.ts'

const contract = { 'tail.follow': market['tail.follow'], ...replaySessions }
const IDS = Array.from({ length: 50 }, (_, i) => `t${String(i).padStart(2, '0')}`)

interface Event {
  id: string
  batch: { trades: { message_id: string }[]; state: string }
}

async function someLake() {
  const lake = await tempLake()
  const rows = IDS.map((id, i) => ({ id, micros: START_MICROS + Math.floor(i / 3) * 1e6, sequence: i }))
  await append(lake, replayBatch('trades', rows))
  return lake
}

async function serveReplay(tools?: ReplayTools) {
  const opened = createReplay(tools ?? (await replayTools(await someLake())), realTicker)
  onTestFinished(() => opened.close())
  const live = { 'tail.follow': () => Promise.reject(new Error('nobody asked for what is live')) as never }
  const dispatch = createDispatch(contract, { ...live, ...opened.handlers }, { checkAnswers: true })
  const served = await serveSample({ contract, dispatch })
  const { body } = await served.post('/v1/replay/sessions', {
    speed: 'max',
    batch_size: 7,
    go_live: tools !== undefined,
  })
  return { ...served, session: (body.data as { session: string }).session }
}

type Ask = Awaited<ReturnType<typeof serveReplay>>['ask']

async function* eventsOf(ask: Ask, path: string, last?: string): AsyncGenerator<Event> {
  const leaving = new AbortController()
  const headers: Record<string, string> = last === undefined ? {} : { 'last-event-id': last }
  const response = await ask(path, { headers, signal: leaving.signal })
  expect(response.status).toBe(200)
  let rest = ''
  try {
    for await (const bytes of response.body!) {
      const blocks = (rest + Buffer.from(bytes as Uint8Array).toString()).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        const [, id, data] = /^id: (.*)\ndata: (.*)$/.exec(block) ?? []
        if (data) yield { id, batch: JSON.parse(data) as Event['batch'] }
      }
    }
  } finally {
    leaving.abort()
  }
}

/** From where an event left off, until so many batches with rows have come or the session has ended. */
async function follow(ask: Ask, path: string, { last, batches = Infinity }: { last?: string; batches?: number } = {}) {
  const ids: string[] = []
  let id = last
  for await (const event of eventsOf(ask, path, last)) {
    id = event.id
    ids.push(...event.batch.trades.map(row => row.message_id))
    if (event.batch.trades.length > 0) batches--
    if (batches === 0 || event.batch.state === 'ended') break
  }
  return { ids, last: id }
}

it.each([
  ['its own address', (session: string) => `/v1/replay/sessions/${session}/stream`],
  ['the address of what is live', (session: string) => `/v1/stream?replay_session=${session}`],
])('goes on behind the last event that a returning reader names, at %s', async (_where, pathOf) => {
  const { ask, post, session } = await serveReplay()
  await post(`/v1/replay/sessions/${session}/control`, { action: 'play' })
  const first = await follow(ask, pathOf(session), { batches: 2 })
  const second = await follow(ask, pathOf(session), { last: first.last, batches: 3 })
  const third = await follow(ask, pathOf(session), { last: second.last })
  expect(first.ids).toEqual(IDS.slice(0, 14))
  expect(second.ids).toEqual(IDS.slice(14, 35))
  expect(third.ids).toEqual(IDS.slice(35))
})

it('goes on behind the last event of what is live, and says when that is gone', async () => {
  const { lake, live, write } = await openReplayPlace(['trades'])
  const { ask, askJson, post, session } = await serveReplay(await replayTools(lake, live))
  const path = `/v1/stream?replay_session=${session}`
  await post(`/v1/replay/sessions/${session}/control`, { action: 'play' })
  write(35)
  const first = await follow(ask, path, { batches: 3 })
  const second = await follow(ask, path, { last: first.last, batches: 4 })
  const again = await follow(ask, path, { last: first.last, batches: 4 })
  expect(first.last).toMatch(/^live:/)
  expect(second.ids).toHaveLength(28)
  expect(again).toEqual(second)
  expect(new Set([...first.ids, ...second.ids]).size).toBe(45)
  await post(`/v1/replay/sessions/${session}/control`, { action: 'seek', to: '2020-01-01' })
  const gone = await askJson(path, { headers: { 'last-event-id': first.last! } })
  expect([gone.status, gone.body.error!.code]).toEqual([409, 'OFFSET_OUT_OF_RANGE'])
})

it('takes beside a session only what its own address takes, and says when there is no such session', async () => {
  const { askJson, session } = await serveReplay()
  const refused = await askJson(`/v1/stream?replay_session=${session}&symbols=BHP`)
  expect([refused.status, refused.body.error!.message]).toEqual([400, expect.stringContaining('symbols')])
  const twice = await askJson(`/v1/stream?replay_session=${session}&session=${session}`)
  expect([twice.status, twice.body.error!.code]).toEqual([400, 'INVALID_INPUT'])
  const gone = await askJson('/v1/stream?replay_session=6a7a2f9c-55b8-4c92-9a5e-0d8e9f6c1b2a')
  expect([gone.status, gone.body.error!.code]).toEqual([404, 'NOT_FOUND'])
})
