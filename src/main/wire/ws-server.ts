// The contract over WebSocket, at /v1/ws of the HTTP server: the same door, then the messages of a port.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { z } from 'zod'
import type { Dispatch } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { Port, ToServer } from '../../contract/messages.ts'
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
  heartbeatMs?: number
}

const POLICY_VIOLATION = 1008
const GOING_AWAY = 1001
/** A caller that does not answer the goodbye is cut off. */
const GOODBYE_MS = 500

export function serveSockets(server: Server, { dispatch, admit, observe, heartbeatMs }: SocketsOptions) {
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
      servePort(checkedPort(socketPort(webSocket, heartbeatMs), webSocket), dispatch, 'ws')
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

/** Batches that one message may ask for: without a bound, a producer that never waits would keep everyone else waiting. */
const MAX_CREDIT = 1000

const id = z.int().min(0)
const toServer: z.ZodType<ToServer> = z.discriminatedUnion('t', [
  z.strictObject({
    t: z.literal('open'),
    id,
    name: z.string(),
    input: z.unknown().default({}),
    correlationId: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/)
      .optional(),
  }),
  z.strictObject({ t: z.literal('credit'), id, n: z.int().min(1).max(MAX_CREDIT) }),
  z.strictObject({ t: z.literal('cancel'), id }),
])

/** A caller that does not speak the protocol is told so and let go, before anything acts on what it said. */
function checkedPort(port: Port, socket: WebSocket): Port {
  return {
    ...port,
    onMessage: listen =>
      port.onMessage(raw => {
        const message = toServer.safeParse(raw)
        if (message.success) listen(message.data)
        else socket.close(POLICY_VIOLATION, closeReason(`Not a message of K2: ${z.prettifyError(message.error)}`))
      }),
  }
}
