// Keeps every page at home: no navigation away, no window, no webview, no permission, no request to the network.
// Electron's parts are handed in, so that each rule is tested without its binary. Certificate errors stay errors.
import type { App, Session } from 'electron'
import { docLink } from './doc-links.ts'
import { isOwn, mayLoad } from './origin.ts'

interface Leaving {
  url: string
  preventDefault(): void
}

/** For every page there will ever be. Only who starts the program can say otherwise: root in a container has no sandbox to offer. */
export function sandboxPages(app: App): void {
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
}

/** Before the first window: every page that ever comes to be is guarded, not only the one we open. */
export function guardPages(app: App, origin: string, openLink: (url: string) => void): void {
  const stay = (leaving: Leaving) => {
    if (!isOwn(leaving.url, origin)) leaving.preventDefault()
  }
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', stay)
    contents.on('will-frame-navigate', stay)
    contents.on('will-redirect', stay)
    contents.on('will-attach-webview', event => event.preventDefault())
    contents.setWindowOpenHandler(({ url }) => {
      const link = docLink(url)
      if (link) openLink(link)
      return { action: 'deny' }
    })
  })
}

export function guardSession(session: Session, origin: string): void {
  session.setPermissionRequestHandler((_contents, _permission, decide) => decide(false))
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
  session.webRequest.onBeforeRequest(({ url }, decide) => decide({ cancel: !mayLoad(url, origin) }))
}
