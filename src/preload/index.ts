// Forwards a MessagePort from the page to main; the page gets nothing else, no function and no global.
import { ipcRenderer } from 'electron'

window.addEventListener('message', (event: MessageEvent) => {
  const fromPage = event.source === window && event.origin === location.origin
  if (fromPage && event.data === 'k2:port' && event.ports.length === 1) {
    ipcRenderer.postMessage('k2:port', null, [...event.ports])
  }
})
