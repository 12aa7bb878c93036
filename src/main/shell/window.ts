// The one window: opened where it was, shown once it has something to show, its place kept when it closes.
import { BrowserWindow, nativeTheme, screen } from 'electron'
import { windowOptions } from './window-options.ts'
import { clampBounds, readWindowState, writeWindowState } from './window-state.ts'

export interface OpenOptions {
  url: string
  preload: string
  icon: string
  stateFile: string
}

export function openWindow({ url, preload, icon, stateFile }: OpenOptions): BrowserWindow {
  const primary = screen.getPrimaryDisplay()
  const others = screen.getAllDisplays().filter(({ id }) => id !== primary.id)
  const workAreas = [primary, ...others].map(({ workArea }) => workArea)
  const saved = readWindowState(stateFile)
  const bounds = clampBounds(saved?.bounds, workAreas)
  const window = new BrowserWindow(windowOptions({ bounds, dark: nativeTheme.shouldUseDarkColors, preload, icon }))

  window.once('ready-to-show', () => {
    if (saved?.maximized) window.maximize()
    window.show()
  })
  window.on('close', () => {
    writeWindowState(stateFile, { bounds: window.getNormalBounds(), maximized: window.isMaximized() })
  })
  window.webContents.on(
    'render-process-gone',
    reviveOnce(() => window.webContents.reload()),
  )
  void window.loadURL(url)
  return window
}

/** A page that crashed comes back; one that crashes again within a minute stays down, so that it does not do so for ever. */
function reviveOnce(revive: () => void): () => void {
  let lastAt = -Infinity
  return () => {
    const now = Date.now()
    // Not from within the event: a reload there leaves main hanging (seen in Electron 9).
    if (now - lastAt > 60_000) setImmediate(revive)
    lastAt = now
  }
}

/** Brings the window to the front; false when there is none. */
export function focusWindow(): boolean {
  const [window] = BrowserWindow.getAllWindows()
  if (!window) return false
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
  return true
}
