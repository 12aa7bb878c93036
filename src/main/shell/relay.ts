// Thin-client mode: what the page says goes to a K2 elsewhere by WebSocket, and what that answers comes back.
import { WebSocket } from 'ws'
import { Failure } from '../../contract/failure.ts'
import { decodeFrame, encodeFrame } from '../../contract/frame.ts'
import type { Port, ToClient, ToServer } from '../../contract/messages.ts'

export interface RelayOptions {
  apiKey?: string
  /** A silent connection is asked this often whether it lives; one that does not answer in time is lost. */
  heartbeatMs?: number
}

/** Messages kept while the connection is being made; a page that says more by then has gone wrong. */
const MAX_EARLY = 1000
const CONNECT_MS = 5_000

/** Where `k2 serve` at this address takes WebSockets. */
export function socketUrl(connect: string): string {
  const url = URL.canParse(connect) ? new URL(connect) : undefined
  if (!url || !/^(https?|wss?):$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new Failure(
      'INVALID_INPUT',
      `--connect ${connect}: give the address of a k2 serve, as http://127.0.0.1:8000.`,
    )
  return `${url.protocol.replace('http', 'ws')}//${url.host}${url.pathname.replace(/\/+$/, '')}/v1/ws`
}

/** Each page gets a connection of its own. When that is lost the page's port closes; the page shows it and opens another. */
export function relayTo(connect: string, { apiKey, heartbeatMs = 10_000 }: RelayOptions = {}): (page: Port) => void {
  const url = socketUrl(connect)

  return page => {
    const headers = apiKey ? { 'x-api-key': apiKey } : {}
    const socket = new WebSocket(url, { headers, perMessageDeflate: false, handshakeTimeout: CONNECT_MS })
    let early: ToServer[] = []
    let ended = false
    let answered = true

    const heartbeat = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return
      if (!answered) return lose(new Failure('UNAVAILABLE', `K2 at ${connect} no longer answers.`))
      answered = false
      socket.ping()
    }, heartbeatMs)

    /** What never reached the server fails with the reason; what did is failed by the page when its port closes. */
    function lose(failure: Failure): void {
      if (ended) return
      for (const { t, id } of early)
        if (t === 'open') page.post({ t: 'fail', id, error: failure.toWire() } satisfies ToClient)
      end()
      page.close()
    }
    function end(): void {
      ended = true
      early = []
      clearInterval(heartbeat)
      socket.terminate()
    }

    page.onMessage(message => {
      if (ended) return
      if (socket.readyState === WebSocket.OPEN) socket.send(encodeFrame(message))
      else if (early.length < MAX_EARLY) early.push(message as ToServer)
      else lose(new Failure('RATE_LIMITED', `More than ${MAX_EARLY} messages before K2 at ${connect} answered.`))
    })
    page.onClose(end)

    socket.on('open', () => {
      for (const message of early) socket.send(encodeFrame(message))
      early = []
    })
    socket.on('pong', () => (answered = true))
    socket.on('message', data => {
      try {
        page.post(decodeFrame(ownBytes(data as Buffer)))
      } catch (cause) {
        lose(new Failure('UNAVAILABLE', `K2 at ${connect} speaks another version of the protocol.`, { cause }))
      }
    })
    socket.on('unexpected-response', (_request, { statusCode = 0 }) => lose(refused(connect, statusCode)))
    socket.on('error', cause =>
      lose(new Failure('UNAVAILABLE', `K2 at ${connect} cannot be reached: ${cause.message}`, { cause })),
    )
    socket.on('close', () => lose(new Failure('UNAVAILABLE', `The connection to K2 at ${connect} is gone.`)))
  }
}

/** A small frame is a piece of the socket's read buffer; a clone to the page would carry all of that. */
function ownBytes(frame: Buffer): Uint8Array {
  return frame.byteLength === frame.buffer.byteLength ? frame : new Uint8Array(frame)
}

function refused(connect: string, status: number): Failure {
  return status === 401 || status === 403
    ? new Failure('UNAUTHORIZED', `K2 at ${connect} refuses the key: set K2_API_KEY to the one it was started with.`)
    : new Failure('UNAVAILABLE', `What answers at ${connect} is no K2 server (HTTP ${status}).`)
}
