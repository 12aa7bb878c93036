// Takes one MessagePort from our page and hands it to whoever serves the contract; any other sender's are closed.
import type { IpcMain, IpcMainEvent, MessagePortMain } from 'electron'
import type { Port } from '../../contract/messages.ts'
import { isOwn } from './origin.ts'

export const PORT_CHANNEL = 'k2:port'

/** A page has one port: a later one (after a reload, or when the page reconnects) replaces it. */
export function acceptPorts(ipcMain: IpcMain, origin: string, host: (port: Port) => void): void {
  const live = new Map<number, Port>()
  ipcMain.on(PORT_CHANNEL, event => {
    if (!isFromOurPage(event, origin) || event.ports.length !== 1) {
      for (const port of event.ports) port.close()
      return
    }
    const page = event.sender.id
    live.get(page)?.close()
    const port = adaptPort(event.ports[0])
    live.set(page, port)
    port.onClose(() => {
      if (live.get(page) === port) live.delete(page)
    })
    host(port)
  })
}

/** The frame that sent it, not the page it is in: a frame within our page could be anyone's. */
function isFromOurPage({ senderFrame }: IpcMainEvent, origin: string): boolean {
  return senderFrame !== null && senderFrame.parent === null && isOwn(senderFrame.url, origin)
}

/** Messages wait in Electron until someone listens. Closing it here ends what is open on it, as if the page had gone. */
function adaptPort(port: MessagePortMain): Port {
  const listeners: (() => void)[] = []
  let closed = false
  const end = () => {
    if (closed) return
    closed = true
    for (const listen of listeners) listen()
  }
  port.on('close', end)
  return {
    post: message => {
      if (!closed) port.postMessage(message)
    },
    onMessage: listen => {
      port.on('message', event => listen(event.data))
      port.start()
    },
    onClose: listen => void (closed ? listen() : listeners.push(listen)),
    close: () => {
      port.close()
      end()
    },
  }
}
