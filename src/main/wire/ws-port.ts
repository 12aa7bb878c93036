// A WebSocket as a Port: frames for programs, JSON text for scripts, and a heartbeat that notices a silent end.
import { WebSocket, type RawData } from 'ws'
import { Failure } from '../../contract/failure.ts'
import { decodeFrame, encodeFrame } from '../../contract/frame.ts'
import type { Port } from '../../contract/messages.ts'
import { toJson } from './to-json.ts'

/** The first is spoken when the caller asks for none. */
export const SUBPROTOCOLS = ['k2.frame', 'k2.json'] as const

export const HEARTBEAT_MS = 10_000

/** Bytes that may wait in a socket before it is given up: a caller that grants credit and does not read. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

/** Status codes of RFC 6455. */
const BAD_DATA = 1007

export function socketPort(socket: WebSocket, heartbeatMs = HEARTBEAT_MS): Port {
  const isJson = socket.protocol === 'k2.json'
  keepAlive(socket, heartbeatMs)
  socket.on('error', () => {}) // its close follows, and is what we act on

  return {
    post(message) {
      if (socket.readyState !== WebSocket.OPEN) return
      if (socket.bufferedAmount > MAX_WAITING_BYTES) return socket.terminate()
      socket.send(isJson ? toJson(message) : encodeFrame(message), { binary: !isJson })
    },
    onMessage(listen) {
      socket.on('message', (data, isBinary) => {
        const message = decoded(data, isBinary)
        if (message instanceof Failure) socket.close(BAD_DATA, closeReason(message.message))
        else listen(message)
      })
    },
    onClose: listen => void socket.once('close', listen),
    close: () => socket.close(),
  }

  function decoded(data: RawData, isBinary: boolean): unknown {
    try {
      if (isBinary === isJson)
        throw new Failure('INVALID_INPUT', `${isJson ? 'k2.json' : 'k2.frame'} has other frames.`)
      return isJson ? JSON.parse((data as Buffer).toString()) : decodeFrame(data as Buffer)
    } catch (error) {
      return error instanceof Failure ? error : new Failure('INVALID_INPUT', 'That is not JSON.')
    }
  }
}

/** A reason may be 123 bytes long, and must not end amid a character. */
export function closeReason(text: string): Buffer {
  return Buffer.from(
    Buffer.from(text)
      .subarray(0, 123)
      .toString()
      .replace(/\uFFFD+$/, ''),
  )
}

/** Pings that may go unanswered while bytes wait in the socket: the pong of a slow caller comes after all of them. */
const PATIENCE = 6

function keepAlive(socket: WebSocket, heartbeatMs: number): void {
  let unanswered = 0
  let allowed = PATIENCE
  const timer = setInterval(() => {
    if (unanswered >= allowed) return socket.terminate()
    unanswered++
    allowed = socket.bufferedAmount > 0 ? PATIENCE : unanswered
    socket.ping()
  }, heartbeatMs)
  const hear = () => (unanswered = 0)
  socket.on('pong', hear).on('message', hear)
  socket.on('close', () => clearInterval(timer))
}
