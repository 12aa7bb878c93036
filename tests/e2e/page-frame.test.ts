// The frame in a browser: palette, themes, keys, what is said of the future, accessibility in every theme.
import type { Browser, Page } from 'playwright'
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

const POLL = { timeout: 10_000 }

async function openWithRows(options: Parameters<typeof openPage>[1] = {}) {
  const opened = await openPage(browser, { history: 2000, ...options })
  await expect.poll(async () => (await tapeRows(opened.page)).length, POLL).toBeGreaterThan(10)
  return opened
}

describe.skipIf(chromium.skip)(`the palette${chromium.because}`, () => {
  it('opens by key, finds a symbol, follows it, and gives the focus back', async () => {
    const { page } = await openWithRows()
    await page.getByRole('searchbox', { name: 'Filter symbols' }).focus()
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.type('rio')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('dialog').count(), POLL).toBe(0)
    await expect.poll(() => page.locator('.pane-quotes .pane-subject .name').textContent(), POLL).toBe('RIO.ASX')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('symbol-filter')
  })

  it('has something below each of its headings', async () => {
    const { page } = await openWithRows()
    await page.keyboard.press('Control+k')
    await page.getByRole('option', { name: 'Live' }).waitFor()
    const groups = page.locator('[cmdk-group]:not([hidden])')
    const sizes = await groups.evaluateAll(found => found.map(group => group.querySelectorAll('[cmdk-item]').length))
    expect(sizes.length).toBeGreaterThan(3)
    expect(sizes).not.toContain(0)
  })

  it('runs a command, sets a rate, and goes with Esc', async () => {
    const { page, server } = await openWithRows()
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.type('theme light')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme), POLL).toBe('light')

    await page.getByRole('button', { name: /Search or command/ }).click()
    await page.getByRole('dialog').waitFor()
    await page.keyboard.type('1k')
    await page.getByRole('option', { name: 'Run the simulated market at 1,000 messages a second' }).waitFor()
    await page.keyboard.press('Enter')
    await expect.poll(() => server.load.tradesPerSecond, POLL).toBe(1000)

    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog').count(), POLL).toBe(0)
  })
})

describe.skipIf(chromium.skip)(`how it looks${chromium.because}`, () => {
  it('follows the system until told otherwise, and remembers what it was told', async () => {
    const { page } = await openWithRows({ context: { colorScheme: 'light' } })
    const ground = () => page.evaluate(() => getComputedStyle(document.querySelector('.pane')!).backgroundColor)
    expect(await ground()).toBe('rgb(255, 255, 255)')
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await ground()).toBe('rgb(17, 21, 26)')

    await page.getByRole('button', { name: 'Settings' }).click()
    await page.getByRole('radio', { name: 'Light' }).check()
    expect(await ground()).toBe('rgb(255, 255, 255)')
    await page.reload()
    await expect.poll(ground, POLL).toBe('rgb(255, 255, 255)')
  })

  it('swaps the colours of rise and fall, and changes the height of rows', async () => {
    const { page } = await openWithRows({ context: { colorScheme: 'dark' } })
    const up = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--up'))
    const before = await up()
    await page.keyboard.press('Control+,')
    await page.getByRole('radio', { name: 'Orange, falling blue' }).check()
    expect(await up()).not.toBe(before)
    const rowsBefore = (await tapeRows(page)).length
    await page.getByRole('radio', { name: 'Roomy' }).check()
    await expect.poll(async () => (await tapeRows(page)).length, POLL).toBeLessThan(rowsBefore)
  })

  it.each([
    [1600, 1000],
    [1024, 700],
  ])('cuts off no text and scrolls nothing sideways at %i × %i', async (width, height) => {
    const { page } = await openWithRows({ context: { viewport: { width, height } } })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
    expect(await cutTexts(page)).toEqual([])
  })
})

describe.skipIf(chromium.skip)(`keys${chromium.because}`, () => {
  it('lead to every pane and to the keys themselves', async () => {
    const { page } = await openWithRows()
    const pane = () => page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-pane]')?.dataset.pane)
    const panes = { t: 'tape', s: 'symbols', q: 'quotes', l: 'timeline', c: 'chart', e: 'explorer' }
    for (const [key, name] of Object.entries(panes)) {
      await page.keyboard.press('g')
      await page.keyboard.press(key)
      expect(await pane()).toBe(name)
    }
    await page.keyboard.press('?')
    await page.getByRole('region', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('region', { name: 'Keys' }).isVisible(), POLL).toBe(false)
  })

  it('reach everything that can be clicked', async () => {
    const { page } = await openWithRows()
    await page.locator('.ag-header-row').first().waitFor()
    // By a mark of their own, as what an element says may change meanwhile; those that have gone need not be reached.
    // The grid's guards hand the focus on, and its rows to what is in them.
    const clickable = () =>
      page.$$eval('button, input, select, [tabindex="0"]:not(.ag-tab-guard)', all =>
        all.flatMap((element, n) => {
          if (!element.checkVisibility() || element.matches(':disabled')) return []
          const marked = element as HTMLElement
          return [[(marked.dataset.mark ??= `${n} of ${performance.now()}`), marked.outerHTML.slice(0, 120)]]
        }),
      )
    const before = await clickable()
    const reached = new Set<string>()
    for (let tabs = 0; tabs < before.length + 30; tabs++) {
      await page.keyboard.press('Tab')
      const marks = await page.evaluate(() => {
        const around = (element: Element | null): string[] =>
          element ? [(element as HTMLElement).dataset.mark ?? '', ...around(element.parentElement)] : []
        return around(document.activeElement)
      })
      for (const mark of marks) reached.add(mark)
    }
    const still = new Set((await clickable()).map(([mark]) => mark))
    expect(before.length).toBeGreaterThan(10)
    expect(before.filter(([mark]) => still.has(mark) && !reached.has(mark))).toEqual([])
  })

  it('take what is typed right after T into its field', async () => {
    const { page } = await openWithRows()
    const search = page.getByRole('button', { name: /Search or command/ })
    await search.focus()
    const focused = await page.evaluate(() => {
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 't', bubbles: true }))
      const field = document.activeElement as HTMLInputElement
      return {
        label: field.labels?.[0].textContent,
        selected: field.value.slice(field.selectionStart!, field.selectionEnd!),
      }
    })
    expect(focused.label).toMatch(/^What was known at/)
    expect(focused.selected, 'typing replaces it').toMatch(/^\d.*\d$/)
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog', { name: 'As of' }).count(), POLL).toBe(0)
    expect(await search.evaluate(button => button === document.activeElement), 'the focus goes back').toBe(true)
    await page.keyboard.press('t')
    await page.keyboard.type('nonsense')
    await page.keyboard.press('Enter')
    await page.getByText(/^Write a time such as/).waitFor()
  })

  it('go back to a moment by T, and to live by Home, with the frame telling them apart', async () => {
    const { page } = await openWithRows()
    const mode = () => page.locator('.frame').getAttribute('data-mode')
    expect(await mode()).toBe('live')
    // As fast as keys come, again and again: none may get lost between the page and the field.
    for (let round = 0; round < 8; round++) {
      await page.keyboard.press('t')
      await page.keyboard.type('2014-03-10 11:10')
      await page.keyboard.press('Enter')
      await expect.poll(mode, POLL).toBe('as_of')
      await expect
        .poll(() => page.locator('.moment-mark').textContent(), POLL)
        .toMatch(/^As of11:10:00 Mon 10 Mar 2014/)
      await page.keyboard.press('Home')
      await expect.poll(mode, POLL).toBe('live')
    }
    expect(await page.locator('.moment-mark').count()).toBe(0)
  })
})

describe.skipIf(chromium.skip)(`the simulated market${chromium.because}`, () => {
  it('is named as what it is, and its rate is seen and changed', async () => {
    const { page, server } = await openWithRows()
    const button = page.getByRole('button', { name: /Simulated market 500\/s/ })
    await button.click()
    await page.getByText(/no real trades/).waitFor()
    await page.getByRole('spinbutton', { name: 'Messages a second' }).fill('750')
    await page.keyboard.press('Enter')
    await expect.poll(() => server.load.tradesPerSecond, POLL).toBe(750)
    const slider = page.getByRole('slider', { name: 'Messages a second' })
    // A step counts from where the slider stands: it must have taken up the new rate first.
    await expect.poll(() => slider.getAttribute('aria-valuetext'), POLL).toContain('750')
    await slider.press('ArrowRight')
    await expect.poll(() => server.load.tradesPerSecond, POLL).toBe(1000)
    await page.getByRole('button', { name: /Stop the simulated market/ }).click()
    await expect.poll(() => server.load.isRunning, POLL).toBe(false)
    await expect.poll(() => page.getByRole('button', { name: /Simulated market/ }).count(), POLL).toBe(0)
    expect((await tapeRows(page)).length, 'what came stays').toBeGreaterThan(10)
  })
})

describe.skipIf(chromium.skip)(`accessibility${chromium.because}`, () => {
  it.each(['dark', 'light', 'contrast'])('has nothing that axe objects to in %s', async theme => {
    const { page, server } = await openWithRows({ context: { viewport: { width: 1280, height: 720 } } })
    await page.evaluate(name => (document.documentElement.dataset.theme = name), theme)
    server.load.isRunning = false
    expect(await axe(page)).toEqual([])
    await page.keyboard.press('Control+,')
    expect(await axe(page, '#settings')).toEqual([])
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').waitFor()
    expect(await axe(page, 'dialog')).toEqual([])
  })

  it.each(['dark', 'light', 'contrast'])('has nothing that axe objects to while empty, in %s', async theme => {
    const { page } = await openPage(browser, { isRunning: false })
    await page.getByRole('button', { name: 'Open the demo workspace' }).waitFor()
    await page.evaluate(name => (document.documentElement.dataset.theme = name), theme)
    expect(await axe(page)).toEqual([])
  })

  it('does not read the tape aloud as it runs', async () => {
    const { page } = await openWithRows()
    expect(await page.locator('.pane-tape [aria-live], .pane-tape [role=log], .pane-tape [role=status]').count()).toBe(
      0,
    )
  })
})

/** Texts that do not fit into what holds them, but for those that may end in an ellipsis. */
function cutTexts(page: Page): Promise<string[]> {
  return page.$$eval('body *', all =>
    all
      .filter(element => element.checkVisibility() && element.children.length === 0 && element.textContent?.trim())
      .filter(element => !element.closest('.unseen, .pane-subject, .partial, option'))
      .filter(element => {
        const box = element.getBoundingClientRect()
        const range = document.createRange()
        range.selectNodeContents(element)
        const text = range.getBoundingClientRect()
        const isBeyond = text.right > box.right + 1 && getComputedStyle(element).overflowX !== 'visible'
        const next = element.nextElementSibling?.getBoundingClientRect()
        return isBeyond || text.right > window.innerWidth || (next && next.top === box.top && text.right > next.right)
      })
      .map(element => `${element.className}: ${element.textContent}`),
  )
}
