// The explorer and going back, in a browser against the whole program with its sample and its simulated market.
import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { startK2 } from '../support/k2.ts'
import { needs } from '../support/needs.ts'
import { axe } from '../support/open-page.ts'

const chromium = needs('chromium')
let browser: Browser
beforeAll(async () => {
  if (!chromium.skip) browser = await launchChromium()
})
afterAll(() => browser?.close())

const POLL = { timeout: 45_000, interval: 250 }
const WAIT = { timeout: 60_000 }

async function openExplorer(): Promise<{ page: Page; complaints: string[] }> {
  const { pageUrl } = await startK2(['serve', '--demo'])
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
    timezoneId: 'Asia/Tokyo',
  })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  await page.goto(pageUrl)
  await page.locator('.result-grid .ag-row').nth(2).waitFor(WAIT)
  return { page, complaints }
}

/** Texts of a column, from the top. */
const cells = (page: Page, column: string) =>
  page.$$eval(
    '.result-grid .ag-row',
    (rows, name) =>
      rows
        .map(row => ({ at: Number(row.getAttribute('row-index')), cell: row.querySelector(`[col-id="${name}"]`) }))
        .sort((one, other) => one.at - other.at)
        .flatMap(({ cell }) => (cell?.textContent ? [cell.textContent] : [])),
    column,
  )
async function savedCsv(page: Page): Promise<string> {
  const saving = page.waitForEvent('download', WAIT)
  await page.getByRole('button', { name: 'CSV ↓' }).click()
  return readFile(await (await saving).path(), 'utf8')
}
const countText = (page: Page) => page.locator('.pane-explorer .count').textContent()

describe.skipIf(chromium.skip)(`the explorer${chromium.because}`, () => {
  it(
    'shows rows of the selected symbol, runs SQL, marks its faults, and goes back to a snapshot',
    { timeout: 240_000 },
    async () => {
      const { page, complaints } = await openExplorer()
      const name = await page.locator('.pane-quotes .pane-subject .name').textContent()
      const [symbol] = name!.split('.')
      await expect.poll(async () => [...new Set(await cells(page, 'symbol'))], POLL).toEqual([symbol])
      expect(await countText(page)).toMatch(/^[\d,]+ rows?$/)
      const times = await cells(page, 'exchange_timestamp')
      expect(times[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/)
      expect([...times].sort().reverse()).toEqual(times)

      await page.getByRole('button', { name: 'SQL', exact: true }).click()
      const editor = page.getByRole('textbox', { name: /^SQL over trades/ })
      await editor.fill("SELECT i, i * 1.25 AS share, 'n' || i AS name FROM range(1, 4) AS of(i)")
      await page.keyboard.press('Control+Enter')
      await expect.poll(() => cells(page, 'share'), POLL).toEqual(['1.25', '2.50', '3.75'])
      expect(await countText(page)).toBe('3 rows')

      await page.locator('.result-grid .ag-header-cell[col-id="i"] .ag-header-cell-label').click()
      await page.locator('.result-grid .ag-header-cell[col-id="i"] .ag-header-cell-label').click()
      await expect.poll(() => cells(page, 'i'), POLL).toEqual(['3', '2', '1'])
      await page.getByRole('textbox', { name: 'name Filter Input' }).fill('N2')
      await expect.poll(() => countText(page), POLL).toBe('1 of 3 rows')
      await expect.poll(() => cells(page, 'name'), POLL).toEqual(['n2'])

      await editor.fill('SELECT cuont(*) FROM trades')
      await page.keyboard.press('Control+Enter')
      await page.getByRole('alert').filter({ hasText: 'line 1, column 8' }).waitFor(WAIT)
      expect(await page.locator('.sql-under mark').textContent()).toBe('cuont')
      expect(await cells(page, 'name'), 'the rows of before stay').toEqual(['n2'])
      expect(await axe(page, '.pane-explorer')).toEqual([])

      await editor.fill('SELECT 1 AS one, 2 AS two WHERE false')
      await page.keyboard.press('Control+Enter')
      await expect.poll(() => countText(page), POLL).toBe('0 rows')
      expect(await savedCsv(page), 'no rows, and no grid').toBe('one,two\r\n')

      await editor.fill(
        "SELECT i, TIMESTAMPTZ '2026-03-01 23:30:00+00' + i * INTERVAL '3 hours' AS at FROM range(2) AS of(i)",
      )
      await page.keyboard.press('Control+Enter')
      await expect.poll(() => cells(page, 'at'), POLL).toHaveLength(2)
      await page.getByRole('textbox', { name: 'at Filter Input' }).fill('2026-03-02 10:00:00')
      await expect.poll(() => countText(page), POLL).toMatch(/^\d of 2 rows$/)
      await page.locator('.brand').click()
      await page.keyboard.press('Control+k')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.type('times in local time')
      await page.keyboard.press('Enter')
      await expect.poll(() => cells(page, 'at'), POLL).toEqual(['2026-03-02 11:30:00.000000'])
      await expect.poll(() => countText(page), POLL).toBe('1 of 2 rows')
      expect(await savedCsv(page), 'as filtered in the zone that is shown').toMatch(/^i,at\r\n1,.*02:30:00.*\r\n$/)

      await page.locator('.brand').click()
      await page.keyboard.press('t')
      const dialog = page.getByRole('dialog', { name: 'As of' })
      const row = dialog.locator('tbody tr').last()
      await row.waitFor(WAIT)
      expect(await axe(page, '#as-of')).toEqual([])
      const committed = await row.locator('button').textContent()
      await row.locator('button').click()
      await expect.poll(() => page.locator('.frame').getAttribute('data-mode'), POLL).toBe('as_of')
      await expect
        .poll(() => page.locator('.frame > .provenance').textContent(), POLL)
        .toMatch(/Snapshot \d+.*Complete as of then/)
      await page.getByRole('button', { name: 'Trades', exact: true }).click()
      // The first commits may be from before the symbol's first trade.
      const hasNothingLater = async () => {
        const [newest] = await cells(page, 'exchange_timestamp')
        if (newest !== undefined) return newest <= `${committed}999` || `${newest} after ${committed}`
        return /No trades/.test((await page.locator('.pane-explorer').textContent()) ?? '') || 'neither rows nor a word'
      }
      await expect.poll(hasNothingLater, POLL).toBe(true)
      expect(await axe(page, '.header')).toEqual([])
      await page.locator('.brand').click()
      await page.keyboard.press('Home')
      await expect.poll(() => page.locator('.frame').getAttribute('data-mode'), POLL).toBe('live')
      expect(complaints).toEqual([])
    },
  )
})
