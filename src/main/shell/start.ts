// The order in which the shell comes up and goes down; the only place that knows all of its parts.
import { app, dialog, ipcMain, Menu, safeStorage, session, shell } from 'electron'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../contract/failure.ts'
import type { Port } from '../../contract/messages.ts'
import { guardPages, guardSession, sandboxPages } from './guard.ts'
import { menuTemplate } from './menu.ts'
import { rendererOrigin } from './origin.ts'
import { acceptPorts } from './ports.ts'
import { quitFlow } from '../base/quit-flow.ts'
import { declareScheme, serveScheme } from './scheme.ts'
import { createSecrets, type Secrets } from './secrets.ts'
import { startProcess } from './utility-host.ts'
import { focusWindow, openWindow } from './window.ts'

/** The program's own folder, in development and in a package alike: this runs from out/main. */
const root = join(import.meta.dirname, '../..')

/** What stands behind the page: engines of our own, or a K2 elsewhere. */
export interface Hosted {
  /** Serves a page's port until that closes. */
  host: (port: Port) => void
  /** Names what it had to leave when the signal aborted. */
  close: (signal: AbortSignal) => Promise<string[]>
}

/** What only Electron can give the engines. */
export interface ShellServices {
  startProcess: typeof startProcess
  /** Once the app is ready. */
  secrets: () => Secrets
}

export interface ShellOptions {
  /** Folder of settings and state; one window at a time is open on it. */
  profile: string
  /** Address of a K2 elsewhere: then this is a thin client and no engine is loaded. */
  connect?: string
  apiKey: string
  /** Loads and starts the engines. */
  loadEngines: (services: ShellServices) => Promise<Hosted>
}

/** `configure` runs in here so that what it finds wrong is said as every other reason not to start. */
export async function startShell(configure: () => ShellOptions): Promise<void> {
  try {
    const { profile, connect, apiKey, loadEngines } = configure()
    if (!claimProfile(profile)) return app.exit(0)
    const origin = rendererOrigin(app.isPackaged, process.env.ELECTRON_RENDERER_URL)
    sandboxPages(app)
    declareScheme()
    guardPages(app, origin, openLink)
    const hosted = connect ? relay(connect, apiKey) : loadEngines(services())
    endInOrder(hosted)
    await Promise.all([hosted, app.whenReady().then(() => showPage(origin, hosted))])
  } catch (error) {
    refuse(error)
  }
}

/** One instance on a profile: a second one brings the first one's window to the front, and is told to end. */
function claimProfile(profile: string): boolean {
  app.setName('K2 Workstation')
  const folder = join(profile, 'window')
  mkdirSync(folder, { recursive: true })
  app.setPath('userData', folder)
  if (app.requestSingleInstanceLock()) return true
  say('K2 is already open on this profile; its window is in front now. Another window needs another --profile.')
  return false
}

/** The page does not wait for the engines: what it asks in the meantime waits in its port. */
function showPage(origin: string, hosted: Promise<Hosted>): void {
  guardSession(session.defaultSession, origin)
  serveScheme(join(root, 'out/renderer'))
  acceptPorts(ipcMain, origin, port => {
    hosted.then(
      ({ host }) => host(port),
      () => port.close(),
    )
  })
  const menu = menuTemplate({ platform: process.platform, dev: !app.isPackaged, openLink })
  Menu.setApplicationMenu(Menu.buildFromTemplate(menu))

  const show = () => {
    if (focusWindow()) return
    openWindow({
      url: `${origin}/`,
      preload: join(root, 'out/preload/index.cjs'),
      icon: join(root, 'resources/icon.png'),
      stateFile: join(app.getPath('userData'), 'window.json'),
    })
  }
  app.on('second-instance', show)
  // On macOS a program stays when its last window closes, and opens one when its icon is clicked.
  app.on('activate', show)
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  show()
}

function endInOrder(hosted: Promise<Hosted>): void {
  let exitCode = 0
  const end = quitFlow({
    close: async signal => (await hosted).close(signal),
    exit: code => app.exit(code),
    say,
  })
  app.on('will-quit', event => {
    // The windows are closed, so no page asks any more; the engines have their turn before the process ends.
    event.preventDefault()
    end(exitCode)
  })
  // Once it is ready, because Electron puts its own handlers in place of earlier ones.
  void app.whenReady().then(() => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        exitCode = signal === 'SIGINT' ? 130 : 0
        app.quit()
      })
  })
}

function services(): ShellServices {
  return { startProcess, secrets: () => createSecrets(safeStorage, { platform: process.platform }) }
}

async function relay(connect: string, apiKey: string): Promise<Hosted> {
  const { relayTo } = await import('./relay.ts')
  return { host: relayTo(connect, { apiKey }), close: () => Promise.resolve([]) }
}

function openLink(url: string): void {
  void shell.openExternal(url)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Started from an icon there is no terminal to read the line in. */
function refuse(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  say(message)
  if (app.isPackaged) dialog.showErrorBox('K2 Workstation cannot start', message)
  app.exit(error instanceof Failure && error.code === 'INVALID_INPUT' ? 2 : 1)
}
