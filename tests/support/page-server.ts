// Serves the built page with its policy, and the contract by WebSocket from synthetic rows; can vanish, come back and be slow.
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { extname, join, normalize } from 'node:path'
import { WebSocketServer, type WebSocket } from 'ws'
import { decodeFrame, encodeFrame } from '../../src/contract/frame.ts'
import { contract } from '../../src/contract/index.ts'
import type { Port } from '../../src/contract/messages.ts'
import { contentSecurityPolicy } from '../../src/main/wire/csp.ts'
import { createDispatch } from '../../src/main/wire/dispatch.ts'
import { servePort } from '../../src/main/wire/serve-port.ts'
import { buildPage } from './build-page.ts'
import { pageHandlers, type PageLoad } from './page-handlers.ts'
import { createSyntheticMarket } from './synthetic-market.ts'

export interface PageServer {
  url: string
  load: PageLoad
  /** Cuts every connection and refuses new ones, as a server that is gone. */
  vanish(): Promise<void>
  /** Listens again at the same address; `anew` with a log that knows no cursor of before. */
  comeBack(anew?: 'anew'): Promise<void>
  close(): Promise<void>
}

export interface PageServerOptions {
  tradesPerSecond?: number
  /** Off: nothing has come yet and nothing runs. */
  isRunning?: boolean
  /** Trades already there before the first page opens. */
  history?: number
}

const TICK_MS = 25
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

export async function openPageServer({
  tradesPerSecond = 500,
  isRunning = true,
  history = 0,
}: PageServerOptions = {}): Promise<PageServer> {
  const folder = await buildPage()
  const market = createSyntheticMarket()
  let wake: (() => void)[] = []
  const load: PageLoad = {
    market,
    epoch: 1,
    isRunning,
    tradesPerSecond,
    isDemo: true,
    answerAfterMs: 0,
    partialBecause: null,
    nextTick: () => new Promise(resolve => wake.push(resolve)),
  }
  if (history > 0) market.advance((history / tradesPerSecond) * 1000, tradesPerSecond)

  let last = performance.now()
  const ticking = setInterval(() => {
    const now = performance.now()
    if (load.isRunning) market.advance(now - last, load.tradesPerSecond)
    last = now
    const waiting = wake
    wake = []
    for (const resolve of waiting) resolve()
  }, TICK_MS)

  const dispatch = createDispatch(contract, pageHandlers(load, Date.now()), {
    checkAnswers: tradesPerSecond <= 1000,
    observe: ({ name, bug }) => {
      if (bug) console.error(`${name} of the test's server is wrong:`, bug)
    },
  })
  const sockets = new Set<WebSocket>()
  let closeListener = async () => {}
  let port = 0

  async function listen(): Promise<void> {
    const server = createServer((request, response) => answer(folder, request.url ?? '/', port, response))
    const upgrades = new WebSocketServer({ server, path: '/v1/ws' })
    upgrades.on('connection', socket => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      servePort(socketPort(socket), dispatch, 'ws')
    })
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
    closeListener = async () => {
      for (const socket of sockets) socket.terminate()
      upgrades.close()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  }
  await listen()
  return {
    url: `http://127.0.0.1:${port}/`,
    load,
    vanish: () => closeListener(),
    comeBack: async anew => {
      if (anew) load.epoch++
      await listen()
    },
    close: async () => {
      clearInterval(ticking)
      load.isRunning = false
      await closeListener()
      for (const resolve of wake) resolve()
    },
  }
}

function answer(folder: string, url: string, port: number, response: ServerResponse): void {
  const path = normalize(new URL(url, 'http://page').pathname)
  if (path === '/health/live') return void response.end('{}')
  const file = join(folder, path === '/' ? 'index.html' : path)
  let body: Buffer | string
  try {
    body = readFileSync(file)
  } catch {
    return void response.writeHead(404).end()
  }
  const headers: Record<string, string> = { 'content-type': `${TYPES[extname(file)] ?? 'text/plain'}; charset=utf-8` }
  if (file.endsWith('.html')) {
    const nonce = randomBytes(16).toString('base64')
    body = body.toString().replaceAll('__NONCE__', nonce)
    const address = `127.0.0.1:${port}`
    headers['content-security-policy'] = contentSecurityPolicy(nonce, [`http://${address}`, `ws://${address}`])
  }
  response.writeHead(200, headers).end(body)
}

function socketPort(socket: WebSocket): Port {
  return {
    post: message => socket.send(encodeFrame(message)),
    onMessage: listen => void socket.on('message', (data: Buffer) => listen(decodeFrame(new Uint8Array(data)))),
    onClose: listen => void socket.once('close', () => listen()),
    close: () => socket.close(),
  }
}
