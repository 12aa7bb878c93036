// The shell in a real Electron, as a thin client of a real WebSocket server, with a tiny page: port handoff, app://,
// policy, denials, quitting. On the old Electron that pip carries it proves nothing of what electron9/ imitates.
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { _electron, type ElectronApplication, type Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Failure } from '../../src/contract/failure.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { buildShell } from '../support/build-shell.ts'
import { openDisplay, type Display } from '../support/display.ts'
import { findTestElectron } from '../support/find-test-electron.ts'
import { needs } from '../support/needs.ts'
import { tickBatch } from '../support/sample.ts'
import { shellContract, type ShellHandlers } from '../support/shell-contract.ts'
import { serveSockets, type SocketServer } from '../support/socket-server.ts'

const { skip, because } = needs('electron')
const electron = findTestElectron()
const old = electron.missing === undefined && electron.old

const handlers: ShellHandlers = {
  'shell.echo': input => input,
  'shell.fail': () => {
    throw new Failure('NOT_FOUND', 'There is no such thing.', { details: { known: ['a'] } })
  },
  async 'shell.wait'(_input, { signal }) {
    await once(signal, 'abort')
    return {}
  },
  async *'shell.ticks'({ batches }) {
    for (let i = 0; i < batches; i++) yield tickBatch()
  },
}

describe.skipIf(skip)(`the shell${because}`, () => {
  let folder: string
  let display: Display
  let server: SocketServer
  let shell: ElectronApplication
  let handle: ChildProcess
  let page: Page

  const words = (profile: string) => [
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    join(folder, 'app/out/main/index.cjs'),
    `--connect=${server.url}`,
    '--profile',
    join(folder, profile),
  ]
  const env = () => {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('K2_'))
    return { ...Object.fromEntries(inherited), K2_API_KEY: 'key-of-this-test', ...display.env } as Record<
      string,
      string
    >
  }
  let executablePath: string

  beforeAll(async () => {
    if (electron.missing !== undefined) throw new Error(electron.missing)
    executablePath = electron.path
    folder = await mkdtemp(join(tmpdir(), 'k2-shell-'))
    display = await openDisplay()
    server = await serveSockets(createDispatch(shellContract, handlers), { apiKey: 'key-of-this-test' })
    await buildShell(join(folder, 'app'), old)
    shell = await _electron.launch({ executablePath, args: words('profile'), env: env(), timeout: 30_000 })
    handle = shell.process()
    page = await shell.firstWindow()
    page.setDefaultTimeout(5_000)
    await page.waitForFunction(() => 'k2' in window)
  })

  // Servers first, so that no page waits for one; by the process itself, should what drives it hang.
  afterAll(async () => {
    try {
      await server?.close()
      if (handle?.exitCode !== null) return
      await Promise.race([shell.close(), new Promise(resolve => setTimeout(resolve, 8_000))])
      if (handle.exitCode === null) handle.kill('SIGKILL')
    } finally {
      display?.close()
      if (folder) await rm(folder, { recursive: true, force: true })
    }
  })

  describe('the port', () => {
    it('is handed from the page to main, and carries calls to the server with the key', async () => {
      expect(await page.evaluate(() => window.k2.client['shell.echo']({ text: 'hi' }))).toEqual({ text: 'hi' })
      expect(server.asked[0]).toEqual({ path: '/v1/ws', apiKey: 'key-of-this-test' })
    })

    it('carries failures with their code, message and details', async () => {
      const failure = await page.evaluate(() =>
        window.k2.client['shell.fail']({}).catch(({ code, message, details }: Failure) => ({ code, message, details })),
      )
      expect(failure).toEqual({ code: 'NOT_FOUND', message: 'There is no such thing.', details: { known: ['a'] } })
    })

    it('carries streams of columns with typed arrays and 64-bit integers intact', async () => {
      const seen = await page.evaluate(async () => {
        const batches = []
        for await (const batch of window.k2.client['shell.ticks']({ batches: 20 })) batches.push(batch)
        const { at, sequence } = batches[19].columns
        return {
          batches: batches.length,
          kinds: [at.values, sequence.values].map(values => Object.prototype.toString.call(values)),
          first: sequence.values[0] as bigint,
          times: [...at.values] as number[],
        }
      })
      expect(seen).toEqual({
        batches: 20,
        kinds: ['[object Float64Array]', '[object BigInt64Array]'],
        first: 9_007_199_254_740_993n,
        times: [...tickBatch().columns.at.values],
      })
    })

    it('is opened anew by the page after the connection was lost', async () => {
      server.cut()
      await page.evaluate(() => window.connect())
      expect(await page.evaluate(() => window.k2.client['shell.echo']({ text: 'again' }))).toEqual({ text: 'again' })
    })

    // MessagePort tells of its other end's closing since Chromium 122.
    it.skipIf(old)(
      'closes when the connection is lost, so that nothing waits for ever (Chromium 122 or later)',
      async () => {
        const failure = page.evaluate(() => window.k2.client['shell.wait']({}).catch((error: Failure) => error.code))
        server.cut()
        expect(await failure).toBe('UNAVAILABLE')
        expect(await page.evaluate(() => window.k2.closed)).toBe(true)
        await page.evaluate(() => window.connect())
      },
    )
  })

  describe('the page', () => {
    it('has no Node and nothing of Electron: security points 2 and 20', async () => {
      const seen = await page.evaluate(() =>
        ['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'].filter(name => name in window),
      )
      expect(seen).toEqual([])
    })

    it('has an origin of its own, not file://: security point 18', async () => {
      expect(await page.evaluate(() => [location.origin, isSecureContext])).toEqual(['app://k2', true])
    })

    it('runs sandboxed and isolated: security points 3 and 4', async () => {
      const preferences = await shell.evaluate(({ webContents }) => {
        const [contents] = webContents.getAllWebContents() as unknown as {
          getLastWebPreferences(): Record<string, unknown>
        }[]
        return contents.getLastWebPreferences()
      })
      expect(preferences).toMatchObject({ sandbox: true, contextIsolation: true, nodeIntegration: false })
    })

    it('runs inline code with the nonce of its load only, and fetches from nowhere else: security points 1 and 7', async () => {
      const own = () => [getComputedStyle(document.body).color, 'inlineWithNonce' in window]
      expect(await page.evaluate(own)).toEqual(['rgb(1, 2, 3)', true])
      await page.evaluate(async () => {
        window.blocked = []
        const script = document.createElement('script')
        script.textContent = 'window.pwned = true'
        document.body.append(script)
        await fetch('https://example.com').catch(() => {})
        await fetch('http://127.0.0.1:1').catch(() => {})
      })
      expect(await page.evaluate(() => window.pwned)).toBeUndefined()
      const blocked = ['connect-src', 'connect-src', 'script-src']
      await expect
        .poll(() => page.evaluate(() => window.blocked.map(name => name.replace('-elem', '')).sort()))
        .toEqual(blocked)
    })

    it('evaluates no text as code: security point 7', async () => {
      // From a timer of the page's own: what the test itself evaluates is exempt from the policy.
      const attempt = `new Promise(resolve => setTimeout(() => {
        try { resolve(new Function('return 1')()) } catch (error) { resolve(error.name) }
      }))`
      const outcome = await page.evaluate(attempt)
      expect(outcome).toBe('EvalError')
    })

    it('gets no permission: security point 5', async () => {
      expect(await page.evaluate(() => Notification.requestPermission())).toBe('denied')
    })

    it('finds its own files only', async () => {
      const status = (path: string) => page.evaluate(async url => (await fetch(url)).status, path)
      expect(await status('/page.js')).toBe(200)
      expect(await status('/nope.js')).toBe(404)
      expect(await status('/..%2fmain%2findex.cjs')).toBe(403)
    })

    it('goes nowhere else: security point 13', async () => {
      await page.evaluate(() => void (location.href = 'https://example.com/'))
      await new Promise(resolve => setTimeout(resolve, 300))
      expect(page.url()).toBe('app://k2/')
      expect(await page.evaluate(() => window.k2.client['shell.echo']({ text: 'here' }))).toEqual({ text: 'here' })
    })

    // Last, because with a debugger on it a page of Electron 9 hangs in a window.open that was denied.
    it('opens no window: security point 14', async () => {
      const opened = page.evaluate(() => window.open('https://example.com') === null)
      const denied = await Promise.race([opened, new Promise(resolve => setTimeout(resolve, 1_000, 'hangs'))])
      expect(denied).toBe(old ? 'hangs' : true)
      expect(await shell.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
    })
  })

  describe('the program', () => {
    it('ends a second instance with a line and brings the first to the front', async () => {
      await shell.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].minimize())
      const second = spawn(executablePath, words('profile'), { env: env(), stdio: ['ignore', 'ignore', 'pipe'] })
      const [said] = await Promise.all([text(second.stderr), once(second, 'exit')])
      expect(second.exitCode).toBe(0)
      expect(said).toContain('already open on this profile')
      await expect
        .poll(() => shell.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].isMinimized()))
        .toBe(false)
    })

    it('brings back a page that crashed, and the page connects again', async () => {
      const before = server.asked.length
      const pid = await shell.evaluate(({ webContents }) => webContents.getAllWebContents()[0].getOSProcessId())
      process.kill(pid, 'SIGKILL')
      await expect.poll(() => server.asked.length, { timeout: 5_000 }).toBe(before + 1)
    })

    it('does not start with an address it cannot use, and says so', async () => {
      const args = [...words('other').filter(word => !word.startsWith('--connect')), '--connect', 'ftp://127.0.0.1']
      const refused = spawn(executablePath, args, { env: env(), stdio: ['ignore', 'ignore', 'pipe'] })
      const [said] = await Promise.all([text(refused.stderr), once(refused, 'exit')])
      expect(refused.exitCode).toBe(2)
      expect(said).toContain('ftp://127.0.0.1')
    })

    it('ends on SIGTERM within 5 s, keeps where its window was, and leaves no process', async () => {
      const exited = once(handle, 'exit')
      const startedAt = performance.now()
      handle.kill('SIGTERM')
      expect((await exited)[0]).toBe(0)
      expect(performance.now() - startedAt).toBeLessThan(5_000)
      const state = JSON.parse(readFileSync(join(folder, 'profile/window/window.json'), 'utf8')) as object
      expect(state).toHaveProperty('bounds.width')
      await expect.poll(() => processesOf(handle.pid!), { timeout: 3_000 }).toEqual([])
    })
  })
})

/** Commands that still run in a process group; the program was started as the leader of its own. */
function processesOf(group: number): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return Number(pgrp) === group && state !== 'Z' ? [stat.slice(0, stat.indexOf(')') + 1)] : []
      } catch {
        return []
      }
    })
}
