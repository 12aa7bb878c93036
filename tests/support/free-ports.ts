// Ports of the loopback address that nobody listens on.
import { createServer, type AddressInfo } from 'node:net'

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port
}

/** Held together until all are known, so that no port is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
