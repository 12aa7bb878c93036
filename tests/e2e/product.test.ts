import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Browser, Page } from 'playwright'
import { launchChromium } from '../support/chromium.ts'
import { ask, runK2, startK2 } from '../support/k2.ts'
import { needs } from '../support/needs.ts'

const root = resolve(import.meta.dirname, '../..')
const { skip, because } = needs('chromium')

let browser: Browser

async function openPage(url: string): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, colorScheme: 'dark' })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints }
}

const tapeRows = (page: Page) => page.locator('.pane-tape .row .time').filter({ hasText: /\d/ })

describe.skipIf(skip)(`the workstation in a browser${because}`, () => {
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser.close())

  it('shows live rows of the simulated market, the same as REST and the command line', async () => {
    const { url, pageUrl, profile } = await startK2(['app', '--demo'])
    const { page, complaints } = await openPage(pageUrl)
    await tapeRows(page).nth(10).waitFor()
    const first = await tapeRows(page).first().textContent()
    await expect.poll(() => tapeRows(page).first().textContent()).not.toBe(first)
    expect(await page.title()).toBe('K2 Workstation')

    // Until the sample is loaded, instruments are still coming.
    let symbols: string[] = []
    const namesOf = (rows: { symbol: string }[]) => rows.map(({ symbol }) => symbol).sort()
    const alike = async () => {
      const { body } = await ask<{ data: { symbol: string }[] }>(url, '/v1/symbols?exchange=ASX')
      const { stdout } = await runK2(['query', 'symbols', '--exchange', 'ASX', '-o', 'json', '--profile', profile])
      symbols = namesOf(JSON.parse(stdout) as { symbol: string }[])
      return symbols.length > 30 && symbols.join() === namesOf(body.data).join()
    }
    await expect.poll(alike, { timeout: 30_000, interval: 500 }).toBe(true)
    for (const symbol of symbols.slice(0, 10))
      await page.locator('.pane-symbols').getByText(symbol, { exact: true }).waitFor()

    // Long enough for the timeline to have something to tell.
    await page.waitForTimeout(8_000)
    const shots = process.env.K2_UPDATE === '1' ? join(root, 'docs') : join(root, 'tests/output')
    mkdirSync(shots, { recursive: true })
    await page.screenshot({ path: join(shots, 'workstation.png') })
    expect(complaints).toEqual([])
  })

  it('opens its address once, and a second time says what to do', async () => {
    const { pageUrl } = await startK2(['serve', '--demo'])
    const { page } = await openPage(pageUrl)
    await tapeRows(page).first().waitFor()
    expect(page.url()).not.toContain('token')
    await page.reload()
    await tapeRows(page).first().waitFor()
    const { page: second } = await openPage(pageUrl)
    expect(await second.locator('body').textContent()).toMatch(/start|again|new/i)
    expect(await tapeRows(second).count()).toBe(0)
  })

  it('says what to do when K2 was started anew behind it', async () => {
    const { url, pageUrl, profile, signal, ended } = await startK2(['serve', '--demo'])
    const { page } = await openPage(pageUrl)
    await tapeRows(page).first().waitFor()
    signal('SIGTERM')
    await ended
    await startK2(['serve', '--demo'], { profile, port: new URL(url).port })
    await page.getByText('K2 was started anew, open the address that it printed').waitFor({ timeout: 20_000 })
  })

  it('offers the simulated market on an empty profile, and shows it when taken', async () => {
    const { pageUrl } = await startK2(['serve'])
    const { page } = await openPage(pageUrl)
    await page.getByRole('button', { name: /demo/i }).first().click()
    await tapeRows(page).nth(5).waitFor()
  })

  it('goes on by itself when its engine process was killed', async () => {
    const { url, pageUrl } = await startK2(['serve', '--demo'])
    const { page } = await openPage(pageUrl)
    await tapeRows(page).first().waitFor()
    const { body } = await ask<{ data: { processes: { name: string; pid: number }[] } }>(url, '/v1/stats')
    process.kill(body.data.processes.find(({ name }) => name === 'live')!.pid, 'SIGKILL')
    await page.waitForTimeout(1_500)
    const shown = await tapeRows(page).first().textContent()
    await expect.poll(() => tapeRows(page).first().textContent(), { timeout: 8_000 }).not.toBe(shown)
  })
})
