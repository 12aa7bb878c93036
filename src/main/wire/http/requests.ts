// The requests that are being answered: each with its signal, which aborts when the caller is gone.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'
import { contextOf, requestAbort, type RequestAbort } from '../../base/request-abort.ts'

export interface Requests {
  contextOf: (request: FastifyRequest, reply: FastifyReply) => Context
  /** Ends every stream that has begun, telling its reader why. */
  endStreams: () => void
}

export function trackRequests(): Requests {
  const open = new Map<RequestAbort, FastifyReply['raw']>()
  return {
    contextOf({ id }, { raw }) {
      const abort = requestAbort()
      open.set(abort, raw)
      if (raw.destroyed) abort.abort()
      raw.once('close', () => {
        open.delete(abort)
        if (!raw.writableFinished) abort.abort()
      })
      return contextOf(abort, { correlationId: id, door: 'http' })
    },
    endStreams() {
      for (const [abort, raw] of open)
        if (raw.headersSent) abort.abort(new Failure('UNAVAILABLE', 'K2 is closing; come back when it runs again.'))
    },
  }
}
