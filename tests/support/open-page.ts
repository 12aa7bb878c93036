// Opens the page in Chromium over a server of synthetic rows; whatever the page complains about fails the test.
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContextOptions, Page } from 'playwright'
import { expect, onTestFinished } from 'vitest'
import { openPageServer, type PageServer, type PageServerOptions } from './page-server.ts'

export interface OpenPage {
  page: Page
  server: PageServer
}

export interface OpenPageOptions extends PageServerOptions {
  context?: BrowserContextOptions
  /** Before the page is opened. */
  prepare?: (server: PageServer) => void
  /** What the page may say of its failing connection; everything else it says is a fault. */
  mayLoseConnection?: boolean
}

const CONNECTION = /WebSocket connection to|ERR_CONNECTION_REFUSED|Failed to load resource/

export async function openPage(
  browser: Browser,
  { context: contextOptions, prepare, mayLoseConnection = false, ...options }: OpenPageOptions = {},
): Promise<OpenPage> {
  const server = await openPageServer(options)
  prepare?.(server)
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...contextOptions })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (mayLoseConnection && CONNECTION.test(message.text())) return
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  onTestFinished(async () => {
    await context.close()
    await server.close()
    expect(complaints, 'the page complained').toEqual([])
  })
  await page.goto(server.url)
  return { page, server }
}

/** Texts of the rows in sight, cell by cell. */
export function tapeRows(page: Page): Promise<string[][]> {
  return rowsOf(page, '.pane-tape .row:not([hidden])')
}

export function rowsOf(page: Page, selector: string): Promise<string[][]> {
  return page.$$eval(selector, rows => rows.map(row => [...row.children].map(cell => cell.textContent ?? '')))
}

/** What axe objects to in a part of the page. */
export async function axe(page: Page, part = 'html'): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).include(part).analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${String(target)} ${failureSummary ?? ''}`),
  )
}
