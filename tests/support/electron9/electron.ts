// Test only: Electron 9's module with what the shell calls of a modern one. The smoke build resolves 'electron' in main
// to this file. What stands here is imitated and so not proven: protocol.handle, senderFrame, window-open denial.
import * as real from 'electron'

type Listener = (event: Record<string, unknown>, ...rest: unknown[]) => void
interface OldContents {
  on: (name: string, listen: Listener) => void
  setWindowOpenHandler?: (decide: (details: { url: string }) => { action: string }) => void
}

real.protocol.handle = (scheme, answer) => {
  real.protocol.registerBufferProtocol(scheme, (request, done) => {
    void Promise.resolve(answer(request as unknown as Request)).then(async response => {
      const headers = Object.fromEntries(response.headers)
      const data = Buffer.from(await response.arrayBuffer())
      done({ statusCode: response.status, headers, mimeType: headers['content-type'].split(';')[0], data })
    })
  })
}

real.app.on('web-contents-created', (_event, modern) => {
  const contents = modern as unknown as OldContents
  const on = contents.on.bind(contents)
  contents.on = (name, listen) =>
    on(name, (event, ...rest) => {
      if (name.startsWith('will-')) event.url ??= rest[0]
      listen(event, ...rest)
    })
  contents.setWindowOpenHandler = decide =>
    on('new-window', (event, url) => {
      if (decide({ url: String(url) }).action === 'deny') (event.preventDefault as () => void)()
    })
})

real.app.on('session-created', session => {
  session.setDevicePermissionHandler = () => {}
})

const listen = real.ipcMain.on.bind(real.ipcMain)
real.ipcMain.on = (channel, listener) =>
  listen(channel, (event, ...rest: unknown[]) => {
    // Electron 9 cannot name the frame.
    Object.assign(event, { senderFrame: { url: event.sender.getURL(), parent: null } })
    listener(event, ...rest)
  })

export const {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  nativeTheme,
  protocol,
  safeStorage,
  screen,
  session,
  shell,
  utilityProcess,
} = real
