// One WebSocket connection to the exchange, from its opening to its end; whatever ends it, it is told once.
import { WebSocket } from 'ws'

/** Why a connection ended, as metrics count it. */
export type EndReason = 'refused' | 'closed' | 'error' | 'silent' | 'left'

export interface Ended {
  reason: EndReason
  why: string
}

export interface Connection {
  /** Resolves when it is open, or with how it ended before. */
  opened: Promise<Ended | undefined>
  ended: Promise<Ended>
  send: (text: string) => void
  close: () => void
}

export interface ConnectionOptions {
  url: string
  /** Trusted in the place of the well-known authorities, PEM. */
  ca?: string
  onText: (text: string) => void
  /** Nothing at all heard for so long, not even an answer to a ping, means that nobody is there. */
  silenceMs: number
  /** Nothing but pings for so long means that the stream has dried up. */
  quietMs: number
  handshakeMs: number
}

const MOST_MESSAGE_BYTES = 1024 * 1024
const LOOKS_PER_SILENCE = 8

export function openConnection({ url, ca, onText, silenceMs, quietMs, handshakeMs }: ConnectionOptions): Connection {
  const socket = new WebSocket(url, {
    ca,
    handshakeTimeout: handshakeMs,
    maxPayload: MOST_MESSAGE_BYTES,
    perMessageDeflate: false,
  })
  let heardMs = performance.now()
  let toldMs = heardMs
  let isAsked = false
  let end: Ended | undefined
  const leave = (reason: EndReason, why: string) => {
    end ??= { reason, why }
    socket.terminate()
  }

  function look(): void {
    const now = performance.now()
    if (now - heardMs > silenceMs) leave('silent', `nothing was heard for ${seconds(silenceMs)}`)
    else if (now - toldMs > quietMs) leave('silent', `no trade or quote came for ${seconds(quietMs)}`)
    else if (now - heardMs > silenceMs / 2 && !isAsked && socket.readyState === WebSocket.OPEN) {
      isAsked = true
      socket.ping()
    }
  }
  const watch = setInterval(look, silenceMs / LOOKS_PER_SILENCE)
  const heard = () => {
    heardMs = performance.now()
    isAsked = false
  }
  socket.on('ping', heard)
  socket.on('pong', heard)
  socket.on('message', (data, isBinary) => {
    heard()
    toldMs = heardMs
    // The exchange sends texts only; what is none is told as one, and then not understood.
    onText(isBinary ? '(binary)' : textOf(data))
  })

  const ended = new Promise<Ended>(resolve => {
    let isOpen = false
    socket.on('open', () => {
      isOpen = true
      heard()
      toldMs = heardMs
    })
    socket.on('error', error => (end ??= { reason: isOpen ? 'error' : 'refused', why: error.message || String(error) }))
    socket.on('close', (code, text) => {
      clearInterval(watch)
      const said = text.toString('utf8')
      resolve(end ?? { reason: 'closed', why: `the exchange closed the connection (${code}${said && `, ${said}`})` })
    })
  })
  const opened = new Promise<undefined>(resolve => socket.on('open', () => resolve(undefined)))

  return {
    opened: Promise.race([opened, ended]),
    ended,
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => leave('left', 'it was left'),
  }
}

function textOf(data: unknown): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.concat(data as Buffer[]).toString('utf8')
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
