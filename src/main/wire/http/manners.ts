// What every request meets around its route: headers, admission, unknown paths and methods, failures, the record.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Failure } from '../../../contract/failure.ts'
import { isVersioned, pathOf, type Admit } from './admission.ts'
import { failureBody, JSON_TYPE } from './envelope.ts'
import { isBug, noRoute, parseJson, requestFailure } from './failures.ts'
import { plainHeaders } from './plain-headers.ts'
import { answerRaw } from './raw-answer.ts'

/** How a request ended; 499 when its caller was gone before the answer. */
export interface HttpEnd {
  method: string
  /** The route's pattern, so that it can label a metric. */
  endpoint: string
  status: number
  elapsedMs: number
  correlationId: string
}

export interface MannersOptions {
  admit: Admit
  observe: (end: HttpEnd) => void
  /** A failure that nobody expected. */
  onBug: (error: unknown, correlationId: string) => void
}

const CALLER_GONE = 499
const HEAR_OUT_MS = 5_000

export function addManners(app: FastifyInstance, { admit, observe, onBug }: MannersOptions): void {
  const routes: { method: string; path: RegExp }[] = []
  const methodsAt = (path: string) => {
    const methods = routes.filter(route => route.path.test(path)).map(({ method }) => method)
    return methods.length > 0 ? [...methods, 'OPTIONS'] : []
  }

  app.addHook('onRoute', ({ method, url }) => {
    const path = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`)
    for (const one of [method].flat()) routes.push({ method: one, path })
  })

  app.addHook('onRequest', (request, reply, done) => {
    greet(request, reply, observe)
    const path = pathOf(request.raw)
    const { is404 } = request
    const allowed = is404 ? methodsAt(path) : []
    const asksOptions = request.method === 'OPTIONS' && allowed.length > 0
    const open = is404 ? asksOptions || !isVersioned(request.raw) : (request.routeOptions.config.open ?? false)
    admit(request.raw, open, (name, value) => void reply.header(name, value))
    if (allowed.length > 0) reply.header('allow', allowed.join(', '))
    if (asksOptions) return sendOptions(request, reply, allowed)
    done(is404 ? noRoute(request.method, path, allowed) : undefined)
  })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, async (request: FastifyRequest, body: string) => {
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding === 'identity') return parseJson(body)
    throw new Failure('UNSUPPORTED_MEDIA_TYPE', `Send the body as it is, without Content-Encoding ${encoding}.`)
  })
  app.setErrorHandler((error, request, reply) => {
    if (isBug(error)) onBug(error, request.id)
    return sendFailure(error, request, reply)
  })
}

/** Who it is, what every answer says, and the record of its end. */
function greet(request: FastifyRequest, reply: FastifyReply, observe: (end: HttpEnd) => void): void {
  reply.headers({ ...plainHeaders, 'x-correlation-id': request.id })
  const started = performance.now()
  const { raw } = reply
  raw.once('close', () => {
    // A stream that was left began as a success; a failure is told once its headers are out.
    const told = raw.writableFinished || (raw.headersSent && raw.statusCode >= 400)
    const status = told ? raw.statusCode : CALLER_GONE
    const endpoint = request.routeOptions.url ?? 'unknown'
    const elapsedMs = performance.now() - started
    observe({ method: request.method, endpoint, status, elapsedMs, correlationId: request.id })
  })
}

/** A page of a configured origin asks before it sends a key or JSON; everyone else just learns the methods. */
function sendOptions({ headers }: FastifyRequest, reply: FastifyReply, allowed: readonly string[]): void {
  if (headers['access-control-request-method'] && reply.hasHeader('access-control-allow-origin'))
    reply.headers({
      'access-control-allow-methods': allowed.join(', '),
      'access-control-allow-headers': 'X-API-Key, X-Correlation-ID, Content-Type, Last-Event-ID',
      'access-control-max-age': '600',
    })
  reply.code(204).send()
}

function sendFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = requestFailure(error, request.id)
  const body = failureBody(failure, request.id)
  reply.code(failure.status).type(JSON_TYPE)
  if (failure.code === 'PAYLOAD_TOO_LARGE') return sendAndHearOut(body, request.raw, reply)
  return reply.send(body)
}

/** To hang up on a caller that still sends would lose it the answer, so the rest is read into nothing, for a while. */
function sendAndHearOut(answer: Buffer, body: IncomingMessage, reply: FastifyReply): FastifyReply {
  const { raw } = reply.header('content-length', answer.length).hijack()
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders).write(answer)
  const end = () => raw.end()
  const cutOff = setTimeout(end, HEAR_OUT_MS)
  body.once('end', end).once('close', end)
  raw.once('close', () => clearTimeout(cutOff))
  body.resume()
  return reply
}

/** Answers what fastify refuses before it has a route, and so before any hook: an address that is not well encoded. */
export function createUnroutable(observe: (end: HttpEnd) => void) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    greet(request, reply, observe)
    void sendFailure(error, request, reply)
  }
}

/** Statuses that say what a Failure's code does not. */
const brokenStatus: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** Answers what is not HTTP at all. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  const code = error.code ?? ''
  if (code === 'ECONNRESET') return void socket.destroy()
  const failure = new Failure('INVALID_INPUT', `That is not a request as HTTP has it: ${error.message}`)
  answerRaw(socket, failure, { correlationId: randomUUID(), status: brokenStatus[code] })
}
