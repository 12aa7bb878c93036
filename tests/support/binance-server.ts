// A local server that speaks Binance's protocol, combined stream and REST, and fails in the ways the real one does.
// `node --import tsx tests/support/binance-server.ts [port]` runs it by itself, with trades and drops, for a try by hand.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'

export interface ServedTrade {
  symbol: string
  id: number
  time: number
  price: string
  quantity: string
  isBuyerMaker: boolean
}

export interface ServedQuote {
  symbol: string
  id: number
  bid: string
  bidQuantity: string
  ask: string
  askQuantity: string
}

interface Listener {
  socket: WebSocket
  streams: Set<string>
  /** Gets nothing any more, and answers nothing. */
  isStalled: boolean
}

export interface BinanceServer {
  url: string
  /** All there ever were. */
  trades: readonly ServedTrade[]
  quotes: readonly ServedQuote[]
  /** The next trades of a symbol, to all who listen; those that `hidden` says are missed by all. */
  trade: (symbol: string, count?: number, hidden?: boolean) => void
  quote: (symbol: string, change?: Partial<ServedQuote>) => void
  /** Connections that are open now. */
  open: () => number
  /** Connections there ever were, with the streams each asked for, in its address and afterwards. */
  connections: readonly { inAddress: readonly string[]; inMessages: string[][]; messageMs: number[] }[]
  send: (text: string) => void
  /** One message in several frames. */
  sendInFrames: (text: string, frames: number) => void
  /** The first bytes of a frame, and then the end of the connection. */
  sendHalfFrame: () => void
  /** Pings all; resolves with the number of pongs. */
  ping: () => Promise<number>
  drop: () => void
  /** Ends connections as after 24 hours. */
  close: (code: number, reason: string) => void
  stall: () => void
  refuse: (isRefusing: boolean) => void
  rest: {
    requests: string[]
    answer?: (url: URL) => { status: number; headers?: Record<string, string>; body: string } | undefined
  }
  stop: () => Promise<void>
}

const HISTORY_PAGE = 1000

export async function startBinanceServer({ port = 0, firstId = 1 } = {}): Promise<BinanceServer> {
  const trades: ServedTrade[] = []
  const quotes: ServedQuote[] = []
  const nextIds = new Map<string, number>()
  const listeners = new Set<Listener>()
  const connections: { inAddress: string[]; inMessages: string[][]; messageMs: number[] }[] = []
  const rest: BinanceServer['rest'] = { requests: [] }
  let isRefusing = false

  const server = createServer((request, response) => answerRest(request, response))
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (isRefusing) return void socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
    sockets.handleUpgrade(request, socket, head, opened => listen(opened, request))
  })

  function listen(socket: WebSocket, request: IncomingMessage): void {
    const inAddress = new URL(request.url!, 'ws://x').searchParams.get('streams')?.split('/') ?? []
    const connection = { inAddress, inMessages: [] as string[][], messageMs: [] as number[] }
    connections.push(connection)
    const listener = { socket, streams: new Set(inAddress), isStalled: false }
    listeners.add(listener)
    socket.on('error', () => {})
    socket.on('close', () => listeners.delete(listener))
    socket.on('message', data => {
      const { method, params, id } = JSON.parse((data as Buffer).toString()) as {
        method: string
        params: string[]
        id: number
      }
      if (method !== 'SUBSCRIBE') return socket.send(JSON.stringify({ error: { code: 2, msg: 'Invalid request' }, id }))
      connection.inMessages.push(params)
      connection.messageMs.push(performance.now())
      params.forEach(stream => listener.streams.add(stream))
      socket.send(JSON.stringify({ result: null, id }))
    })
  }

  function answerRest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, 'http://x')
    rest.requests.push(request.url!)
    const { status, headers = {}, body } = rest.answer?.(url) ?? ordinaryAnswer(url)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  }

  function ordinaryAnswer({ pathname, searchParams }: URL): { status: number; headers?: undefined; body: string } {
    if (pathname === '/api/v3/historicalTrades') {
      const [symbol, fromId] = [searchParams.get('symbol'), Number(searchParams.get('fromId'))]
      const found = trades.filter(trade => trade.symbol === symbol && trade.id >= fromId)
      const rows = found.slice(0, Math.min(HISTORY_PAGE, Number(searchParams.get('limit') ?? 500)))
      return { status: 200, body: JSON.stringify(rows.map(historyOf)) }
    }
    if (pathname === '/api/v3/exchangeInfo') {
      const symbols = JSON.parse(searchParams.get('symbols') ?? '[]') as string[]
      if (symbols.some(symbol => symbol.startsWith('NO')))
        return { status: 400, body: '{"code":-1121,"msg":"Invalid symbol."}' }
      const rows = symbols.map(symbol => ({ symbol, quoteAsset: symbol.endsWith('XYZ') ? 'XYZ' : symbol.slice(3) }))
      return { status: 200, body: JSON.stringify({ symbols: rows }) }
    }
    return { status: 404, body: '{"code":-1,"msg":"no such path"}' }
  }

  const live = () => [...listeners].filter(({ isStalled, socket }) => !isStalled && socket.readyState === socket.OPEN)
  function tell(stream: string, data: object): void {
    const text = JSON.stringify({ stream, data })
    for (const { socket, streams } of live()) if (streams.has(stream)) socket.send(text)
  }

  function nextId(key: string): number {
    const id = nextIds.get(key) ?? firstId
    nextIds.set(key, id + 1)
    return id
  }

  server.listen(port, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port: taken } = server.address() as AddressInfo

  return {
    url: `ws://127.0.0.1:${taken}`,
    trades,
    quotes,
    connections,
    rest,
    trade(symbol, count = 1, hidden = false) {
      for (let i = 0; i < count; i++) {
        const id = nextId(`${symbol} trade`)
        const trade = {
          symbol,
          id,
          time: Date.now(),
          price: `${(id % 977) + 1}.${String(id % 100_000_000).padStart(8, '0')}`,
          quantity: `${id % 13}.00100000`,
          isBuyerMaker: id % 3 === 0,
        }
        trades.push(trade)
        if (!hidden) tell(`${symbol.toLowerCase()}@trade`, streamedOf(trade))
      }
    },
    quote(symbol, change = {}) {
      const id = nextId(`${symbol} quote`)
      const quote = {
        symbol,
        id,
        bid: '9.50000000',
        bidQuantity: '1.5',
        ask: '9.60000000',
        askQuantity: '2',
        ...change,
      }
      quotes.push(quote)
      const { bid: b, bidQuantity: B, ask: a, askQuantity: A } = quote
      tell(`${symbol.toLowerCase()}@bookTicker`, { u: quote.id, s: symbol, b, B, a, A })
    },
    open: () => listeners.size,
    send: text => live().forEach(({ socket }) => socket.send(text)),
    sendInFrames(text, frames) {
      const size = Math.ceil(text.length / frames)
      for (const { socket } of live())
        for (let at = 0; at < text.length; at += size)
          socket.send(text.slice(at, at + size), { fin: at + size >= text.length })
    },
    sendHalfFrame() {
      for (const { socket } of live()) {
        const raw = (socket as unknown as { _socket: { end: (bytes: Buffer) => void } })._socket
        // A text frame of 100 bytes, of which four come.
        raw.end(Buffer.from([0x81, 100, 0x7b, 0x22, 0x73, 0x74]))
      }
    },
    async ping() {
      const pongs = live().map(
        ({ socket }) =>
          new Promise<boolean>(resolve => {
            socket.once('pong', () => resolve(true))
            socket.once('close', () => resolve(false))
            socket.ping()
          }),
      )
      return (await Promise.all(pongs)).filter(Boolean).length
    },
    drop: () => [...listeners].forEach(({ socket }) => socket.terminate()),
    close: (code, reason) => [...listeners].forEach(({ socket }) => socket.close(code, reason)),
    stall: () =>
      [...listeners].forEach(listener => {
        listener.isStalled = true
        // Unread, so that pings are not answered either.
        listener.socket.pause()
      }),
    refuse: next => void (isRefusing = next),
    async stop() {
      for (const { socket } of listeners) socket.terminate()
      sockets.close()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function streamedOf({ symbol, id, time, price, quantity, isBuyerMaker }: ServedTrade): object {
  return { e: 'trade', E: time + 1, s: symbol, t: id, p: price, q: quantity, T: time, m: isBuyerMaker, M: true }
}

function historyOf({ id, time, price, quantity, isBuyerMaker }: ServedTrade): object {
  return { id, price, qty: quantity, quoteQty: '0', time, isBuyerMaker, isBestMatch: true }
}

if (process.argv[1] === import.meta.filename) {
  const server = await startBinanceServer({ port: Number(process.argv[2] ?? 0) })
  console.log(`K2_BINANCE_WEBSOCKET_URL=${server.url}`)
  setInterval(() => {
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      server.trade(symbol, 5, Math.random() < 0.02)
      server.quote(symbol)
    }
  }, 20)
  setInterval(() => server.drop(), 10_000)
}
