// The product as a person starts it: how soon it helps, serves and shows, and whether main's loop stays free under load.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { launchChromium } from '../tests/support/chromium.ts'
import type { Figure } from './figure.ts'

const launcher = resolve(import.meta.dirname, '../src/main/launch.cjs')
const KEY = 'k2-dev-api-key-2026'
const RUNS = 9
const LOAD_SECONDS = 20

export async function run(): Promise<Figure[]> {
  spawnSync(process.execPath, [launcher, '--build'])
  return [
    timeCommand('k2 --help', [launcher, '--help'], '≤ 150 ms'),
    timeCommand('node by itself, for comparison', ['-e', '0']),
    ...(await measureServing()),
  ]
}

function timeCommand(name: string, words: string[], target?: string): Figure {
  const elapsedMs = Array.from({ length: RUNS }, () => {
    const started = performance.now()
    spawnSync(process.execPath, words)
    return performance.now() - started
  }).sort((a, b) => a - b)
  const detail = `${elapsedMs[0].toFixed(0)}–${elapsedMs[RUNS - 1].toFixed(0)} ms over ${RUNS} runs`
  return { name: `${name}, median`, value: elapsedMs[(RUNS - 1) / 2], unit: 'ms', target, detail }
}

/** About 10,000 trades a second need 40,000 messages, as there are three quotes to a trade. */
async function measureServing(): Promise<Figure[]> {
  const profile = mkdtempSync(join(tmpdir(), 'k2-bench-'))
  const browser = await launchChromium()
  const started = performance.now()
  const child = spawn(process.execPath, [launcher, 'serve', '--demo', '--port', '0', '--profile', profile], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    const { url, pageUrl } = await addressesOf(child.stdout)
    const servingMs = performance.now() - started
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } })
    await page.goto(pageUrl)
    await page.locator('.pane-tape .row .time').filter({ hasText: /\d/ }).first().waitFor()
    const firstRowMs = performance.now() - started
    await page.close()
    return [
      { name: 'start of the program to its address', value: servingMs, unit: 'ms', target: '≤ 3,000 ms' },
      {
        name: 'start of the program to the first live row in the page',
        value: firstRowMs,
        unit: 'ms',
        target: '≤ 3,000 ms',
      },
      ...(await measureLoad(url, child.pid!)),
    ]
  } finally {
    await browser.close()
    child.kill('SIGTERM')
    await new Promise(resolve => child.once('exit', resolve))
    rmSync(profile, { recursive: true, force: true })
  }
}

async function measureLoad(url: string, pid: number): Promise<Figure[]> {
  const words = [launcher, 'query', 'follow', '--connect', url, '-o', 'csv']
  const { rate, follower } = await startLoad(url, words)
  try {
    await sleep(LOAD_SECONDS * 1000)
    const { tail, processes } = await readStats(url)
    const main = processes.find(process => process.pid === pid)!
    const live = processes.find(process => process.name === 'live')!
    return [
      {
        name: "main's event-loop delay, p99, while following all trades",
        value: main.loop_delay_p99_ms,
        unit: 'ms',
        target: '≤ 16 ms',
        detail: `${tail.trades.rate_per_second.toFixed(0)} trades/s of ${rate} messages/s asked for`,
      },
      { name: "the live process' event-loop delay, p99", value: live.loop_delay_p99_ms, unit: 'ms' },
      {
        name: 'resident memory, all processes',
        value: processes.reduce((sum, { resident_mb: megabytes }) => sum + megabytes, 0),
        unit: 'MB',
        target: '≤ 2,000 MB',
        detail: processes.map(({ name, resident_mb: megabytes }) => `${name} ${megabytes}`).join(', '),
      },
    ]
  } finally {
    follower.kill('SIGTERM')
  }
}

async function startLoad(url: string, words: string[]) {
  const rate = 40_000
  const { connectWebSocket } = await import('../src/main/wire/ws-client.ts')
  const { connectClient } = await import('../src/contract/client.ts')
  const { contract } = await import('../src/contract/index.ts')
  const port = await connectWebSocket(url, { apiKey: KEY })
  await connectClient(contract, port)['demo.start']({ rate })
  port.close()
  const follower = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'ignore'] })
  return { rate, follower }
}

interface Stats {
  tail: { trades: { rate_per_second: number } }
  processes: { name: string; pid: number; resident_mb: number; loop_delay_p99_ms: number }[]
}

async function readStats(url: string): Promise<Stats> {
  const response = await fetch(`${url}/v1/stats`, { headers: { 'X-API-Key': KEY } })
  return ((await response.json()) as { data: Stats }).data
}

function addressesOf(stdout: NodeJS.ReadableStream): Promise<{ url: string; pageUrl: string }> {
  let printed = ''
  return new Promise(resolve => {
    stdout.on('data', (text: Buffer) => {
      printed += String(text)
      const url = /(http:\/\/[\d.]+:\d+)\/v1/.exec(printed)?.[1]
      const pageUrl = /http:\S+\?token=\S+/.exec(printed)?.[0]
      if (url && pageUrl) resolve({ url, pageUrl })
    })
  })
}
