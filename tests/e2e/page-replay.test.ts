// Chart and replay over real tables: what is drawn is what the tables answer, and every pane is at the replay's clock.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { ask } from '../support/k2.ts'
import { needs } from '../support/needs.ts'
import { axe, tapeRows } from '../support/open-page.ts'
import { openWorkstation } from '../support/open-workstation.ts'

const chromium = needs('chromium')
let browser: Browser
beforeAll(async () => {
  if (!chromium.skip) browser = await launchChromium()
})
afterAll(() => browser?.close())

const POLL = { timeout: 40_000 }
const OUTPUT = resolve(import.meta.dirname, '../output')

interface Bar {
  window_start: string
  open_price: string
  high_price: string
  close_price: string
  volume: string
  vwap: string
  trade_count: number
}
interface Trade {
  exchange_timestamp: string
  price: string
  quantity: string
}

const legend = (page: Page, name: string) => page.locator(`.legend [data-bar=${name}]`).textContent()
const number = (text: string | null) => Number((text ?? '').replaceAll(',', '').replace('−', '-'))

async function pick(page: Page, symbol: string): Promise<void> {
  await page.getByRole('option', { name: new RegExp(`^${symbol}`) }).click()
  await expect.poll(() => page.locator('.pane-chart .pane-subject .name').textContent(), POLL).toBe(`${symbol}.ASX`)
}

async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true })
  await page.screenshot({ path: join(OUTPUT, `${name}.png`) })
}

describe.skipIf(chromium.skip)(`the chart${chromium.because}`, () => {
  it(
    'shows the bars of the tables exactly, goes back and zooms, with never more bars than fit',
    { timeout: 300_000 },
    async () => {
      const { page, served } = await openWorkstation(browser, { colorScheme: 'light' })
      await pick(page, 'RIO')
      for (const interval of ['15m', '1d']) {
        const intervals = page.getByRole('group', { name: 'Length of a bar' })
        await intervals.getByRole('button', { name: interval, exact: true }).click()
        const { body } = await ask<{ data: Bar[] }>(served.url, `/v1/ohlcv/${interval}?symbol=RIO&exchange=ASX&limit=3`)
        const [before, last] = body.data.slice(-2)
        await expect.poll(async () => number(await legend(page, 'volume')), POLL).toBe(Number(last.volume))
        expect(number(await legend(page, 'open'))).toBe(Number(last.open_price))
        expect(number(await legend(page, 'high'))).toBe(Number(last.high_price))
        expect(number(await legend(page, 'close'))).toBe(Number(last.close_price))
        expect((await legend(page, 'vwap'))!.replace(/0+$/, '')).toBe(last.vwap.replace(/0+$/, ''))
        await page.locator('.chart').focus()
        // The first press points at the newest one.
        await page.keyboard.press('ArrowLeft')
        await page.keyboard.press('ArrowLeft')
        await expect.poll(async () => number(await legend(page, 'volume')), POLL).toBe(Number(before.volume))
        await page.keyboard.press('Escape')
      }
      await expect
        .poll(() => page.locator('#chart-summary').textContent(), POLL)
        .toMatch(/^RIO\.ASX, 5 bars of 1d from /)
      expect(await axe(page, '.pane-chart')).toEqual([])
      await shoot(page, 'chart-light')

      await page.setViewportSize({ width: 1280, height: 720 })
      await pick(page, 'BHP')
      await page.getByRole('button', { name: '1m', exact: true }).click()
      const time = () => legend(page, 'time')
      await expect.poll(time, POLL).toContain('Fri 14 Mar 2014')
      await page.locator('.chart').focus()
      const isThursday = async () => {
        await page.keyboard.press('PageUp')
        return ((await time()) ?? '').startsWith('Thu 13 Mar 2014')
      }
      await expect.poll(isThursday, { ...POLL, interval: 300 }).toBe(true)
      const bars = async () => Number(await page.locator('.chart').getAttribute('data-bars'))
      const widthPx = await page.locator('.chart').evaluate(chart => chart.clientWidth)
      for (let i = 0; i < 12; i++) await page.keyboard.press('-')
      await expect.poll(bars, POLL).toBeGreaterThan(90)
      expect(await bars()).toBeLessThanOrEqual(widthPx / 4)
      await page.keyboard.press('End')
      await expect.poll(time, POLL).toContain('Fri 14 Mar 2014')
    },
  )
})

describe.skipIf(chromium.skip)(`a replay${chromium.because}`, () => {
  it('has every pane at one clock, there and back, and ends with the same sum', { timeout: 300_000 }, async () => {
    const { page, served } = await openWorkstation(browser)
    await pick(page, 'RIO')
    await page.keyboard.press('r')
    const clock = page.getByRole('slider', { name: 'Clock of the replay' })
    await clock.waitFor(POLL)
    const account = page.locator('.transport-account')
    await expect.poll(() => account.textContent(), POLL).toContain('paused')

    const half = Math.round(Number(await clock.getAttribute('max')) / 2)
    await clock.fill(String(half))
    const inStep = async () => {
      const tape = await tapeRows(page)
      const [newest] = tape
      const { body } = await ask<{ data: Trade[] }>(
        served.url,
        '/v1/trades?symbol=RIO&exchange=ASX&start_time=2014-03-13T13:00:00Z&end_time=2014-03-14T06:00:00Z&limit=10000',
      )
      const day = body.data.map(trade => ({ ...trade, time: sydney(trade.exchange_timestamp) }))
      const then = day.filter(({ time }) => time < newest[0]).slice(0, 8)
      const shown = tape.filter(([time]) => time < newest[0]).slice(0, then.length)
      expect(shown.map(([time, , , price, , quantity]) => [time, number(price), number(quantity)])).toEqual(
        then.map(({ time, price, quantity }) => [time, Number(price), Number(quantity)]).slice(0, shown.length),
      )
      await expect
        .poll(async () => number(await legend(page, 'close')), POLL)
        .toBe(number((await tapeRows(page))[0][3]))
      return newest[0]
    }
    const newest = async () => (await tapeRows(page))[0]?.[0] ?? ''
    await expect.poll(newest, POLL).toMatch(/^1[0-4]:/)
    const atHalf = await inStep()

    await page.keyboard.press('Escape')
    await page.locator('.pane-tape .row-scroller').focus()
    await page.keyboard.press('Shift+ArrowRight')
    await expect.poll(async () => (await newest()) > atHalf, POLL).toBe(true)
    await inStep()
    await page.keyboard.press('Shift+ArrowLeft')
    await page.keyboard.press('Shift+ArrowLeft')
    await expect.poll(async () => (await newest()) < atHalf, POLL).toBe(true)
    await inStep()
    expect(await axe(page)).toEqual([])
    await shoot(page, 'replay-dark')

    await page.getByRole('combobox', { name: 'Speed' }).selectOption('max')
    const sums = new Set<string>()
    for (let run = 0; run < 2; run++) {
      await clock.fill(String(half))
      await expect.poll(newest, POLL).toBe(atHalf)
      await page.getByRole('button', { name: 'Play', exact: true }).click()
      await expect.poll(() => account.textContent(), { timeout: 90_000 }).toContain('ended')
      sums.add((await page.locator('.checksum').textContent())!)
    }
    expect([...sums]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)])
    await page.locator('.pane-tape .row-scroller').focus()
    await page.keyboard.press('Home')
    await expect.poll(() => page.locator('.transport').count(), POLL).toBe(0)
    expect(await page.locator('.frame').getAttribute('data-mode')).toBe('live')
  })
})

function sydney(instant: string): string {
  const ms = Date.parse(instant)
  const time = new Intl.DateTimeFormat('en-GB', { timeZone: 'Australia/Sydney', timeStyle: 'medium' }).format(ms)
  return `${time}.${instant.slice(20, 23)}`
}
