// A route for every capability that has one: take the input, dispatch, encode the answer.
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Capability, Context, Contract, Dispatch } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import type { FileFormat } from '../../../contract/sql.ts'
import { invalidInput, toFailure } from '../dispatch.ts'
import { problemOf } from '../problem-of.ts'
import { failureBody, JSON_TYPE, successBody } from './envelope.ts'
import { sendEvents } from './events.ts'
import { isBug } from './failures.ts'
import { inputOf, inputOfOther } from './input.ts'
import { dispositionOf, FILE_TYPES, formatIn, sendFile } from './send-file.ts'

export interface RouteOptions {
  contract: Contract
  dispatch: Dispatch
  contextOf: (request: FastifyRequest, reply: FastifyReply) => Context
  onBug: (error: unknown, correlationId: string) => void
  heartbeatMs: number
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Reached without a key. */
    open?: boolean
  }
}

export function addRoutes(
  app: FastifyInstance,
  { contract, dispatch, contextOf, onBug, heartbeatMs }: RouteOptions,
): void {
  for (const [name, capability] of Object.entries(contract)) {
    const { http, kind, file } = capability
    if (!http) continue
    const others = Object.entries(contract).filter(([, { http: its }]) => its?.also?.path === http.path)
    app.route({
      method: http.method,
      url: http.path.replace(/\{(\w+)\}/g, ':$1'),
      config: { open: http.open ?? false },
      handler: kind === 'call' ? answerCall : answerStream,
    })

    async function answerCall(request: FastifyRequest, reply: FastifyReply) {
      const { format, rest } = file ? formatIn(inputOf(capability, request)) : { rest: inputOf(capability, request) }
      if (file && format !== undefined) return answerFile(file, { ...(rest as object), format }, request, reply)
      const answer = await dispatch(name, rest, contextOf(request, reply))
      reply.type(JSON_TYPE)
      const unhealthy = whyUnhealthy(answer)
      if (!unhealthy) return reply.send(successBody(capability, answer, request.id))
      return reply.code(unhealthy.status).send(failureBody(unhealthy, request.id, answer))
    }

    async function answerFile(
      stream: string,
      input: object & { format: FileFormat },
      request: FastifyRequest,
      reply: FastifyReply,
    ) {
      const context = contextOf(request, reply)
      reply.header('content-disposition', dispositionOf(name, input.format)).type(FILE_TYPES[input.format])
      const open = () => {
        reply.hijack()
        return reply.raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders)
      }
      try {
        await sendFile(dispatch(stream, input, context) as AsyncIterable<unknown>, { open, signal: context.signal })
      } catch (error) {
        reply.removeHeader('content-disposition')
        throw error
      }
      return reply
    }

    async function answerStream(request: FastifyRequest, reply: FastifyReply) {
      const { name, capability, given } = streamAt(request)
      const input = { ...(given as object), ...resumed(name, capability, request) }
      reply.type('text/event-stream; charset=utf-8')
      if (request.method === 'HEAD') return reply.send()
      const context = contextOf(request, reply)
      const open = () => {
        reply.hijack()
        return reply.raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders)
      }
      const batches = dispatch(name, input, context) as AsyncIterable<unknown>
      const { signal } = context
      await sendEvents(batches, { open, signal, heartbeatMs, toFailure: error => told(error, context) })
      return reply
    }

    /** The stream of this address, or the one that the query asks for in its place. */
    function streamAt(request: FastifyRequest) {
      for (const [other, its] of others)
        if (Object.hasOwn(request.query as object, its.http!.also!.query))
          return { name: other, capability: its, given: inputOfOther(its, request) }
      return { name, capability, given: inputOf(capability, request) }
    }
  }

  /** What the dispatch let through it has logged; what is left is a batch that cannot be written. */
  function told(error: unknown, context: Context): Failure {
    if (isBug(error) && !context.signal.aborted) onBug(error, context.correlationId)
    return toFailure(error, context)
  }
}

/**
 * A reader that comes back says where it was in Last-Event-ID, while its address still has the `after` of its first visit;
 * that one gives way, but must be well formed all the same.
 */
function resumed(name: string, { input }: Capability, { headers, query }: FastifyRequest): { after?: string } {
  const last = headers['last-event-id']
  if (typeof last !== 'string' || !(input instanceof z.ZodObject) || !('after' in input.shape)) return {}
  const first = input
    .pick({ after: true })
    .safeParse({ after: (query as { after?: unknown }).after }, { error: problemOf })
  if (!first.success) throw invalidInput(name, first.error)
  return { after: last }
}

/** A health check goes by the status: an answer that says it is unhealthy is a failure that has the answer along. */
function whyUnhealthy(answer: unknown): Failure | undefined {
  const { status, dependencies = [] } = (answer ?? {}) as { status?: unknown; dependencies?: Dependency[] }
  if (status !== 'unhealthy') return undefined
  const ill = dependencies.filter(({ healthy }) => !healthy).map(({ name, why }) => (why ? `${name}: ${why}` : name))
  return new Failure('UNAVAILABLE', `Not everything is well. ${ill.join('; ')}`)
}

interface Dependency {
  name: string
  healthy: boolean
  why: string | null
}
