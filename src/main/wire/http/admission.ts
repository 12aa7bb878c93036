// Whether a request may go on, asked alike for REST and for the WebSocket, and the headers that say how it stands.
import type { IncomingMessage } from 'node:http'
import { Failure } from '../../../contract/failure.ts'
import { unauthorized, type Door } from './door.ts'
import type { Allowance } from './rate-limit.ts'

export interface AdmissionOptions {
  door: Door
  countRequest: (caller: string) => Allowance | undefined
}

type SetHeader = (name: string, value: string) => void

/** Throws the Failure that refuses it. `open`: needs no key. */
export type Admit = (request: IncomingMessage, open: boolean, setHeader: SetHeader) => void

const EXPOSED = 'X-Correlation-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, Allow'

export function createAdmission({ door, countRequest }: AdmissionOptions): Admit {
  return function admit(request, open, setHeader) {
    door.checkHost(request)
    const origin = door.checkOrigin(request)
    if (origin) {
      setHeader('access-control-allow-origin', origin)
      setHeader('access-control-expose-headers', EXPOSED)
      setHeader('vary', 'Origin')
    }
    const caller = door.callerOf(request)
    if (isVersioned(request)) limit(caller ?? `address ${request.socket.remoteAddress}`, setHeader)
    if (open || caller) return
    setHeader('www-authenticate', 'ApiKey header="X-API-Key"')
    throw unauthorized()
  }

  function limit(caller: string, setHeader: SetHeader): void {
    const allowance = countRequest(caller)
    if (!allowance) return
    const { limit, remaining, resetSeconds, exceeded } = allowance
    setHeader('x-ratelimit-limit', String(limit))
    setHeader('x-ratelimit-remaining', String(remaining))
    setHeader('x-ratelimit-reset', String(resetSeconds))
    if (!exceeded) return
    setHeader('retry-after', String(resetSeconds))
    throw new Failure(
      'RATE_LIMITED',
      `More than ${limit} requests in a minute: go on in ${resetSeconds} s, or raise K2_API_RATE_LIMIT.`,
      {
        details: { limit, retry_after_seconds: resetSeconds },
      },
    )
  }
}

export function pathOf({ url = '/' }: Pick<IncomingMessage, 'url'>): string {
  return url.split('?', 1)[0]
}

/** Under /v1: what counts against the rate limit, and what without a route is not even denied to a stranger. */
export function isVersioned(request: Pick<IncomingMessage, 'url'>): boolean {
  return /^\/v1(\/|$)/.test(pathOf(request))
}
