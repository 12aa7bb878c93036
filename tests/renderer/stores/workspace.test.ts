// The stores together, over a real connection to synthetic rows: what arrives, what is held, what a reconnect keeps.
import { describe, expect, it, onTestFinished } from 'vitest'
import { followTail } from '../../../src/renderer/stores/follow-tail.ts'
import { heldRows, slotOf } from '../../../src/renderer/stores/ring.ts'
import { createDensity } from '../../../src/renderer/stores/density.ts'
import { watchDemo } from '../../../src/renderer/stores/demo.ts'
import { createInstruments } from '../../../src/renderer/stores/instruments.ts'
import { followQuotesOf } from '../../../src/renderer/stores/quotes.ts'
import { pollSymbols } from '../../../src/renderer/stores/symbols.ts'
import { createTapeView } from '../../../src/renderer/stores/tape-view.ts'
import { followAllTrades, followTradesOf } from '../../../src/renderer/stores/trades.ts'
import { spreadAt } from '../../../src/renderer/panes/quotes/spread.ts'
import { openTestLink, until, type TestLink } from '../../support/page-link.ts'

function follow(test: TestLink) {
  const instruments = createInstruments()
  const density = createDensity()
  const trades = followAllTrades(test.link, instruments, density)
  onTestFinished(() => trades.close())
  return { instruments, density, trades }
}

/** Which trades of the market are in the ring, oldest first. */
function timesOf({ ring }: ReturnType<typeof follow>['trades']): number[] {
  return Array.from({ length: heldRows(ring) }, (_, at) => ring.time[slotOf(ring, ring.end - heldRows(ring) + at)])
}

describe('all trades', () => {
  it('begin with those from before and go on without a gap', async () => {
    const test = openTestLink()
    test.trade(300)
    const { trades, density, instruments } = follow(test)
    await until(() => trades.received === 300)
    test.trade(200)
    await until(() => trades.received === 500)
    expect(timesOf(trades)).toEqual(test.load.market.trades.time)
    expect(density.edge).toBe(test.load.market.trades.time.at(-1))
    const [newest] = [trades.ring.codes.instrument[slotOf(trades.ring, trades.ring.end - 1)]]
    expect(instruments.all[newest].symbol).toBe(
      test.load.market.listings[test.load.market.trades.listing.at(-1)!].symbol,
    )
  })

  it('go on after the last row taken when the connection comes back', async () => {
    const test = openTestLink()
    const { trades } = follow(test)
    test.trade(100)
    await until(() => trades.received === 100)
    test.cut()
    test.trade(250)
    await until(() => test.link.store.getState().state === 'lost')
    expect(heldRows(trades.ring), 'what was shown stays').toBe(100)
    await until(() => trades.received === 350)
    expect(timesOf(trades)).toEqual(test.load.market.trades.time)
    expect(trades.state.getState()).toEqual({ hasRows: true, missed: 0 })
  })

  it('begin anew, and say so, when the log knows their place no more', async () => {
    const test = openTestLink()
    const { trades } = follow(test)
    test.trade(10)
    await until(() => trades.received === 10)
    test.load.epoch++
    test.cut()
    await until(() => trades.state.getState().brokenAtMs !== undefined)
    test.trade(5)
    await until(() => trades.received > 15)
  })

  it('say why nothing comes, and stop saying it when rows come again', async () => {
    const test = openTestLink()
    const stalls: (string | undefined)[] = []
    const end = followTail(
      test.link,
      { data_type: 'trades', exchange: 'no such name!', backlog: 0 },
      { take: () => {}, missed: () => {}, lostPlace: () => {}, stalled: why => stalls.push(why) },
    )
    onTestFinished(end)
    await until(() => stalls.length > 0)
    expect(stalls[0]).toMatch(/exchange/)
  })
})

describe('the tape', () => {
  it('stays still while held and has everything when it goes on', async () => {
    const test = openTestLink()
    const { trades } = follow(test)
    const tape = createTapeView(trades, () => undefined)
    test.trade(50)
    await until(() => trades.received === 50)
    tape.hold()
    const { held } = tape.state.getState()
    test.trade(70_000)
    await until(() => trades.received === 70_050)
    expect(held!.end).toBe(50)
    expect(Array.from(held!.time.slice(0, 50))).toEqual(test.load.market.trades.time.slice(0, 50))
    tape.goLive()
    expect(tape.state.getState().held).toBeUndefined()
    expect(trades.ring.time[slotOf(trades.ring, trades.ring.end - 1)]).toBe(test.load.market.trades.time.at(-1))
  })

  it("shows one instrument's trades when asked, and all again", async () => {
    const test = openTestLink()
    test.trade(400)
    const { trades, instruments } = follow(test)
    const bhp = instruments.find('BHP', 'ASX')
    const one = followTradesOf(test.link, instruments, bhp)
    onTestFinished(() => one.close())
    const tape = createTapeView(trades, () => one)
    await until(() => one.received > 0 && trades.received === 400)
    tape.show('one')
    const { ring } = tape.feed()
    const wanted = test.load.market.trades.listing.filter(at => test.load.market.listings[at].symbol === 'BHP')
    expect(ring.end).toBe(wanted.length)
    expect(new Set(ring.codes.instrument.slice(0, ring.end))).toEqual(new Set([bhp.id]))
    tape.show('all')
    expect(tape.feed()).toBe(trades)
  })
})

describe('quotes', () => {
  it('come with spread, middle and tick of their instrument', async () => {
    const test = openTestLink()
    test.trade(2000)
    const instruments = createInstruments()
    const feed = followQuotesOf(test.link, instruments.find('BHP', 'ASX'))
    onTestFinished(() => feed.close())
    await until(() => feed.received > 100)
    expect(feed.tick / 10 ** feed.tickScale).toBeCloseTo(0.01)
    expect(feed.decimals).toBe(2)
    const spreads = Array.from({ length: 50 }, (_, at) =>
      spreadAt(feed.ring, slotOf(feed.ring, feed.ring.end - 1 - at), feed),
    )
    expect(spreads.every(({ ticks }) => /^(\d tick(s)?|)$/.test(ticks))).toBe(true)
    expect(
      spreads.some(({ ticks, price, middle }) => ticks === '1 tick' && price === '0.01' && /\.\d{3}$/.test(middle)),
    ).toBe(true)
  })
})

describe('what is polled', () => {
  it('names every symbol and how complete the tail is', async () => {
    const test = openTestLink()
    test.load.partialBecause = 'the lake is not read yet'
    const instruments = createInstruments()
    const symbols = pollSymbols(test.link, instruments)
    onTestFinished(() => symbols.close())
    await until(() => symbols.state.getState().count !== undefined)
    expect(symbols.state.getState().count).toBe(test.load.market.listings.length)
    expect(symbols.state.getState().query).toMatchObject({ partial: true, why: 'the lake is not read yet' })
    expect(instruments.named('BHP.ASX')!.companyName).toBe('BHP Group Limited')
  })

  it('starts the simulated market, changes its rate within limits, and stops it', async () => {
    const test = openTestLink()
    test.load.isRunning = false
    const demo = watchDemo(test.link)
    onTestFinished(() => demo.close())
    await until(() => demo.state.getState().status !== undefined)
    await demo.run()
    expect(demo.state.getState().status).toMatchObject({ running: true, rate: 2000 })
    await demo.run(999_999)
    expect(demo.state.getState().status).toMatchObject({ running: true, rate: 200_000 })
    await demo.stop()
    expect(demo.state.getState().status!.running).toBe(false)
  })

  it('says in words what a wish ran into', async () => {
    const test = openTestLink({ isRefusing: true })
    const demo = watchDemo(test.link)
    onTestFinished(() => demo.close())
    await demo.run()
    expect(demo.state.getState()).toMatchObject({
      isBusy: false,
      failure: expect.stringMatching(/not connected/) as string,
    })
  })
})
