// How far behind the live view is: unknown, and not nothing, until its tails have looked.
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Failure } from '../../../src/contract/failure.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { tailLag } from '../../../src/main/processes/tail-lag.ts'
import { tailHandlers, type TailEngineOptions } from '../../../src/main/tail/handlers.ts'

const TRADES = 'market.crypto.trades.binance'
const QUOTES = 'market.crypto.quotes.binance'
const WAITING = 600_000

/** So much waits in each of its topics, and nothing comes. */
async function backlog(topics: readonly string[]): Promise<MessageLog> {
  const log = createEmbeddedLog({ maxBytes: 1e6 })
  onTestFinished(() => log.close())
  await log.createTopics(topics.map(name => ({ name, partitions: 1 })))
  return {
    ...log,
    ranges: () => Promise.resolve([{ partition: 0, earliest: 0, latest: WAITING }]),
  }
}

function openTails(log: MessageLog, startOffsets?: TailEngineOptions['startOffsets']) {
  const settings = { minutes: 5, maxPerSymbol: 100, maxMb: 16 }
  const tails = tailHandlers({ log, settings, startOffsets, logger: { info: () => {}, warn: () => {} } })
  onTestFinished(() => tails.close())
  return tails
}

const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 5_000, interval: 5 })

describe('the lag of the live view', () => {
  it('is not known while one of the tails cannot tell yet where it begins', async () => {
    let answer = () => {}
    const slow = new Promise<undefined>(resolve => (answer = () => resolve(undefined)))
    const tails = openTails(await backlog([TRADES, QUOTES]), table =>
      table === 'quotes' ? slow : Promise.resolve(undefined),
    )
    await soon(async () => expect((await tails.stats()).trades.partitions).toHaveLength(1))
    expect(await tailLag(tails)).toBeUndefined()
    answer()
    await soon(async () => expect(await tailLag(tails)).toBe(2 * WAITING))
  })

  it('is not known while the log cannot be asked', async () => {
    const log = await backlog([TRADES])
    let isAway = true
    const away = () => Promise.reject(new Failure('UNAVAILABLE', 'Away.'))
    const tails = openTails({ ...log, topics: () => (isAway ? away() : log.topics()) })
    await soon(async () => expect((await tails.stats()).trades.trouble).toBe('Away.'))
    expect(await tailLag(tails)).toBeUndefined()
    isAway = false
    await soon(async () => expect(await tailLag(tails)).toBe(WAITING))
  })

  it('is nothing where there is no topic to be read', async () => {
    const tails = openTails(await backlog([]))
    await soon(async () => expect(await tailLag(tails)).toBe(0))
  })
})
