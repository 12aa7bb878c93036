// Who may come in: the Host it asked for, the page it came from, the key or session it shows.
// REST and the WebSocket ask the same questions.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isLoopback } from '../../base/loopback.ts'
import { Failure } from '../../../contract/failure.ts'
import { cookieOf, type Sessions } from './sessions.ts'

export interface DoorOptions {
  apiKey: string
  /** The address that is listened on. */
  host: string
  allowedHosts: readonly string[]
  corsOrigins: readonly string[]
  sessions: Sessions
  cookieName: () => string
}

export interface Door {
  /** MISDIRECTED unless the Host is ours: a page elsewhere whose name was pointed at this machine is not let in. */
  checkHost(request: IncomingMessage): void
  /** The foreign but configured origin that the answer is for, if any; FORBIDDEN for a foreign one that is not. */
  checkOrigin(request: IncomingMessage): string | undefined
  /** Who is asking, as the rate limit counts; undefined without a valid key or session. */
  callerOf(request: IncomingMessage): string | undefined
}

export function createDoor(options: DoorOptions): Door {
  const { host, apiKey, sessions, cookieName } = options
  const hosts = new Set(options.allowedHosts.map(name => name.toLowerCase()))
  const origins = new Set(options.corsOrigins.map(origin => origin.toLowerCase()))
  const keyDigest = digest(apiKey)
  // An address cannot be pointed elsewhere as a name can, so the one listened on is as good as a loopback name.
  const isWildcard = /^[0.:]+$/.test(host)
  if (isIP(host) && !isWildcard) hosts.add(isIP(host) === 6 ? `[${host}]` : host)

  return {
    checkHost({ headers }) {
      const asked = (headers.host ?? '').toLowerCase()
      const name = asked.replace(/:\d+$/, '')
      if (isLoopback(name) || hosts.has(name) || hosts.has(asked)) return
      throw new Failure(
        'MISDIRECTED',
        `This server does not answer for the host ${JSON.stringify(asked)}. To let it, add it to K2_API_ALLOWED_HOSTS.`,
      )
    },

    checkOrigin({ headers }) {
      const origin = headers.origin?.toLowerCase()
      // http or https: a proxy in front may speak TLS.
      if (origin === undefined || origin.replace(/^https?:\/\//, '') === headers.host?.toLowerCase()) return undefined
      if (origins.has(origin)) return headers.origin
      throw new Failure(
        'FORBIDDEN',
        `Pages of ${JSON.stringify(origin)} may not call this server. To let them, add the origin to K2_API_CORS_ORIGINS.`,
      )
    },

    callerOf({ headers }) {
      const key = headers['x-api-key']
      if (typeof key === 'string') return timingSafeEqual(digest(key), keyDigest) ? 'key' : undefined
      // A page on another port of this machine is same-site, so the cookie alone does not say which page asks.
      const site = headers['sec-fetch-site'] ?? 'none'
      const session = cookieOf(headers.cookie, cookieName())
      const ours = session !== undefined && sessions.has(session) && (site === 'same-origin' || site === 'none')
      return ours ? `session ${session}` : undefined
    },
  }
}

export function unauthorized(): Failure {
  return new Failure(
    'UNAUTHORIZED',
    'Send the key that K2 was started with (K2_API_KEY) in the header X-API-Key, or open the page with the address that K2 printed.',
  )
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
