// What a REST catalog answers when it does not do what was asked, in words for a user.
import { Failure, type FailureCode } from '../../../contract/failure.ts'
import { maskSecrets } from '../../base/mask.ts'
import type { HttpAnswer } from '../../base/http.ts'

interface RestError {
  message: string
  /** The exception's name: `NoSuchTableException`. */
  type: string
}

const LONGEST = 300

/** Of the specification's error body; of any other the beginning of its text. */
export function errorOf({ text }: HttpAnswer): RestError {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown; type?: unknown } }
    if (typeof error?.message === 'string') return { message: firstLine(error.message), type: String(error.type) }
  } catch {
    // a page of some proxy
  }
  return { message: firstLine(text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')), type: '' }
}

function firstLine(text: string): string {
  return maskSecrets(text.trim().split('\n', 1)[0].slice(0, LONGEST))
}

const MEANINGS: Record<number, readonly [FailureCode, string]> = {
  400: ['INVALID_INPUT', 'did not accept the request'],
  401: ['UNAUTHORIZED', 'did not accept who K2 is. Check K2_CATALOG_TOKEN or K2_CATALOG_CREDENTIAL'],
  403: ['FORBIDDEN', 'does not allow this. Ask its owner for the right, or use another token'],
  404: ['NOT_FOUND', 'does not have what was asked for. Check K2_CATALOG and K2_CATALOG_WAREHOUSE'],
  406: ['INVALID_INPUT', 'does not support this operation'],
  409: ['CONFLICT', 'has something of that name or state already'],
  413: ['PAYLOAD_TOO_LARGE', 'takes no request of this size'],
  419: ['UNAUTHORIZED', 'says that the token has ended. Give a new one in K2_CATALOG_TOKEN'],
  422: ['INVALID_INPUT', 'did not accept the request'],
  429: ['RATE_LIMITED', 'is asked too often. Try again later'],
  504: ['TIMEOUT', 'did not answer in time. Try again'],
}

export function restFailure(about: string, answer: HttpAnswer): Failure {
  const { status } = answer
  const { message } = errorOf(answer)
  const said = message === '' ? '' : `: ${message}`
  const details = { status }
  const capital = about[0].toUpperCase() + about.slice(1)
  const meaning = MEANINGS[status]
  if (meaning) return new Failure(meaning[0], `${capital} ${meaning[1]} (HTTP ${status}${said}).`, { details })
  if (status >= 300 && status < 400) {
    const to = maskSecrets(answer.headers.location ?? 'another address')
    return new Failure('INVALID_INPUT', `${capital} points to ${to}. Put that address into K2_CATALOG.`, { details })
  }
  if (status >= 400 && status < 500)
    return new Failure('INVALID_INPUT', `${capital} did not accept the request (HTTP ${status}${said}).`, { details })
  return new Failure('UNAVAILABLE', `${capital} failed (HTTP ${status}${said}). Try again.`, { details })
}
