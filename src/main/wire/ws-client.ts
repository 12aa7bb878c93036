// The caller's end of a WebSocket to a K2 elsewhere, for thin clients.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { Failure, failureFromWire, type WireFailure } from '../../contract/failure.ts'
import type { Port } from '../../contract/messages.ts'
import { HEARTBEAT_MS, socketPort, SUBPROTOCOLS } from './ws-port.ts'

export interface ConnectOptions {
  apiKey: string
  heartbeatMs?: number
}

const HANDSHAKE_MS = 10_000

/** Resolves when the conversation can begin. `url` is where `k2 serve` is, as it printed it. */
export async function connectWebSocket(
  url: string,
  { apiKey, heartbeatMs = HEARTBEAT_MS }: ConnectOptions,
): Promise<Port> {
  const socket = new WebSocket(socketUrl(url), [SUBPROTOCOLS[0]], {
    headers: { 'x-api-key': apiKey },
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
  })
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(unreachable(url, cause))
    socket.once('error', fail)
    socket.once('unexpected-response', (request, response) => void refusal(url, request, response).then(reject, fail))
    socket.once('open', () => {
      socket.off('error', fail)
      resolve(socketPort(socket, heartbeatMs))
    })
  })
}

function socketUrl(url: string): URL {
  const at = URL.canParse(url) ? new URL(url) : undefined
  if (!at || !/^(https?|wss?):$/.test(at.protocol))
    throw new Failure('INVALID_INPUT', `${url} is not the address of a K2: it should look like http://127.0.0.1:8000.`)
  at.protocol = at.protocol.replace('http', 'ws')
  at.pathname = at.pathname.replace(/\/*$/, '').replace(/(\/v1\/ws)?$/, '/v1/ws')
  at.search = ''
  at.hash = ''
  return at
}

function unreachable(url: string, cause: Error): Failure {
  const { code, message } = cause as NodeJS.ErrnoException
  return new Failure('UNAVAILABLE', `No K2 answers at ${url} (${code ?? message}). Is \`k2 serve\` running there?`, {
    cause,
  })
}

/** What the server said when it refused; if it is not K2 that refused, that. */
async function refusal(url: string, request: ClientRequest, response: IncomingMessage): Promise<Failure> {
  const { statusCode } = response
  const text = await beginningOf(response)
  request.destroy()
  const error = wireFailureIn(text)
  if (error?.code === 'UNAUTHORIZED')
    return new Failure(
      'UNAUTHORIZED',
      `K2 at ${url} does not know this key: set K2_API_KEY to the key that it was started with.`,
    )
  return error
    ? failureFromWire({ ...error, message: `K2 at ${url} refused: ${error.message}` })
    : new Failure('UNAVAILABLE', `What answers at ${url} is not K2: it said ${statusCode}.`)
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    text += chunk as string
    if (text.length > 10_000) break
  }
  return text
}

function wireFailureIn(text: string): WireFailure | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: WireFailure }
    return typeof error?.code === 'string' && typeof error.message === 'string' ? error : undefined
  } catch {
    return undefined
  }
}
