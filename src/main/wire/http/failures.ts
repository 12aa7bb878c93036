// What can go wrong before a capability is reached, as Failures: routes, methods, bodies, broken HTTP.
import type { FastifyError } from 'fastify'
import { Failure } from '../../../contract/failure.ts'
import { toFailure } from '../dispatch.ts'

/** Requests and WebSocket messages may be this long. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024

const framework: Readonly<Record<string, () => Failure>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new Failure('PAYLOAD_TOO_LARGE', `A body may be ${MAX_BODY_BYTES / 1024 / 1024} MB at the most.`),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new Failure('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new Failure('INVALID_INPUT', 'The body is not as long as its Content-Length says.'),
  FST_ERR_BAD_URL: () => new Failure('INVALID_INPUT', 'The address is not well encoded: % must begin two hex digits.'),
  FST_ERR_MAX_PARAM_LENGTH: () => new Failure('INVALID_INPUT', 'A part of the path is too long.'),
}

export function requestFailure(error: unknown, correlationId: string): Failure {
  if (error instanceof Failure) return error
  const { code = '', message = '' } = error as Partial<FastifyError>
  if (Object.hasOwn(framework, code)) return framework[code]()
  if (!isBug(error)) return new Failure('INVALID_INPUT', message)
  return toFailure(error, { signal: new AbortController().signal, correlationId, door: 'http' })
}

/** Neither a Failure nor what fastify blames on the request. */
export function isBug(error: unknown): boolean {
  const { statusCode = 500 } = error as Partial<FastifyError>
  return !(error instanceof Failure) && (statusCode < 400 || statusCode >= 500)
}

/** 404 for a path that does not exist, 405 for one that does. */
export function noRoute(method: string, path: string, allowed: readonly string[]): Failure {
  return allowed.length === 0
    ? new Failure('NOT_FOUND', `There is nothing at ${path}. What there is: /openapi.json, for people /docs.`)
    : new Failure('METHOD_NOT_ALLOWED', `${method} is not possible on ${path}; possible are ${allowed.join(', ')}.`, {
        details: { allowed },
      })
}

export function parseJson(text: string): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure('INVALID_INPUT', `The body is not JSON: ${(cause as Error).message}`, { cause })
  }
}
