// What a Schema Registry answers, in words for a user, and which answers another node might not give.
import { Failure, type FailureCode } from '../../../contract/failure.ts'
import { maskSecrets } from '../../base/mask.ts'
import type { HttpAnswer } from '../../base/http.ts'

/** `{"error_code": 40403, "message": "Schema not found"}`; of any other answer the beginning of its text. */
export interface RegistryError {
  code: number
  message: string
}

const LONGEST = 600

export function errorOf({ text }: HttpAnswer): RegistryError {
  try {
    const { error_code: code, message } = JSON.parse(text) as { error_code?: unknown; message?: unknown }
    if (typeof message === 'string') return { code: Number(code), message: shortened(message) }
  } catch {
    // a page of some proxy
  }
  return { code: NaN, message: shortened(text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')) }
}

function shortened(text: string): string {
  const whole = maskSecrets(text.trim())
  return whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole
}

/** Subject, version, schema, or a compatibility of the subject's own: the registry itself says that there is none, and not some proxy that it is elsewhere. */
const ABSENT = new Set([40401, 40402, 40403, 40408])

export function isAbsent(answer: HttpAnswer): boolean {
  return answer.status === 404 && ABSENT.has(errorOf(answer).code)
}

/** The node is in trouble, or says that it is asked too often: another one may do. */
export function isNodeTrouble({ status }: HttpAnswer): boolean {
  return status >= 500 || status === 429 || status === 408
}

const SETTING = 'K2_SCHEMA_REGISTRY_AUTH (user:password, or a token)'
const MEANINGS: Record<number, readonly [FailureCode, string]> = {
  401: ['UNAUTHORIZED', `did not accept who K2 is. Check ${SETTING}`],
  403: ['FORBIDDEN', `does not allow this to who K2 is. Ask its owner for the right, or check ${SETTING}`],
  404: ['NOT_FOUND', 'does not have what was asked for. Check the address in K2_SCHEMA_REGISTRY_URL'],
  408: ['TIMEOUT', 'did not answer in time. Try again'],
  409: ['CONFLICT', 'refused the schema: it is not compatible with the one before'],
  422: ['INVALID_INPUT', 'did not accept the schema'],
  429: ['RATE_LIMITED', 'is asked too often. Try again later'],
  504: ['TIMEOUT', 'did not answer in time. Try again'],
}

export function registryFailure(url: string, what: string, answer: HttpAnswer): Failure {
  const { status, headers } = answer
  const { message } = errorOf(answer)
  const said = message === '' ? `HTTP ${status}` : `HTTP ${status}: ${message}`
  const details = { status, url: maskSecrets(url) }
  const about = `The Schema Registry at ${maskSecrets(url)}, asked to ${what},`
  const meaning = MEANINGS[status]
  if (meaning) return new Failure(meaning[0], `${about} ${meaning[1]} (${said}).`, { details })
  if (status >= 300 && status < 400) {
    const to = maskSecrets(headers.location ?? 'another address')
    return new Failure('INVALID_INPUT', `${about} points to ${to}. Put that address into K2_SCHEMA_REGISTRY_URL.`, {
      details,
    })
  }
  const code = status >= 500 ? 'UNAVAILABLE' : 'INVALID_INPUT'
  return new Failure(code, `${about} ${status >= 500 ? 'failed' : 'did not accept the request'} (${said}).`, {
    details,
  })
}

/** An answer that is none: nothing K2 can do anything with. */
export function strangeAnswer(url: string, answer: HttpAnswer): Failure {
  const { message } = errorOf(answer)
  const address = maskSecrets(url)
  return new Failure(
    'UNAVAILABLE',
    `What answers at ${address} is no Schema Registry (HTTP ${answer.status}: ${message.slice(0, 100)}). Check K2_SCHEMA_REGISTRY_URL.`,
    { details: { status: answer.status, url: address } },
  )
}
