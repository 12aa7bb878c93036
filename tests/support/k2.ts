// The built program as a person starts it: `k2 …` in a child process, with what it printed.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'

export const launcher = resolve(import.meta.dirname, '../../src/main/launch.cjs')

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  /** The launcher under another name. */
  program?: string
  env?: Record<string, string>
}

/** Variables of the machine that the tests run on must not configure the program under test. */
function cleanEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(K2_|VITEST|NODE_OPTIONS|CI$|DISPLAY|WAYLAND_DISPLAY)/.test(name),
  )
  return { ...Object.fromEntries(own), ...extra }
}

export async function runK2(words: string[], options: RunOptions = {}): Promise<Ran> {
  return ended(spawnK2(words, options))
}

export function spawnK2(words: string[], { env, program = launcher }: RunOptions): ChildProcess {
  return spawn(process.execPath, [program, ...words], { env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] })
}

export function ended(child: ChildProcess): Promise<Ran> {
  const ran: Ran = { code: null, stdout: '', stderr: '' }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (ran.stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text))
  return new Promise(resolve => child.once('close', code => resolve({ ...ran, code })))
}

export function newProfile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'k2-profile-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Served {
  url: string
  pageUrl: string
  profile: string
  pid: number
  /** Milliseconds from the start of the program to its addresses. */
  startMs: number
  signal: (name: NodeJS.Signals) => void
  /** What it printed and how it ended. */
  ended: Promise<Ran>
}

/** A serving command on a free port and a new profile, ready to be asked; ended after the test. */
export async function startK2(
  words: string[],
  options: RunOptions & { profile?: string; port?: string } = {},
): Promise<Served> {
  const { profile = newProfile(), port = '0' } = options
  const started = performance.now()
  const child = spawnK2([...words, '--port', port, '--profile', profile], options)
  const end = ended(child)
  onTestFinished(async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 8_000)
    await end
    clearTimeout(late)
  })
  let printed = ''
  const addresses = new Promise<{ url: string; pageUrl: string }>(resolve => {
    child.stdout!.on('data', (text: string) => {
      printed += text
      const url = /(http:\/\/[\d.]+:\d+)\/v1/.exec(printed)?.[1]
      if (url) resolve({ url, pageUrl: /http:\S+\?token=\S+/.exec(printed)?.[0] ?? '' })
    })
  })
  const early = end.then(({ code, stdout, stderr }) => {
    throw new Error(`k2 ${words.join(' ')} ended with ${code} before it served:\n${stdout}${stderr}`)
  })
  early.catch(() => {})
  const { url, pageUrl } = await Promise.race([addresses, early])
  const startMs = performance.now() - started
  return { url, pageUrl, profile, pid: child.pid!, startMs, signal: name => void child.kill(name), ended: end }
}

export const KEY = 'k2-dev-api-key-2026'

export async function ask<T = unknown>(url: string, path: string): Promise<{ status: number; body: T }> {
  const response = await fetch(url + path, { headers: { 'X-API-Key': KEY } })
  return { status: response.status, body: (await response.json()) as T }
}
