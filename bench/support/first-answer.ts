// How long the first question takes in a process of its own that has just said it is ready: K2 serving a warehouse that
// it does not write to.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inTempFolder } from './bench-lake.ts'

export interface FirstAnswer {
  ms: number
  /** Of all of its processes, in that time. */
  cpuMs: number
}

const LAUNCH = join(import.meta.dirname, '../../src/main/launch.cjs')
const KEY = 'k2-dev-api-key-2026'
const READY_MS = 60_000
/** Linux counts a process's time in hundredths of a second. */
const MS_PER_TICK = 10

export function firstAnswer(warehouse: string, path: string): Promise<FirstAnswer> {
  return inTempFolder(profile => ask(profile, warehouse, path))
}

async function ask(profile: string, warehouse: string, path: string): Promise<FirstAnswer> {
  const words = ['serve', '--port', '0', '--no-ui', '--warehouse', warehouse, '--profile', profile]
  const server = spawn(process.execPath, [LAUNCH, ...words], {
    env: { ...process.env, K2_WRITER: 'off', K2_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(server, 'exit')
  try {
    const url = await addressOf(server.stdout)
    await untilHealthy(url)
    const before = cpuMsOf(server.pid!)
    const started = performance.now()
    const answer = await fetch(`${url}${path}`, { headers: { 'x-api-key': KEY } })
    await answer.arrayBuffer()
    const ms = performance.now() - started
    if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}`)
    return { ms, cpuMs: cpuMsOf(server.pid!) - before }
  } finally {
    server.kill()
    await ended
  }
}

function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    output.on('data', chunk => {
      said += String(chunk)
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)
      if (found) resolve(found[0])
    })
    output.on('end', () => reject(new Error(`K2 ended without an address: ${said}`)))
  })
}

async function untilHealthy(url: string): Promise<void> {
  const late = performance.now() + READY_MS
  while (performance.now() < late) {
    const { status } = await fetch(`${url}/health`)
    if (status === 200) return
    await sleep(100)
  }
  throw new Error(`K2 was not healthy after ${READY_MS / 1000} s`)
}

function cpuMsOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean)
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
    .slice(11, 13)
  const own = (Number(user) + Number(system)) * MS_PER_TICK
  return children.reduce((sum, child) => sum + cpuMsOf(Number(child)), own)
}
