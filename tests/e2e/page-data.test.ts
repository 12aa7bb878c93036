// The page in a browser: rows arrive, stand still when held, go on; symbols are found and followed; numbers and times are right.
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { needs } from '../support/needs.ts'
import { openPage, rowsOf, tapeRows } from '../support/open-page.ts'

const chromium = needs('chromium')
let browser: Browser
beforeAll(async () => {
  if (!chromium.skip) browser = await launchChromium()
})
afterAll(() => browser?.close())

const POLL = { timeout: 10_000 }

describe.skipIf(chromium.skip)(`the live tape${chromium.because}`, () => {
  it('shows trades as they arrive, the newest on top, none left out', async () => {
    const { page, server } = await openPage(browser, { tradesPerSecond: 400 })
    await page.evaluate(() => {
      document.addEventListener('k2:painted', event =>
        Object.assign(window, { painted: (event as CustomEvent<unknown>).detail }),
      )
    })
    await expect.poll(() => server.load.market.trades.time.length, POLL).toBeGreaterThan(1500)
    server.load.isRunning = false
    const { trades, listings } = server.load.market
    await expect
      .poll(() => page.evaluate(() => (window as never as { painted: { received: number } }).painted.received), POLL)
      .toBe(trades.time.length)
    const rows = await tapeRows(page)
    expect(rows.length).toBeGreaterThan(15)
    const wanted = rows.map((_, back) => listings[trades.listing.at(-1 - back)!].symbol)
    expect(rows.map(([, symbol]) => symbol)).toEqual(wanted)
    expect(rows[0][0]).toBe(sydneyTime(trades.time.at(-1)!))
    const last = listings[trades.listing.at(-1)!]
    expect(Number(rows[0][3].replaceAll(',', ''))).toBeCloseTo((trades.price.at(-1)! * last.tick) / 1e8)
  })

  it('stands still while held, scrolls back, and goes on with everything that came', async () => {
    const { page, server } = await openPage(browser, { tradesPerSecond: 400, history: 3000 })
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(15)
    await page.keyboard.press('Space')
    await page.waitForTimeout(120)
    const held = await tapeRows(page)
    await page.waitForTimeout(1500)
    expect(await tapeRows(page)).toEqual(held)
    await expect.poll(() => page.locator('.progress').textContent(), POLL).toMatch(/^Held at .* · [1-9][\d,]* new$/)

    await page.locator('.pane-tape .row-scroller').hover()
    await page.mouse.wheel(0, 4000)
    await expect.poll(async () => (await tapeRows(page))[10][0] < held[10][0], POLL).toBe(true)

    await page.keyboard.press('Home')
    await expect.poll(() => page.getByRole('button', { name: /Pause/ }).count(), POLL).toBe(1)
    server.load.isRunning = false
    await expect
      .poll(async () => (await tapeRows(page))[0][0], POLL)
      .toBe(sydneyTime(server.load.market.trades.time.at(-1)!))
  })

  it('holds by itself when one scrolls back', async () => {
    const { page } = await openPage(browser, { history: 3000 })
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(15)
    await page.locator('.pane-tape .row-scroller').hover()
    await page.mouse.wheel(0, 200)
    await page.locator('.hold[aria-pressed=true]').waitFor()
  })

  it('is in the order of time on a press on its head, and as it came on the next', async () => {
    const { page } = await openPage(browser, { history: 2000 })
    const head = page.locator('.pane-tape').getByRole('button', { name: 'Time' })
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(5)
    await head.click()
    expect(await head.getAttribute('aria-pressed')).toBe('true')
    const isInOrder = async () => {
      const times = (await tapeRows(page)).map(([time]) => time)
      return times.every((time, at) => at === 0 || time <= times[at - 1])
    }
    await expect.poll(isInOrder, POLL).toBe(true)
    await head.click()
    expect(await head.getAttribute('aria-pressed')).toBe('false')
  })

  it('shows microseconds of the row that is pointed at', async () => {
    const { page } = await openPage(browser, { history: 500 })
    const row = page.locator('.pane-tape .row').nth(5)
    await row.hover()
    await expect.poll(() => row.locator('.time').textContent(), POLL).toMatch(/^\d\d:\d\d:\d\d\.\d{6}$/)
  })

  it('follows one symbol on a click in the list, and all on the next', async () => {
    const { page } = await openPage(browser, { tradesPerSecond: 800, history: 4000 })
    const rio = page.getByRole('option', { name: /^RIO/ })
    await rio.click()
    await expect
      .poll(async () => [...new Set((await tapeRows(page)).map(([, symbol]) => symbol))], POLL)
      .toEqual(['RIO'])
    await expect.poll(() => page.locator('.pane-quotes .pane-subject .name').textContent(), POLL).toBe('RIO.ASX')
    await expect
      .poll(async () => (await rowsOf(page, '.pane-quotes .row:not([hidden])')).length, POLL)
      .toBeGreaterThan(5)
    await rio.click()
    await expect
      .poll(async () => new Set((await tapeRows(page)).map(([, symbol]) => symbol)).size, POLL)
      .toBeGreaterThan(3)
  })

  it('follows the symbol of a row on a click in the tape', async () => {
    const { page, server } = await openPage(browser, { history: 4000 })
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(15)
    server.load.isRunning = false
    await page.waitForTimeout(200)
    const symbol = (await tapeRows(page))[3][1]
    await page.locator('.pane-tape .row .symbol').nth(3).click()
    await expect.poll(async () => [...new Set((await tapeRows(page)).map(([, name]) => name))], POLL).toEqual([symbol])
  })
})

describe.skipIf(chromium.skip)(`symbols and quotes${chromium.because}`, () => {
  it('narrows the list to what is typed after a slash, and Esc gives it back', async () => {
    const { page, server } = await openPage(browser, { history: 2000 })
    const options = page.getByRole('listbox', { name: 'Symbols' }).getByRole('option')
    await expect.poll(() => options.count(), POLL).toBeGreaterThan(15)
    await page.keyboard.press('/')
    await page.keyboard.type('usdt')
    const count = page.locator('.pane-symbols .count')
    await expect.poll(() => count.textContent(), POLL).toBe(`12 of ${server.load.market.listings.length}`)
    expect((await options.allTextContents()).every(text => text.includes('USDT'))).toBe(true)
    await page.keyboard.type('nothing')
    await page.getByText('No symbol matches “usdtnothing”').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => count.textContent(), POLL).toBe(String(server.load.market.listings.length))
  })

  it('is walked by the arrows and followed by the quotes', async () => {
    const { page } = await openPage(browser, { history: 2000 })
    await expect.poll(() => page.getByRole('option').count(), POLL).toBeGreaterThan(15)
    await page.keyboard.press('g')
    await page.keyboard.press('s')
    const subject = page.locator('.pane-quotes .pane-subject .name')
    await expect.poll(() => subject.textContent(), POLL).toBe('BHP.ASX')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await expect.poll(() => subject.textContent(), POLL).toBe('CBA.ASX')
    const active = await page.locator('#symbol-list').getAttribute('aria-activedescendant')
    expect(await page.locator(`#${active!}`).getAttribute('aria-selected')).toBe('true')
    await page.keyboard.press('End')
    await expect.poll(() => subject.textContent(), POLL).toBe('XRPUSDT.BINANCE')
  })

  it('shows the best bid and ask, the spread in ticks, and the middle', async () => {
    const { page, server } = await openPage(browser, { history: 3000 })
    await expect
      .poll(async () => (await rowsOf(page, '.pane-quotes .row:not([hidden])')).length, POLL)
      .toBeGreaterThan(5)
    server.load.isRunning = false
    await page.waitForTimeout(300)
    const { quotes, listings } = server.load.market
    const at = quotes.listing.lastIndexOf(listings.findIndex(({ symbol }) => symbol === 'BHP'))
    const bid = quotes.price[at] / 100
    const ask = (quotes.price[at] + quotes.extra[at]) / 100
    const cell = (name: string) => page.locator(`.top-of-book [data-cell=${name}]`).textContent()
    expect(await cell('ask')).toBe(ask.toFixed(2))
    expect(await cell('bid')).toBe(at % 100 === 99 ? 'no bid' : bid.toFixed(2))
    if (at % 100 !== 99)
      expect(await cell('ticks')).toBe(quotes.extra[at] === 1 ? '1 tick' : `${quotes.extra[at]} ticks`)
  })

  it('shows every time on the page in the zone that is picked, named in the header', async () => {
    const { page, server } = await openPage(browser, { history: 500, context: { timezoneId: 'America/New_York' } })
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(15)
    server.load.isRunning = false
    await page.waitForTimeout(300)
    const newest = server.load.market.trades.time.at(-1)!
    const zone = page.getByLabel('Zone of all times')
    expect((await tapeRows(page))[0][0]).toBe(sydneyTime(newest))
    await zone.selectOption('UTC')
    await expect.poll(async () => (await tapeRows(page))[0][0], POLL).toBe(timeIn('UTC', newest))
    await zone.selectOption('New York time (local)')
    await expect.poll(async () => (await tapeRows(page))[0][0], POLL).toBe(timeIn('America/New_York', newest))
    expect(await page.locator('.moment-time').textContent()).toBe(timeIn('America/New_York', newest).slice(0, 8))
  })
})

function sydneyTime(micros: number): string {
  return timeIn('Australia/Sydney', micros)
}

function timeIn(timeZone: string, micros: number): string {
  const ms = Math.floor(micros / 1000)
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' }).format(ms)
  return `${time}.${String(ms % 1000).padStart(3, '0')}`
}
