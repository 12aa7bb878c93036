// The application menu as data, in the order and with the keys each platform expects. The page has its own keys for the rest.
import type { MenuItemConstructorOptions } from 'electron'
import { docLinks } from './doc-links.ts'

export interface MenuOptions {
  platform: NodeJS.Platform
  /** Reload and the inspector are for developing; in a released K2 a reload would only lose the page's state. */
  dev: boolean
  openLink: (url: string) => void
}

type Item = MenuItemConstructorOptions
const separator: Item = { type: 'separator' }

export function menuTemplate({ platform, dev, openLink }: MenuOptions): Item[] {
  const mac = platform === 'darwin'
  const appMenu: Item = {
    role: 'appMenu',
    label: 'K2 Workstation',
    submenu: [
      { role: 'about' },
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      { role: 'quit', accelerator: 'Cmd+Q' },
    ],
  }
  const file: Item = {
    label: '&File',
    submenu: mac
      ? [{ role: 'close', accelerator: 'Cmd+W' }]
      : [{ role: 'quit', label: 'E&xit', accelerator: platform === 'win32' ? 'Alt+F4' : 'Ctrl+Q' }],
  }
  const edit: Item = {
    label: '&Edit',
    submenu: [
      { role: 'undo' },
      { role: 'redo' },
      separator,
      { role: 'cut' },
      { role: 'copy' },
      { role: 'paste' },
      { role: 'selectAll' },
    ],
  }
  const view: Item = {
    label: '&View',
    submenu: [
      ...(dev ? ([{ role: 'reload' }, { role: 'toggleDevTools' }, separator] satisfies Item[]) : []),
      { role: 'resetZoom', accelerator: 'CmdOrCtrl+0' },
      { role: 'zoomIn', accelerator: 'CmdOrCtrl+Plus' },
      { role: 'zoomOut', accelerator: 'CmdOrCtrl+-' },
      separator,
      { role: 'togglefullscreen', accelerator: mac ? 'Ctrl+Cmd+F' : 'F11' },
    ],
  }
  const windowMenu: Item = {
    label: '&Window',
    submenu: mac
      ? [{ role: 'minimize', accelerator: 'Cmd+M' }, { role: 'zoom' }, separator, { role: 'front' }]
      : [{ role: 'minimize' }, { role: 'close', accelerator: 'Ctrl+W' }],
  }
  const help: Item = {
    role: 'help',
    submenu: docLinks.map(({ label, url }) => ({ label, click: () => openLink(url) })),
  }
  return [...(mac ? [appMenu] : []), file, edit, view, windowMenu, help]
}
