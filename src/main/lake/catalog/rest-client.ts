// Calls to a REST catalog: signed, tried again where that is certainly harmless, its configuration asked once.
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../contract/failure.ts'
import { parseJson, stringifyJson } from '../iceberg/json.ts'
import { unreachable } from '../../base/unreachable.ts'
import { restFailure } from './rest-failure.ts'
import { cancelled, NotSent, type Http, type HttpAnswer, type HttpCall } from '../../base/http.ts'
import type { Tokens } from './rest-token.ts'

export interface RestCall {
  method: HttpCall['method']
  /** Below the catalog's own prefix: `namespaces/x/tables`. */
  path: string
  body?: unknown
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
}

export interface RestClient {
  /** Any status but those that are tried again. An `OutcomeOpen` when a call that changes something may have been done. */
  call: (call: RestCall) => Promise<HttpAnswer>
  /** What the server says of itself for this warehouse, over what clients assume. */
  config: () => Promise<Readonly<Record<string, string>>>
  close: () => void
}

/** Nobody answered whether it was done. */
export class OutcomeOpen extends Error {
  constructor(cause: unknown) {
    super('it is not known whether it was done', { cause })
    this.name = 'OutcomeOpen'
  }
}

export interface RestClientOptions {
  http: Http
  tokens: Tokens
  about: string
  url: string
  warehouse?: string
  /** The first pause before another try; each further one is twice as long. */
  pauseMs?: number
}

interface ConfigAnswer {
  defaults?: Record<string, string>
  overrides?: Record<string, string>
}

const MOST_TRIES = 5
const PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** Soon over: a server that starts anew, a name server that is busy. */
const PASSING = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/
/** By these it says itself that it may have done it, or somebody on the way does not know. */
const OPEN_STATUS = (status: number) => status >= 500 || status === 408

export function createRestClient(options: RestClientOptions): RestClient {
  const { http, tokens, about, url, warehouse, pauseMs = PAUSE_MS } = options
  let asked: Promise<Readonly<Record<string, string>>> | undefined

  async function send(call: HttpCall): Promise<HttpAnswer> {
    const reads = call.method === 'GET'
    let renewed = false
    for (let tries = 1; ; tries++) {
      const pause = (retryAfter?: string) => wait(pauseFor(tries, pauseMs, retryAfter), call.signal)
      let answer: HttpAnswer
      try {
        answer = await http.send({ ...call, headers: { ...call.headers, ...(await tokens.headers()) } })
      } catch (error) {
        if (error instanceof Failure) throw error
        if (!(error instanceof NotSent) && !reads) throw new OutcomeOpen(error)
        const { code = '' } = error as { code?: string }
        if (tries >= MOST_TRIES || !PASSING.test(code)) throw unreachable(about, error)
        await pause()
        continue
      }
      const { status, headers } = answer
      if ((status === 401 || status === 419) && !renewed && (await tokens.renew())) {
        renewed = true
        continue
      }
      // Refused for now, so not done.
      const harmless = status === 429 || (reads && (status === 502 || status === 503 || status === 504))
      if (harmless && tries < MOST_TRIES) {
        await pause(headers['retry-after'])
        continue
      }
      if (!reads && OPEN_STATUS(status)) throw new OutcomeOpen(restFailure(about, answer))
      return answer
    }
  }

  async function askConfig(): Promise<Readonly<Record<string, string>>> {
    const query = warehouse ? `?warehouse=${encodeURIComponent(warehouse)}` : ''
    const answer = await send({ method: 'GET', url: `${url}/v1/config${query}` })
    if (answer.status !== 200) throw restFailure(about, answer)
    try {
      const { defaults, overrides } = parseJson<ConfigAnswer>(answer.text)
      return { ...defaults, ...(warehouse && { warehouse }), ...overrides }
    } catch (cause) {
      throw new Failure(
        'INVALID_INPUT',
        `What answers at ${url} is no Iceberg REST catalog: /v1/config is not JSON. Check K2_CATALOG.`,
        { cause },
      )
    }
  }

  function config() {
    asked ??= askConfig()
    asked.catch(() => (asked = undefined))
    return asked
  }

  return {
    config,
    async call({ method, path, body, headers, signal }) {
      const { prefix, uri } = await config()
      const base = (uri ?? url).replace(/\/+$/, '')
      const below = prefix ? `${encodeURI(prefix)}/` : ''
      return send({
        method,
        url: `${base}/v1/${below}${path}`,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: stringifyJson(body) }),
        signal,
      })
    },
    close: () => http.close(),
  }
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {
    throw cancelled()
  })
}

/** As long as the server asks for, in seconds or until a date, within reason. */
function pauseFor(tries: number, firstMs: number, retryAfter?: string): number {
  const asked = Number.isNaN(Number(retryAfter)) ? Date.parse(retryAfter!) - Date.now() : Number(retryAfter) * 1000
  const ownMs = firstMs * 2 ** (tries - 1) * (0.5 + Math.random())
  return Math.min(LONGEST_PAUSE_MS, Math.max(ownMs, Number.isNaN(asked) ? 0 : asked))
}
