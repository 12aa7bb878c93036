// A WebSocket server in front of a dispatch, as `k2 serve` is to a thin client; a test instrument.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Dispatch } from '../../src/contract/capability.ts'
import { decodeFrame, encodeFrame } from '../../src/contract/frame.ts'
import { servePort } from '../../src/main/wire/serve-port.ts'

export interface SocketServer {
  url: string
  /** Path and headers of each connection that was asked for. */
  asked: { path: string; apiKey?: string }[]
  /** Cuts every connection, as a network does. */
  cut: () => void
  close: () => Promise<void>
}

export async function serveSockets(dispatch: Dispatch, { apiKey }: { apiKey?: string } = {}): Promise<SocketServer> {
  const asked: SocketServer['asked'] = []
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: ({ req }, decide) => {
      const key = req.headers['x-api-key'] as string | undefined
      asked.push({ path: req.url!, apiKey: key })
      decide(apiKey === undefined || key === apiKey, 401)
    },
  })
  server.on('connection', (socket: WebSocket) => {
    servePort(
      {
        post: message => socket.send(encodeFrame(message)),
        onMessage: listen => void socket.on('message', data => listen(decodeFrame(data as Buffer))),
        onClose: listen => void socket.once('close', listen),
        close: () => socket.close(),
      },
      dispatch,
      'ws',
    )
  })
  await once(server, 'listening')
  const cut = () => server.clients.forEach(socket => socket.terminate())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    cut,
    close: async () => {
      cut()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
