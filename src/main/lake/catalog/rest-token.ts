// Who we are to a REST catalog: a bearer token as given, or one that an OAuth2 client gets and renews.
import { Failure } from '../../../contract/failure.ts'
import { parseJson } from '../iceberg/json.ts'
import { unreachable } from '../../base/unreachable.ts'
import { restFailure } from './rest-failure.ts'
import type { Http } from '../../base/http.ts'

export interface TokenOptions {
  http: Http
  about: string
  token?: string
  /** An OAuth2 client as `id:secret`, or its secret alone. */
  credential?: string
  tokenUrl: string
  scope?: string
  nowMs?: () => number
}

export interface Tokens {
  headers: () => Promise<Record<string, string>>
  /** After a refusal: false when there is no other token to be had. */
  renew: () => Promise<boolean>
}

interface TokenAnswer {
  access_token?: string
  expires_in?: number
}

/** Renewed this share of its life before it ends, so that no call is sent with one about to end. */
const MARGIN = 0.1
const LEAST_MARGIN_MS = 5_000

export function openTokens(options: TokenOptions): Tokens {
  const { http, about, token, credential, tokenUrl, scope = 'catalog', nowMs = () => Date.now() } = options
  let current: { text: string; renewAtMs: number } | undefined
  let asking: Promise<void> | undefined

  /** Once for all who wait. */
  function ask(client: string): Promise<void> {
    asking ??= request(client).finally(() => (asking = undefined))
    return asking
  }

  async function request(client: string): Promise<void> {
    const colon = client.indexOf(':')
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      ...(colon >= 0 && { client_id: client.slice(0, colon) }),
      client_secret: client.slice(colon + 1),
    }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await http.send({ method: 'POST', url: tokenUrl, headers, body }).catch((error: unknown) => {
      throw unreachable(`${about}'s token server`, error)
    })
    if (answer.status === 400 || answer.status === 401 || answer.status === 403) {
      throw new Failure(
        'UNAUTHORIZED',
        `The token server of ${about} refused the client (HTTP ${answer.status}). Check K2_CATALOG_CREDENTIAL.`,
      )
    }
    if (answer.status !== 200) throw restFailure(`the token server of ${about}`, answer)
    const { access_token: text, expires_in: seconds } = parseJson<TokenAnswer>(answer.text)
    if (!text) throw new Failure('UNAVAILABLE', `The token server of ${about} answered without a token.`)
    const lifeMs = seconds === undefined ? Infinity : seconds * 1000
    current = { text, renewAtMs: nowMs() + lifeMs - Math.max(lifeMs * MARGIN, LEAST_MARGIN_MS) }
  }

  return {
    async headers() {
      if (credential && (!current || nowMs() >= current.renewAtMs)) await ask(credential)
      const text = current?.text ?? token
      const headers: Record<string, string> = text ? { authorization: `Bearer ${text}` } : {}
      return headers
    },
    async renew() {
      if (!credential) return false
      await ask(credential)
      return true
    },
  }
}
