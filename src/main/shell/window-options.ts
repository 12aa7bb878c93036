// The window's options, as locked as Electron allows. The defaults that matter are spelled out, so that a test holds them.
import type { BrowserWindowConstructorOptions } from 'electron'
import { MIN_SIZE, type Bounds } from './window-state.ts'

export interface WindowOptions {
  bounds: Bounds
  dark: boolean
  preload: string
  icon: string
}

/** The page's own ground (ui/tokens.css), so that the window does not flash before its first paint. */
const background = { dark: '#0b0e12', light: '#eceef1' } as const

export function windowOptions({ bounds, dark, preload, icon }: WindowOptions): BrowserWindowConstructorOptions {
  return {
    ...bounds,
    minWidth: MIN_SIZE.width,
    minHeight: MIN_SIZE.height,
    title: 'K2 Workstation',
    icon,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: dark ? background.dark : background.light,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      // Its dictionaries would be fetched from the network.
      spellcheck: false,
    },
  }
}
