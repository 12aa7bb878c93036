// The page in Chromium over the real program with real tables: the sample's five days, loaded before it starts.
import { resolve } from 'node:path'
import type { Browser, Page } from 'playwright'
import { expect, onTestFinished } from 'vitest'
import { newProfile, runK2, startK2, type Served } from './k2.ts'

const sample = resolve(import.meta.dirname, '../../resources/sample')

export interface Workstation {
  page: Page
  served: Served
}

export interface WorkstationOptions {
  colorScheme?: 'dark' | 'light'
  viewport?: { width: number; height: number }
  /** With the simulated market, at so many messages a second. */
  rate?: number
}

/** Whatever the page complains about fails the test. */
export async function openWorkstation(browser: Browser, options: WorkstationOptions = {}): Promise<Workstation> {
  const { colorScheme = 'dark', viewport = { width: 1440, height: 900 }, rate } = options
  const profile = newProfile()
  const reference = resolve(sample, 'company_info.csv')
  const loaded = await runK2([
    ...['--profile', profile, 'ingest', 'load', sample],
    ...['--exchange', 'ASX', '--reference', reference],
  ])
  expect(loaded.code, loaded.stderr).toBe(0)
  const market = rate === undefined ? [] : ['--demo', '--rate', String(rate)]
  const served = await startK2(['serve', ...market], { profile })
  const context = await browser.newContext({ viewport, colorScheme })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  onTestFinished(async () => {
    await context.close()
    expect(complaints, 'the page complained').toEqual([])
  })
  await page.goto(served.pageUrl)
  return { page, served }
}
