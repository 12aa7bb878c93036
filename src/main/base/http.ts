// HTTP for clients that must know one thing that fetch does not tell: whether a call that failed can have
// reached the server. It also trusts an authority of the user's own, which Node's fetch cannot be told.
import http from 'node:http'
import https from 'node:https'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Failure } from '../../contract/failure.ts'

export interface HttpCall {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  url: string
  headers?: Readonly<Record<string, string>>
  body?: string
  signal?: AbortSignal
}

export interface HttpAnswer {
  status: number
  headers: http.IncomingHttpHeaders
  text: string
}

export interface Http {
  /** The whole answer, whatever its status; a `NotSent` when it certainly did not reach the server. */
  send: (call: HttpCall) => Promise<HttpAnswer>
  close: () => void
}

export interface HttpOptions {
  /** Trusted in the place of the well-known authorities, PEM. */
  ca?: string
  timeoutMs?: number
}

export class NotSent extends Error {
  readonly code: string

  constructor(cause: Error) {
    super(cause.message || codeOf(cause), { cause })
    this.name = 'NotSent'
    this.code = codeOf(cause)
  }
}

const TIMEOUT_MS = 30_000
/** Servers close idle connections after 30 seconds and more; a call sent into a closing one has an unknown outcome. */
const IDLE_MS = 10_000
const gunzipped = promisify(gunzip)

export function openHttp({ ca, timeoutMs = TIMEOUT_MS }: HttpOptions = {}): Http {
  const kept = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' as const }
  const plain = new http.Agent(kept)
  const secure = new https.Agent({ ...kept, ca })

  return {
    async send({ method, url, headers, body, signal }) {
      if (signal?.aborted) throw cancelled()
      const isSecure = url.startsWith('https:')
      const agent = isSecure ? secure : plain
      const request = (isSecure ? https : http).request(url, {
        method,
        agent,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'gzip',
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      })
      let sent = false
      request.once('socket', socket => {
        if (!socket.connecting) sent = true
        else socket.once(isSecure ? 'secureConnect' : 'connect', () => (sent = true))
      })
      const late = () => request.destroy(new Error(`no whole answer within ${timeoutMs} ms`))
      const timer = setTimeout(late, timeoutMs)
      const abort = () => request.destroy(cancelled())
      signal?.addEventListener('abort', abort, { once: true })
      try {
        const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
          request.once('response', resolve).on('error', reject)
          request.end(body)
        })
        const bytes = await buffer(response)
        const isZipped = response.headers['content-encoding'] === 'gzip'
        const text = (isZipped ? await gunzipped(bytes) : bytes).toString('utf8')
        return { status: response.statusCode ?? 0, headers: response.headers, text }
      } catch (error) {
        if (signal?.aborted) throw cancelled()
        throw sent ? error : new NotSent(error as Error)
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
    },
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}

export function cancelled(): Failure {
  return new Failure('CANCELLED', 'Stopped before the server answered, as asked.')
}
