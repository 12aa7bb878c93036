// The contract over WebSocket, at /v1/ws of the HTTP server: the same door, then the messages of a port.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Dispatch } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import { pathOf, type Admit } from './http/admission.ts'
import { correlationIdOf } from './http/correlation.ts'
import { MAX_BODY_BYTES } from './http/failures.ts'
import { answerRaw } from './http/raw-answer.ts'
import { servePort } from './serve-port.ts'
import { closeReason, socketPort, SUBPROTOCOLS } from './ws-port.ts'

export const SOCKET_PATH = '/v1/ws'

export interface SocketsOptions {
  dispatch: Dispatch
  admit: Admit
  /** How each handshake ended. */
  observe: (request: IncomingMessage, status: number, elapsedMs: number) => void
  /** An answer that cannot cross. */
  onBug: (error: unknown, correlationId: string) => void
  heartbeatMs?: number
}

const POLICY_VIOLATION = 1008
const GOING_AWAY = 1001
/** A caller that does not answer the goodbye is cut off. */
const GOODBYE_MS = 500

export function serveSockets(server: Server, { dispatch, admit, observe, onBug, heartbeatMs }: SocketsOptions) {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_BODY_BYTES,
    handleProtocols: asked => SUBPROTOCOLS.find(protocol => asked.has(protocol)) ?? false,
  })
  sockets.on('wsClientError', ({ message }, socket, request) =>
    refuse(request, socket, new Failure('INVALID_INPUT', `That is no WebSocket handshake: ${message}`)),
  )

  server.on('upgrade', (request, socket, head) => {
    const started = performance.now()
    const lost = () => socket.destroy()
    const headers: Record<string, string> = {}
    socket.on('error', lost)
    try {
      checkTarget(request)
      admit(request, false, (name, value) => (headers[name] = value))
    } catch (error) {
      return refuse(request, socket, error as Failure, headers)
    }
    sockets.handleUpgrade(request, socket, head, webSocket => {
      socket.off('error', lost)
      observe(request, 101, performance.now() - started)
      servePort(socketPort(webSocket, heartbeatMs), dispatch, 'ws', {
        onViolation: problem => webSocket.close(POLICY_VIOLATION, closeReason(`Not a message of K2: ${problem}`)),
        onBug,
      })
    })
  })

  function refuse(request: IncomingMessage, socket: Duplex, failure: Failure, headers = {}): void {
    observe(request, failure.status, 0)
    answerRaw(socket, failure, { correlationId: correlationIdOf(request), headers })
  }

  return {
    async close(): Promise<void> {
      const open = [...sockets.clients]
      for (const socket of open) socket.close(GOING_AWAY, 'K2 is closing')
      const cutOff = setTimeout(() => open.forEach(socket => socket.terminate()), GOODBYE_MS)
      await Promise.all(open.map(closed))
      clearTimeout(cutOff)
    },
  }
}

function checkTarget(request: IncomingMessage): void {
  const { upgrade = '' } = request.headers
  if (upgrade.toLowerCase() !== 'websocket')
    throw new Failure(
      'INVALID_INPUT',
      `This server speaks HTTP/1.1 and WebSocket; do not ask for an upgrade to ${upgrade}.`,
    )
  if (pathOf(request) !== SOCKET_PATH)
    throw new Failure('NOT_FOUND', `There is no WebSocket at ${pathOf(request)}; it is at ${SOCKET_PATH}.`)
}

function closed(socket: WebSocket): Promise<void> {
  return new Promise(resolve => {
    if (socket.readyState === socket.CLOSED) resolve()
    else socket.once('close', () => resolve())
  })
}
