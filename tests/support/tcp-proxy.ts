// A loopback port in front of another one, that can stop forwarding without closing, or close; and counts bytes.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface TcpProxy {
  port: number
  /** Where to; may be said later. */
  target: number
  /** Came back from the target. */
  bytesBack: number
  connections: () => number
  hang: () => void
  resume: () => void
  cut: () => void
  /** Cuts, and drops whoever connects until `resume`. */
  refuse: () => void
  close: () => Promise<void>
}

export async function startTcpProxy(): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>()
  let hanging = false
  let refusing = false
  const server = createServer(client => {
    if (refusing) return void client.on('error', () => {}).destroy()
    const upstream = connect(proxy.target, '127.0.0.1')
    const pair: [Socket, Socket] = [client, upstream]
    pairs.add(pair)
    upstream.on('data', bytes => (proxy.bytesBack += bytes.length))
    client.pipe(upstream).pipe(client)
    if (hanging) for (const socket of pair) socket.pause()
    for (const socket of pair)
      socket
        .on('error', () => {})
        .once('close', () => {
          pairs.delete(pair)
          for (const other of pair) other.destroy()
        })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const each = (act: (socket: Socket) => void) => pairs.forEach(pair => pair.forEach(act))
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    target: 0,
    bytesBack: 0,
    connections: () => pairs.size,
    hang() {
      hanging = true
      each(socket => socket.pause())
    },
    resume() {
      hanging = refusing = false
      each(socket => socket.resume())
    },
    cut: () => each(socket => socket.destroy()),
    refuse() {
      refusing = true
      proxy.cut()
    },
    async close() {
      each(socket => socket.destroy())
      await new Promise(resolve => server.close(resolve))
    },
  }
  return proxy
}
