// Electron's security checklist, its twenty points by number, as far as they hold without its binary: configuration,
// policy, handlers. tests/e2e/shell.test.ts holds them in a running program.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { sandboxPages } from '../../../src/main/shell/guard.ts'
import { mayLoad, ORIGIN, rendererOrigin } from '../../../src/main/shell/origin.ts'
import { acceptPorts } from '../../../src/main/shell/ports.ts'
import { windowOptions } from '../../../src/main/shell/window-options.ts'
import { contentSecurityPolicy } from '../../../src/main/wire/csp.ts'
import { guardedPage, guardedSession, mainPort, newIpc } from '../../support/electron-doubles.ts'

const root = resolve(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const options = windowOptions({
  bounds: { x: 0, y: 0, width: 1440, height: 900 },
  dark: true,
  preload: '/k2/out/preload/index.cjs',
  icon: '/k2/resources/icon.png',
})
const preferences = options.webPreferences!

it('1. Only load secure content: a page loads from app://k2 and nowhere else, whoever asks', () => {
  const ask = (url: string) => {
    let cancelled: boolean | undefined
    guardedSession(ORIGIN).beforeRequest({ url }, (answer: { cancel: boolean }) => (cancelled = answer.cancel))
    return cancelled
  }
  expect(['app://k2/', 'app://k2/assets/a.js', 'blob:app://k2/1'].map(ask)).toEqual([false, false, false])
  for (const url of ['http://example.com/', 'https://example.com/', 'ws://127.0.0.1:8000/', 'file:///etc/passwd'])
    expect(ask(url)).toBe(true)
  expect(mayLoad('http://localhost:5173/', rendererOrigin(true, 'http://localhost:5173'))).toBe(false)
})

it('2. No Node.js integration: not in pages, frames or workers', () => {
  expect(preferences).toMatchObject({
    nodeIntegration: false,
    nodeIntegrationInSubFrames: false,
    nodeIntegrationInWorker: false,
  })
})

it('3. Context isolation is on', () => {
  expect(preferences.contextIsolation).toBe(true)
})

it('4. Process sandboxing is on, for the window and for every page after it', () => {
  const asked: string[] = []
  const app = (switches: string[]) =>
    ({
      commandLine: { hasSwitch: (name: string) => switches.includes(name) },
      enableSandbox: () => asked.push('enableSandbox'),
    }) as unknown as Parameters<typeof sandboxPages>[0]
  expect(preferences.sandbox).toBe(true)
  sandboxPages(app([]))
  expect(asked).toEqual(['enableSandbox'])
  sandboxPages(app(['no-sandbox']))
  expect(asked).toHaveLength(1)
})

it('5. Session permission requests are handled: every one is denied, asked for or checked, and every device', () => {
  const { permissionRequest, permissionCheck, devicePermission } = guardedSession(ORIGIN)
  for (const permission of ['notifications', 'media', 'geolocation', 'clipboard-read', 'fileSystem', 'openExternal']) {
    const decisions: boolean[] = []
    permissionRequest({}, permission, (granted: boolean) => decisions.push(granted), {})
    expect(decisions).toEqual([false])
    expect(permissionCheck({}, permission, ORIGIN, {})).toBe(false)
  }
  expect(devicePermission({ deviceType: 'usb', origin: ORIGIN })).toBe(false)
})

it('6. webSecurity is not disabled', () => {
  expect(preferences.webSecurity).toBe(true)
})

it('7. A Content-Security-Policy is defined, and restrictive: nothing by default, nothing inline, no eval', () => {
  const policy = contentSecurityPolicy('nonce', ["'self'"])
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self' 'nonce-nonce'")
  expect(policy).not.toMatch(/unsafe-|\*|https?:/)
})

it('8. allowRunningInsecureContent is not enabled', () => {
  expect(preferences.allowRunningInsecureContent).toBe(false)
})

it('9. Experimental features are not enabled', () => {
  expect(preferences.experimentalFeatures).toBe(false)
})

it('10. enableBlinkFeatures is not used', () => {
  expect(preferences).not.toHaveProperty('enableBlinkFeatures')
})

it('11. <webview> has no allowpopups: there is no <webview>', () => {
  expect(preferences.webviewTag).toBe(false)
  for (const file of sources('src/renderer')) expect(read(file)).not.toMatch(/<webview|allowpopups/)
})

it('12. <webview> options are verified before creation: none is created', () => {
  expect(guardedPage(ORIGIN).allows('will-attach-webview')).toBe(false)
})

it('13. Navigation is limited: a page and its frames stay at home, by link, script or redirect', () => {
  const { allows } = guardedPage(ORIGIN)
  for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
    expect(allows(event, 'app://k2/')).toBe(true)
    for (const url of ['https://example.com/', 'app://k2.example/', 'file:///etc/passwd', 'javascript:alert(1)'])
      expect(allows(event, url)).toBe(false)
  }
})

it('14. New windows are limited: none is opened, whatever the address', () => {
  const { open } = guardedPage(ORIGIN)
  for (const url of ['app://k2/', 'https://example.com/', 'https://iceberg.apache.org/spec/', 'about:blank'])
    expect(open(url)).toBe('deny')
})

it('15. shell.openExternal gets K2’s documentation links only, never what a page makes up', () => {
  const { open, opened } = guardedPage(ORIGIN)
  for (const url of [
    'https://example.com/',
    'http://iceberg.apache.org/spec/',
    'https://iceberg.apache.org.example/spec/',
    'https://iceberg.apache.org/specimen',
    'https://user:password@iceberg.apache.org/spec/',
    'https://iceberg.apache.org/spec/../releases',
    'file:///usr/bin/calculator',
    'smb://example.com/share',
    'not an address',
  ])
    open(url)
  expect(opened).toEqual([])
  open('https://iceberg.apache.org/spec/#snapshots')
  expect(opened).toEqual(['https://iceberg.apache.org/spec/#snapshots'])
})

it('16. A current version of Electron: 45 or later, pinned, and the types are those of the program', () => {
  const pinned = (JSON.parse(read('package.json')) as { devDependencies: { electron: string } }).devDependencies
    .electron
  const installed = (JSON.parse(read('node_modules/electron/package.json')) as { version: string }).version
  expect(Number(/^(\d+)\.\d+\.\d+$/.exec(pinned)?.[1])).toBeGreaterThanOrEqual(45)
  expect(installed).toBe(pinned)
})

it('17. The sender of every IPC message is validated: there is one channel, and strangers’ ports are closed', () => {
  const { ipcMain, send } = newIpc()
  const taken: unknown[] = []
  acceptPorts(ipcMain, ORIGIN, port => taken.push(port))
  send([mainPort().main], { url: 'https://example.com/' })
  send([mainPort().main], { parent: {} })
  expect(taken).toEqual([])
  send([mainPort().main])
  expect(taken).toHaveLength(1)
  const listeners = sources('src/main/shell').filter(file =>
    /\bipcMain\s*\.\s*(on|once|handle|handleOnce)\b/.test(read(file)),
  )
  expect(listeners).toEqual(['src/main/shell/ports.ts'])
})

it('18. file:// is not used: the page comes over a protocol of its own', () => {
  expect(ORIGIN).toBe('app://k2')
  for (const file of sources('src/main/shell')) expect(read(file)).not.toMatch(/loadFile|file:\/\/|pathToFileURL/)
})

it('19. Fuses are set: nothing turns the packaged program into Node, and it runs its own archive only', () => {
  const { electronFuses, asar } = parse(read('electron-builder.yml')) as Record<string, unknown>
  expect(asar).toBe(true)
  expect(electronFuses).toEqual({
    runAsNode: false,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    loadBrowserProcessSpecificV8Snapshot: false,
    grantFileProtocolExtraPrivileges: false,
  })
})

it('20. Electron’s APIs are not exposed to the page: the preload forwards a port and offers nothing', () => {
  const preload = sources('src/preload')
  expect(preload).toEqual(['src/preload/index.ts'])
  expect(read(preload[0])).toMatch(/import \{ ipcRenderer \} from 'electron'/)
  expect(read(preload[0])).not.toMatch(/contextBridge|exposeIn|globalThis|window\.\w+ =/)
})

it('leaves certificate errors and logins to Chromium, which refuses', () => {
  expect(guardedPage(ORIGIN).app.eventNames()).toEqual(['web-contents-created'])
  for (const file of sources('src/main/shell'))
    expect(read(file)).not.toMatch(/certificate-error|CertificateVerifyProc/)
})

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(tsx?|html)$/.test(name))
    .map(name => `${folder}/${name.replaceAll('\\', '/')}`)
}
