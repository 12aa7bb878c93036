// A failure told on the bare socket, where there is no response object: broken HTTP, refused WebSockets.
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Failure } from '../../../contract/failure.ts'
import { failureBody, JSON_TYPE } from './envelope.ts'
import { plainHeaders } from './plain-headers.ts'

export interface RawAnswer {
  correlationId: string
  /** Where HTTP has a status of its own for what the code does not tell apart. */
  status?: number
  headers?: Record<string, string>
}

export function answerRaw(
  socket: Duplex,
  failure: Failure,
  { correlationId, status = failure.status, headers = {} }: RawAnswer,
): void {
  if (!socket.writable) return void socket.destroy()
  const body = failureBody(failure, correlationId)
  const lines = Object.entries({
    ...plainHeaders,
    ...headers,
    'content-type': JSON_TYPE,
    'content-length': String(body.length),
    'x-correlation-id': correlationId,
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`)
  socket.write([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', ''].join('\r\n'))
  socket.end(body, () => socket.destroy())
}
