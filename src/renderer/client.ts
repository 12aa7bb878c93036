// The only door out of the window: a Port to K2, through the preload in the app and by WebSocket in a browser.
import { decodeFrame, encodeFrame } from '../contract/frame.ts'
import { Failure } from '../contract/failure.ts'
import type { Port } from '../contract/messages.ts'

export function openPort(): Promise<Port> {
  // During development Electron's window shows a page from an http address.
  if (location.protocol === 'app:' || navigator.userAgent.includes(' Electron/'))
    return Promise.resolve(openWindowPort())
  return openSocketPort(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/ws`)
}

/** The preload waits for this message and forwards the port's other end to the program. */
function openWindowPort(): Port {
  const { port1, port2 } = new MessageChannel()
  window.postMessage('k2:port', location.origin, [port2])
  port1.start()
  return {
    post: message => port1.postMessage(message),
    onMessage: listen => port1.addEventListener('message', event => listen(event.data)),
    onClose: listen => port1.addEventListener('close', () => listen(), { once: true }),
    close: () => port1.close(),
  }
}

async function openSocketPort(url: string): Promise<Port> {
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  const isOpen = await new Promise<boolean>(resolve => {
    socket.addEventListener('open', () => resolve(true), { once: true })
    socket.addEventListener('close', () => resolve(false), { once: true })
  })
  if (!isOpen) throw await whyRefused()
  return {
    post: message => {
      if (socket.readyState === WebSocket.OPEN) socket.send(encodeFrame(message))
    },
    onMessage: listen =>
      socket.addEventListener('message', (event: MessageEvent<ArrayBuffer>) =>
        listen(decodeFrame(new Uint8Array(event.data))),
      ),
    onClose: listen => socket.addEventListener('close', () => listen(), { once: true }),
    close: () => socket.close(),
  }
}

/** A browser does not tell a page why a WebSocket was refused; whether K2 answers at all tells the two cases apart. */
async function whyRefused(): Promise<Failure> {
  const answers = await fetch('/health/live', { signal: AbortSignal.timeout(2000) }).then(
    response => response.ok,
    () => false,
  )
  return answers
    ? new Failure('UNAUTHORIZED', 'K2 no longer knows this page: open the address that K2 printed when it started.')
    : new Failure('UNAVAILABLE', `K2 does not answer at ${location.host}.`)
}
