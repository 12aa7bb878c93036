// The page when things go wrong or have not begun: nothing to show, a server that goes, comes back, is slow, was never there.
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { needs } from '../support/needs.ts'
import { axe, openPage, tapeRows } from '../support/open-page.ts'

const chromium = needs('chromium')
let browser: Browser
beforeAll(async () => {
  if (!chromium.skip) browser = await launchChromium()
})
afterAll(() => browser?.close())

const POLL = { timeout: 15_000 }

describe.skipIf(chromium.skip)(`with nothing to show${chromium.because}`, () => {
  it('says why, how to connect Kafka, and opens the demo workspace on a click', async () => {
    const { page, server } = await openPage(browser, { isRunning: false })
    await page.getByRole('heading', { name: 'No market data yet' }).waitFor()
    await page.getByText('The simulated market is off, and this version of K2 does not read Kafka yet.').waitFor()
    await page.getByText('K2_KAFKA_BROKERS=').waitFor()
    await page.getByRole('button', { name: 'Open the demo workspace' }).click()
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(5)
    expect(server.load.isRunning).toBe(true)
    await page.getByRole('button', { name: /Simulated market/ }).waitFor()
  })
})

describe.skipIf(chromium.skip)(`when the server goes${chromium.because}`, () => {
  it('keeps what it has, marked with its age, and goes on by itself without a gap', async () => {
    const { page, server } = await openPage(browser, { history: 2000, mayLoseConnection: true })
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(15)
    await server.vanish()
    await expect.poll(() => page.locator('.live').textContent(), POLL).toMatch(/lost.* s/)
    await expect.poll(() => page.locator('.pane-tape .stale-mark').textContent(), POLL).toMatch(/^[1-9][\d.]* s old$/)
    await expect
      .poll(() => page.locator('.frame > .provenance').textContent(), POLL)
      .toMatch(/Partial: the connection is gone, showing rows up to \d\d:\d\d:\d\d/)
    const kept = await tapeRows(page)
    expect(kept.length).toBeGreaterThan(15)
    expect(await page.locator('.live').getAttribute('title')).toMatch(/Trying again/)
    expect(await axe(page, '.pane-quotes')).toEqual([])

    await server.comeBack()
    await page.getByRole('button', { name: 'Reconnect' }).click()
    await expect.poll(() => page.locator('.live').textContent(), POLL).toMatch(/live/)
    expect(await page.locator('.stale-mark').count()).toBe(0)
    await expect.poll(() => page.locator('.frame > .provenance').textContent(), POLL).toMatch(/Complete/)
    server.load.isRunning = false
    const { trades, listings } = server.load.market
    const newest = () => listings[trades.listing.at(-1)!].symbol
    await expect.poll(async () => (await tapeRows(page))[0][1], POLL).toBe(newest())
  })

  it('says that rows may be missing when the log has begun anew meanwhile', async () => {
    const { page, server } = await openPage(browser, { history: 500, mayLoseConnection: true })
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(15)
    await server.vanish()
    await expect.poll(() => page.locator('.live').textContent(), POLL).toMatch(/lost/)
    await server.comeBack('anew')
    await expect
      .poll(() => page.locator('.frame > .provenance').textContent(), POLL)
      .toMatch(/Partial: rows before .* may be missing/)
  })

  it('says so when it could never be reached, and comes up when it can', async () => {
    const { page, server } = await openPage(browser, {
      history: 500,
      mayLoseConnection: true,
      prepare: ({ load }) => (load.answerAfterMs = 60_000),
    })
    await page.getByRole('heading', { name: 'K2 cannot be reached' }).waitFor({ timeout: 20_000 })
    await page.getByText('K2 has not answered for 8 s.').waitFor()
    server.load.answerAfterMs = 0
    await expect.poll(async () => (await tapeRows(page)).length, { timeout: 20_000 }).toBeGreaterThan(5)
  })
})

describe.skipIf(chromium.skip)(`when the server is slow${chromium.because}`, () => {
  it('shows the frame at once and a thin line, never a blank page', async () => {
    const { page } = await openPage(browser, { history: 500, prepare: ({ load }) => (load.answerAfterMs = 1200) })
    await page.getByRole('heading', { name: 'Tape' }).waitFor({ timeout: 1000 })
    await expect
      .poll(() => page.locator('.frame > .waiting-bar').evaluate(bar => getComputedStyle(bar).opacity), POLL)
      .toBe('1')
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeGreaterThan(5)
    await expect.poll(() => page.locator('.frame > .waiting-bar').isVisible(), POLL).toBe(false)
  })

  it('passes on why an answer is partial', async () => {
    const because = 'Kafka is unreachable, showing what came up to 10:41:05'
    const { page } = await openPage(browser, { history: 500, prepare: ({ load }) => (load.partialBecause = because) })
    await expect.poll(() => page.locator('.frame > .provenance').textContent(), POLL).toMatch(`Partial: ${because}`)
  })
})
