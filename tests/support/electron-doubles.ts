// Stand-ins for what only an Electron program has: emitters that take what the shell registers. For rules, not for Electron.
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { App, IpcMain, MessagePortMain, Session } from 'electron'
import { onTestFinished } from 'vitest'
import { guardPages, guardSession } from '../../src/main/shell/guard.ts'

type OpenDecision = (details: { url: string }) => { action: string }
type Decide = (...args: unknown[]) => unknown

/** A page as `guardPages` leaves it. */
export function guardedPage(origin: string) {
  const app = new EventEmitter()
  const contents = Object.assign(new EventEmitter(), {
    decideOpen: undefined as OpenDecision | undefined,
    setWindowOpenHandler(decide: OpenDecision) {
      contents.decideOpen = decide
    },
  })
  const opened: string[] = []
  guardPages(app as App, origin, url => void opened.push(url))
  app.emit('web-contents-created', {}, contents)
  return {
    app,
    opened,
    /** Whether the page may do what this event announces. */
    allows: (event: string, url = '') => {
      let prevented = false
      contents.emit(event, { url, preventDefault: () => (prevented = true) })
      return !prevented
    },
    open: (url: string) => contents.decideOpen!({ url }).action,
  }
}

/** The handlers `guardSession` registers, by the name they were registered under. */
export function guardedSession(origin: string): Record<string, Decide> {
  const handlers: Record<string, Decide> = {}
  const take = (name: string) => (handler: Decide) => (handlers[name] = handler)
  const session = {
    setPermissionRequestHandler: take('permissionRequest'),
    setPermissionCheckHandler: take('permissionCheck'),
    setDevicePermissionHandler: take('devicePermission'),
    webRequest: { onBeforeRequest: take('beforeRequest') },
  }
  guardSession(session as unknown as Session, origin)
  return handlers
}

/** Main's end of a port whose other end, a real one, a page holds. */
export function mainPort(): { main: MessagePortMain; page: MessagePort } {
  const { port1, port2 } = new MessageChannel()
  const main = Object.assign(new EventEmitter(), {
    postMessage: (message: unknown) => port1.postMessage(message),
    start: () => port1.on('message', (data: unknown) => main.emit('message', { data })),
    close: () => port1.close(),
  })
  port1.on('close', () => main.emit('close'))
  onTestFinished(() => port2.close())
  return { main, page: port2 }
}

export interface Sender {
  url?: string
  parent?: object | null
  id?: number
  /** The frame is gone when its message is read. */
  gone?: boolean
}

export function newIpc() {
  const ipcMain = new EventEmitter()
  return {
    ipcMain: ipcMain as IpcMain,
    /** A page's preload forwards these ports. */
    send: (ports: MessagePortMain[], { url = 'app://k2/', parent = null, id = 1, gone = false }: Sender = {}) => {
      const senderFrame = gone ? null : { url, parent }
      ipcMain.emit('k2:port', { ports, senderFrame, sender: { id } }, null)
    },
  }
}
