// The page under load in Chromium: 10,000 trades a second on the tape, frames, long tasks, age when painted; size and start.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright'
import { buildPage } from '../tests/support/build-page.ts'
import { launchChromium } from '../tests/support/chromium.ts'
import { openPageServer, type PageServer } from '../tests/support/page-server.ts'
import type { Figure } from './figure.ts'

const RATE = 10_000
const SETTLE_MS = 4000
const MEASURE_MS = 12_000
const STARTS = 5

/** What support/watch-page.js keeps in the page. */
interface Measured {
  frames: number[]
  tasks: number[]
  ages: number[]
  firstPaintMs: number
  firstRowsMs: number
  received: number
}

export async function run(): Promise<Figure[]> {
  const server = await openPageServer({ tradesPerSecond: 100 })
  const browser = await launchChromium()
  try {
    return [...(await measureLoad(browser, server)), ...(await measureStarts(browser, server)), await measureSize()]
  } finally {
    await browser.close()
    await server.close()
  }
}

async function measureLoad(browser: Browser, server: PageServer): Promise<Figure[]> {
  const page = await openMeasured(browser, server.url)
  await page.waitForFunction(() => measured.received > 0)
  server.load.tradesPerSecond = RATE
  await page.waitForTimeout(SETTLE_MS)
  await page.evaluate(() => {
    Object.assign(measured, { frames: [], tasks: [], ages: [] })
  })
  const before = server.load.market.trades.time.length
  await page.waitForTimeout(MEASURE_MS)
  const { frames, tasks, ages } = await page.evaluate(() => measured)
  const sent = server.load.market.trades.time.length - before

  server.load.isRunning = false
  await page.waitForTimeout(500)
  const { trades } = server.load.market
  const dropped = trades.time.length - (await page.evaluate(() => measured.received))
  const shown = await page.locator('.pane-tape .row .time').first().textContent()
  const newest = new Date(trades.time.at(-1)! / 1000).toISOString().slice(17, 23)
  server.load.isRunning = true
  server.load.tradesPerSecond = 100
  await page.context().close()

  const late = frames.filter(ms => ms > 25).length
  const isNewest = shown?.endsWith(newest) ? 'newest shown' : `shows ${shown}, newest is ${newest}`
  return [
    { name: 'trades sent', value: (sent * 1000) / MEASURE_MS, unit: '/s', detail: `${ages.length} paintings` },
    { name: 'trades dropped', value: dropped, unit: '', target: '0', detail: isNewest },
    {
      name: 'frames on time',
      value: (100 * (frames.length - late)) / frames.length,
      unit: '%',
      target: '≥ 99 %',
      detail: `${frames.length} frames, p99 ${quantile(frames, 0.99).toFixed(1)} ms, longest ${quantile(frames, 1).toFixed(0)} ms`,
    },
    {
      name: 'longest task',
      value: quantile(tasks, 1),
      unit: 'ms',
      target: 'none above 50 ms',
      detail: '0: none above 50',
    },
    {
      name: 'in the tail → painted, p99',
      value: quantile(ages, 0.99),
      unit: 'ms',
      target: '≤ 60 ms',
      detail: `p50 ${quantile(ages, 0.5).toFixed(0)} ms`,
    },
  ]
}

async function measureStarts(browser: Browser, server: PageServer): Promise<Figure[]> {
  const starts: Measured[] = []
  for (let n = 0; n < STARTS; n++) {
    const page = await openMeasured(browser, server.url)
    await page.waitForFunction(() => measured.received > 0 && measured.firstPaintMs > 0)
    starts.push(await page.evaluate(() => measured))
    await page.context().close()
  }
  const median = (pick: (start: Measured) => number) => quantile(starts.map(pick), 0.5)
  return [
    { name: 'first paint', value: median(start => start.firstPaintMs), unit: 'ms', target: '≤ 400 ms' },
    {
      name: 'interactive, rows shown',
      value: median(start => start.firstRowsMs),
      unit: 'ms',
      target: '≤ 1,000 ms',
      detail: `median of ${STARTS} cold starts`,
    },
  ]
}

async function measureSize(): Promise<Figure> {
  const folder = await buildPage()
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const files = [...html.matchAll(/(?:src|href)="\.?\/([^"]+\.(?:js|css))"/g)].map(([, file]) => file)
  const bytes = [html, ...files.map(file => readFileSync(join(folder, file)))].map(text => gzipSync(text).length)
  const total = bytes.reduce((sum, size) => sum + size, 0)
  return { name: 'first load, gzip', value: total / 1000, unit: 'kB', target: '≤ 220 kB', detail: files.join(', ') }
}

declare const measured: Measured

async function openMeasured(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } })
  const page = await context.newPage()
  await page.addInitScript({ path: join(import.meta.dirname, 'support/watch-page.js') })
  await page.goto(url)
  return page
}

function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
