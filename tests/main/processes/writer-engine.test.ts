// The writing half, composed, over a log in memory and tables on the disk.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadConfig } from '../../../src/main/config/load-config.ts'
import { placeHere } from '../../../src/main/host/place-here.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import {
  startWriterEngine,
  writerContract,
  type WriterEngineOptions,
  type WriterHooks,
} from '../../../src/main/processes/writer.ts'
import { produced } from '../../support/log-messages.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const TRADES = 'market.equities.trades.asx'

/** One that outlives the engine, as one of another process would. */
async function openTrades(): Promise<MessageLog> {
  const log = createEmbeddedLog({ maxBytes: 64e6 })
  onTestFinished(() => log.close())
  await log.createTopics([{ name: TRADES, partitions: 2 }])
  return { ...log, close: async () => {} }
}

async function openEngine(
  log: MessageLog,
  profile: string,
  options: Partial<WriterEngineOptions> = {},
  hooks: WriterHooks = {},
) {
  const env = { K2_PROFILE: profile, K2_LOG_LEVEL: 'silent', K2_CONSUMER_BATCH_SECONDS: '60' }
  const given = { config: loadConfig({ env }), ...options }
  const engine = placeHere(
    writerContract,
    own => startWriterEngine(own as WriterEngineOptions, () => log, hooks),
    given,
  )
  let closing: Promise<string[]> | undefined
  const close = () => (closing ??= engine.close(AbortSignal.timeout(10_000)))
  onTestFinished(async () => void (await close()))
  return { client: await engine.client(), close }
}

const trades = (count: number) =>
  produced(
    Array.from({ length: count }, (_, i) => {
      const exchange_timestamp_ms = 1_394_409_600_000 + i
      return [`S${i % 5}`, JSON.stringify({ symbol: `S${i % 5}`, exchange_timestamp_ms, price: '1.5', quantity: 1 })]
    }),
  )

describe('the writing half', () => {
  it('lets nobody else write what it writes by itself, in its own process neither', async () => {
    const log = await openTrades()
    const { client } = await openEngine(log, makeTempFolder(), { byItself: true })
    await log.append(TRADES, trades(10))
    await vi.waitFor(async () => expect(await client['ingest.status']({})).toMatchObject({ state: 'writing' }), 10_000)
    const consume = async () => {
      for await (const { rows } of client['ingest.consume']({ topic: TRADES })) expect(rows).toBe(0)
    }
    await expect(consume()).rejects.toMatchObject({
      code: 'FENCED',
      message: expect.stringContaining(`Process ${process.pid}`) as string,
    })
    await vi.waitFor(async () => expect(await client['ingest.status']({})).toMatchObject({ messages: 10 }), 10_000)
    expect(await client['ingest.status']({})).toMatchObject({ state: 'writing', why: null })
  })

  it('tells with each commit how far the log is in the table, and goes on where nobody hears it', async () => {
    const log = await openTrades()
    const told: Parameters<NonNullable<WriterHooks['committed']>>[0][] = []
    const committed: WriterHooks['committed'] = async now => {
      told.push(now)
      throw new Error('nobody there')
    }
    const { client } = await openEngine(log, makeTempFolder(), { byItself: true }, { committed })
    await log.append(TRADES, trades(10))
    await vi.waitFor(async () => expect(await client['ingest.status']({})).toMatchObject({ messages: 10 }), 10_000)
    expect(await client['writer.finish']({})).toMatchObject({ rows: 10 })
    const { table, offsets } = told.at(-1)!
    const next = offsets.map(({ topic, next }) => [topic, Object.values(next).reduce((sum, offset) => sum + offset)])
    expect([table, next]).toEqual(['trades', [[TRADES, 10]]])
  })

  it('asks the sources for what is missing where it is ten messages and more', async () => {
    const log = await openTrades()
    const asked: object[] = []
    const refill: WriterHooks['refill'] = gap => {
      asked.push(gap)
      return Promise.resolve({ requested: 0 })
    }
    const { client } = await openEngine(log, makeTempFolder(), { byItself: true }, { refill })
    const numbered = [1, 2, 5, 15, 16].map((sequence, i): [string, string] => {
      const time = { exchange_timestamp_ms: 1_394_409_600_000 + i }
      return ['BHP', JSON.stringify({ symbol: 'BHP', ...time, price: '1.5', quantity: 1, source_sequence: sequence })]
    })
    await log.append(TRADES, produced(numbered))
    await vi.waitFor(async () => expect(await client['ingest.status']({})).toMatchObject({ messages: 5 }), 10_000)
    expect(asked).toEqual([])
    await log.append(
      TRADES,
      produced(
        [27, 140].map((sequence, i): [string, string] => [
          'BHP',
          JSON.stringify({
            symbol: 'BHP',
            exchange_timestamp_ms: 1_394_409_601_000 + i,
            price: 1,
            quantity: 1,
            source_sequence: sequence,
          }),
        ]),
      ),
    )
    await vi.waitFor(() => expect(asked).toHaveLength(2), 10_000)
    const of = { exchange: 'ASX', symbol: 'BHP', data_type: 'trades' }
    expect(asked).toEqual([
      { ...of, from: 17, to: 26 },
      { ...of, from: 28, to: 139 },
    ])
  })

  it('commits what somebody had it consume before it closes its lake', async () => {
    const [log, profile] = [await openTrades(), makeTempFolder()]
    const { client, close } = await openEngine(log, profile)
    await log.append(TRADES, trades(20))
    const leaving = new AbortController()
    const seen: { messages: number; rows: number }[] = []
    const consuming = (async () => {
      for await (const progress of client['ingest.consume']({ topic: TRADES }, { signal: leaving.signal }))
        seen.push(progress)
    })().catch(() => {})
    await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ messages: 20 }), 10_000)
    leaving.abort()
    await sleep(1)
    expect(await close()).toEqual([])
    await consuming
    const after = await openEngine(log, profile)
    const rows = await after.client['offsets.show']({ topic: TRADES })
    expect(rows.reduce((sum, { next_offset: next }) => sum + Number(next), 0)).toBe(20)
  })
})
