// What the writer finds missing in the tables is fetched once more, where the stream that runs has not taken it.
import { describe, expect, it, vi } from 'vitest'
import { createTradeIds } from '../../../../src/main/sources/binance/trade-ids.ts'
import { tradesIn } from './read-messages.ts'
import { connected, held, openLog, openServer, SOON, start } from './run-stream.ts'

describe('what is asked for once more', () => {
  it('is what came before the first and what was given up, each once, and nothing that was taken or is waited for', () => {
    const ids = createTradeIds()
    expect(ids.reopen('A', { from: 1, to: 9 })).toEqual([])
    ids.take('A', 10)
    ids.take('A', 20)
    expect(ids.reopen('A', { from: 5, to: 15 })).toEqual([{ from: 5, to: 9 }])
    expect(ids.reopen('A', { from: 5, to: 15 })).toEqual([])
    ids.giveUp('A', { from: 12, to: 14 })
    expect(ids.reopen('A', { from: 8, to: 13 })).toEqual([{ from: 12, to: 13 }])
    expect(ids.missingIn('A', { from: 0, to: 100 })).toEqual([
      { from: 5, to: 9 },
      { from: 11, to: 11 },
      { from: 12, to: 13 },
      { from: 15, to: 19 },
    ])
    expect([7, 7, 13, 14, 4].map(id => ids.take('A', id).isNew)).toEqual([true, false, true, false, false])
  })

  it('comes out of the exchange’s history into the log, as long as a stream of it runs', async () => {
    const [server, log] = [await openServer(), openLog()]
    server.trade('BTCUSDT', 20)
    const running = start(server, log)
    await connected(server)
    server.trade('BTCUSDT')
    await held(log, 1)
    expect(running.refill('ETHUSDT', { from: 5, to: 14 })).toBe(0)
    expect(running.refill('BTCUSDT', { from: 5, to: 14 })).toBe(10)
    expect(running.refill('BTCUSDT', { from: 5, to: 14 })).toBe(0)
    await held(log, 11)
    const numbers = (await tradesIn(log)).map(({ source_sequence: number }) => Number(number))
    expect(numbers.sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 21])
    await vi.waitFor(() => expect(running.now()).toMatchObject({ gaps: 10, backfilled: 10 }), SOON)
    await running.stop()
    expect(running.refill('BTCUSDT', { from: 1, to: 4 })).toBe(0)
  })
})
