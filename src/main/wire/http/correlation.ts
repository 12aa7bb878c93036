// The id that a request has in answers and logs: the caller's if it can be printed safely, else a new one.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export function correlationIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-correlation-id']
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID()
}
