// The live half with its own log, when the tables fall behind it: composed as it is at work, and told of commits as a writer does.
import { expect, it } from 'vitest'
import { openLive, type LiveClient } from '../support/live-engine.ts'
import { produced } from '../support/market-messages.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

const TOPIC = 'market.equities.trades.asx'
const START = Date.now() * 1000

async function begin(env: Record<string, string> = {}): Promise<LiveClient> {
  const profile = makeTempFolder()
  const { client } = await openLive({ K2_PROFILE: profile, K2_TAIL_MAX_MB: '1', ...env })
  await client['log.createTopics']({ specs: [{ name: TOPIC, partitions: 1 }] })
  await client['log.append']({ topic: TOPIC, messages: messages() })
  // It is being read.
  await expect.poll(async () => (await client['tail.stats']({})).trades.total_messages, { timeout: 10_000 }).toBe(100)
  return client
}

const messages = () =>
  produced(
    'trades',
    Array.from({ length: 100 }, (_, id) => ({ symbol: 'BHP', id, micros: START + id })),
  )

async function commit(client: LiveClient, next: number): Promise<void> {
  const [cluster, [{ epoch }]] = await Promise.all([client['log.cluster']({}), client['log.topics']({})])
  await client['tail.committed']({ table: 'trades', offsets: [{ cluster, epoch, topic: TOPIC, next: { 0: next } }] })
}

/** Until it takes no more, or more than it has memory for. */
async function fill(client: LiveClient): Promise<unknown> {
  for (let i = 0; i < 500; i++) {
    const refused = await client['log.append']({ topic: TOPIC, messages: messages() }).catch((error: unknown) => error)
    if (refused instanceof Error) return refused
  }
}

it('keeps what its writer has not written, and takes more when it has', async () => {
  const client = await begin()
  await commit(client, 50)
  expect(await fill(client)).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  const [{ earliest, latest }] = await client['log.ranges']({ topic: TOPIC })
  expect(earliest).toBeLessThanOrEqual(50)
  expect(latest).toBeGreaterThan(1000)
  await commit(client, latest)
  await client['log.append']({ topic: TOPIC, messages: messages() })
  expect((await client['log.ranges']({ topic: TOPIC }))[0].latest).toBe(latest + 100)
})

it('lets the oldest go where K2 is not to write', async () => {
  const client = await begin({ K2_WRITER: 'off' })
  await commit(client, 50)
  expect(await fill(client)).toBeUndefined()
  expect((await client['log.ranges']({ topic: TOPIC }))[0].earliest).toBeGreaterThan(50)
})
