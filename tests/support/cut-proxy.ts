// A loopback HTTP server in front of another one, that fails on purpose: before the call gets there, or after it was
// done and before the answer comes back.
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface Cut {
  /** Which calls, by `POST /v1/…`; each cut is used once. */
  on: RegExp
  /** Whether the server behind does it. */
  forwarded: boolean
  /** What comes back: nothing ever, a broken connection, half of the answer, or a status of its own. */
  then: 'hang' | 'reset' | 'half' | { status: number; headers?: Record<string, string>; text?: string }
}

export interface CutProxy {
  url: string
  /** Waiting to be used. */
  cuts: Cut[]
  /** What came, in order: `POST /v1/…`. */
  seen: string[]
  stop(): Promise<void>
}

export async function startCutProxy(target: string): Promise<CutProxy> {
  const cuts: Cut[] = []
  const seen: string[] = []
  const server = createServer((incoming, response) => {
    const name = `${incoming.method} ${incoming.url}`
    seen.push(name)
    const at = cuts.findIndex(({ on }) => on.test(name))
    const [cut] = at < 0 ? [undefined] : cuts.splice(at, 1)
    answer(target, incoming, response, cut).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts,
    seen,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function answer(target: string, incoming: IncomingMessage, response: ServerResponse, cut?: Cut): Promise<void> {
  const body = await buffer(incoming)
  const real = !cut || cut.forwarded ? await forward(target, incoming, body) : undefined
  if (!cut) {
    response.writeHead(real!.status, real!.headers).end(real!.body)
  } else if (cut.then === 'reset') {
    response.destroy()
  } else if (cut.then === 'half') {
    const whole = real?.body ?? Buffer.from('{}')
    response.writeHead(real?.status ?? 200, { 'content-length': whole.length })
    response.write(whole.subarray(0, whole.length / 2), () => response.destroy())
  } else if (cut.then !== 'hang') {
    const { status, headers, text = '' } = cut.then
    response.writeHead(status, headers).end(text)
  }
}

async function forward(target: string, incoming: IncomingMessage, body: Buffer) {
  const { method, url, headers } = incoming
  const answered = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${target}${url}`, { method, headers: { ...headers, host: new URL(target).host }, agent: false })
      .once('response', resolve)
      .once('error', reject)
      .end(body)
  })
  return { status: answered.statusCode!, headers: answered.headers, body: await buffer(answered) }
}
