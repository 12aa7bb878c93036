// The contract over HTTP: REST, Server-Sent Events, WebSocket, the page for a browser, metrics and documentation.
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import type { Contract, Dispatch } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import { isLoopback } from '../../base/loopback.ts'
import { openApi } from '../openapi.ts'
import { HEARTBEAT_MS } from '../ws-port.ts'
import { serveSockets, SOCKET_PATH } from '../ws-server.ts'
import { createAdmission } from './admission.ts'
import { correlationIdOf } from './correlation.ts'
import { docsPage } from './docs-page.ts'
import { createDoor } from './door.ts'
import { MAX_BODY_BYTES } from './failures.ts'
import { addManners, answerBroken, createUnroutable, type HttpEnd } from './manners.ts'
import { addPage, newNonce, sendPage } from './page.ts'
import { createRateLimit } from './rate-limit.ts'
import { trackRequests } from './requests.ts'
import { addRoutes } from './routes.ts'
import { createSessions } from './sessions.ts'

type Say = (message: string, fields: Record<string, unknown>) => void

/** A cursor in the address may be long, and longer when it is percent-encoded. */
const MAX_HEADER_BYTES = 64 * 1024

export interface HttpOptions {
  contract: Contract
  dispatch: Dispatch
  version: string
  apiKey: string
  host: string
  /** 0 takes a free one. */
  port: number
  /** Host headers that are answered beside the loopback names, with a port or, for any port, without. */
  allowedHosts: readonly string[]
  /** Origins beside its own whose pages may call. */
  corsOrigins: readonly string[]
  /** 0: no limit. */
  rateLimitPerMinute: number
  /** The page's build; without it there is no browser mode. */
  rendererFolder?: string
  metricsText: () => Promise<string>
  observe?: (end: HttpEnd) => void
  log: { debug: Say; error: Say }
  heartbeatMs?: number
}

export interface HttpServer {
  listen(): Promise<{ url: string; port: number }>
  /** For `/?token=…`: opens the page in one browser, once, within ten minutes. */
  issuePageToken(): string
  /** Requests that are not answered to the end. */
  inProgress(): number
  /** Takes nothing new, tells streams and sockets, lets calls finish within a second. */
  close(): Promise<void>
}

/** Known to everyone who has read the documentation. */
const WELL_KNOWN_KEY = 'k2-dev-api-key-2026'
const CALLS_FINISH_MS = 1000
const MAX_PATH_FIELD = 2048

export function createHttpServer(options: HttpOptions): HttpServer {
  const { contract, dispatch, host, log, heartbeatMs = HEARTBEAT_MS } = options
  checkKey(options)
  let port = options.port
  const sessions = createSessions()
  const requests = trackRequests()
  const cookieName = () => `k2_session_${port}`
  const admit = createAdmission({
    door: createDoor({ ...options, sessions, cookieName }),
    countRequest: createRateLimit(options.rateLimitPerMinute),
  })
  const observe = (end: HttpEnd) => {
    const { correlationId, endpoint, method, status, elapsedMs } = end
    log.debug('answered', { correlation_id: correlationId, endpoint, method, status, duration_ms: elapsedMs })
    options.observe?.(end)
  }

  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    genReqId: correlationIdOf,
    requestIdHeader: false,
    routerOptions: { maxParamLength: MAX_PATH_FIELD },
    // Refused by us, in our shape.
    http: { requireHostHeader: false, maxHeaderSize: MAX_HEADER_BYTES },
    frameworkErrors: createUnroutable(observe),
    clientErrorHandler: answerBroken,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
  })
  const onBug = (error: unknown, correlationId: string) =>
    log.error('request failed', { correlation_id: correlationId, error })
  let inProgress = 0
  app.addHook('onRequest', (_, reply, done) => {
    inProgress++
    reply.raw.once('close', () => inProgress--)
    done()
  })
  addManners(app, { admit, observe, onBug })
  addRoutes(app, { contract, dispatch, contextOf: requests.contextOf, onBug, heartbeatMs })
  addOwnRoutes(app, options)
  const sockets = serveSockets(app.server, {
    dispatch,
    admit,
    heartbeatMs,
    onBug,
    observe: (request, status, elapsedMs) =>
      observe({ method: 'GET', endpoint: SOCKET_PATH, status, elapsedMs, correlationId: correlationIdOf(request) }),
  })

  return {
    issuePageToken: () => sessions.issueToken(),
    inProgress: () => inProgress,
    async listen() {
      const { rendererFolder } = options
      if (rendererFolder) await addPage(app, { rendererFolder, sessions, cookieName })
      await app.listen({ host, port }).catch((error: unknown) => {
        throw listenFailure(error, options)
      })
      port = (app.server.address() as AddressInfo).port
      return { url: `http://${nameToReach(host)}:${port}`, port }
    },
    async close() {
      requests.endStreams()
      const cutOff = setTimeout(() => app.server.closeAllConnections(), CALLS_FINISH_MS)
      await Promise.all([sockets.close(), app.close()])
      clearTimeout(cutOff)
    },
  }
}

/** What is there beside the contract. */
function addOwnRoutes(app: FastifyInstance, { contract, version, metricsText }: HttpOptions): void {
  const document = openApi(contract, { version })
  const config = { open: true }
  app.get('/openapi.json', { config }, () => document)
  app.get('/metrics', { config }, async (_request, reply) => {
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metricsText())
  })
  app.get('/docs', { config }, ({ headers }, reply) => {
    const nonce = newNonce()
    return sendPage(reply, docsPage(document, { nonce, origin: `http://${headers.host}` }), { nonce, connect: [] })
  })
  app.get(SOCKET_PATH, (_request, reply) => {
    reply.header('upgrade', 'websocket')
    throw new Failure('INVALID_INPUT', `${SOCKET_PATH} is a WebSocket: connect to it as one.`)
  })
}

function checkKey({ host, apiKey }: HttpOptions): void {
  if (apiKey === '') throw new Failure('INVALID_INPUT', 'The API key is empty: set K2_API_KEY.')
  if (apiKey === WELL_KNOWN_KEY && !isLoopback(host))
    throw new Failure(
      'FORBIDDEN',
      `Listening on ${host} with the well-known key would open K2 to the network: set K2_API_KEY to a key of your own, or K2_API_HOST to 127.0.0.1.`,
    )
}

function listenFailure(error: unknown, { host, port }: HttpOptions): unknown {
  const { code } = error as NodeJS.ErrnoException
  const another = 'Choose another with --port or K2_API_PORT.'
  if (code === 'EADDRINUSE')
    return new Failure('CONFLICT', `Port ${port} on ${host} is in use by another program, or another K2. ${another}`, {
      cause: error,
    })
  if (code === 'EACCES')
    return new Failure('FORBIDDEN', `Port ${port} on ${host} may not be opened by this user. ${another}`, {
      cause: error,
    })
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new Failure('INVALID_INPUT', `${host} is no address of this machine: set --host or K2_API_HOST.`, {
      cause: error,
    })
  return error
}

function nameToReach(host: string): string {
  if (/^[0.:]+$/.test(host)) return host.includes(':') ? '[::1]' : '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
