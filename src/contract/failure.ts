// The one error that crosses a process boundary, and the table of its codes.
// A Failure is expected and says what happened, what state was left and what to do. Anything else is a bug:
// it is logged with its stack where it happened and crosses as INTERNAL with an id.

export const failureCodes = {
  INVALID_INPUT: { status: 400, retryable: false },
  UNAUTHORIZED: { status: 401, retryable: false },
  FORBIDDEN: { status: 403, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  SNAPSHOT_NOT_FOUND: { status: 404, retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false },
  CONFLICT: { status: 409, retryable: false },
  OFFSET_OUT_OF_RANGE: { status: 409, retryable: false },
  FENCED: { status: 409, retryable: false },
  LOG_RESET: { status: 409, retryable: false },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false },
  MISDIRECTED: { status: 421, retryable: false },
  RATE_LIMITED: { status: 429, retryable: true },
  CANCELLED: { status: 499, retryable: true },
  INTERNAL: { status: 500, retryable: false },
  CORRUPT: { status: 500, retryable: false },
  UNAVAILABLE: { status: 503, retryable: true },
  TIMEOUT: { status: 504, retryable: true },
} as const

export type FailureCode = keyof typeof failureCodes

/** A Failure as data, the same on every wire. */
export interface WireFailure {
  code: FailureCode
  message: string
  details?: unknown
  retryable: boolean
}

export class Failure extends Error {
  readonly code: FailureCode
  readonly details: unknown
  readonly retryable: boolean

  constructor(
    code: FailureCode,
    message: string,
    options: { details?: unknown; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.code = code
    this.details = options.details
    this.retryable = options.retryable ?? failureCodes[code].retryable
  }

  get status(): number {
    return failureCodes[this.code].status
  }

  toWire(): WireFailure {
    const { code, message, details, retryable } = this
    return details === undefined ? { code, message, retryable } : { code, message, details, retryable }
  }
}

export function failureFromWire(wire: WireFailure): Failure {
  const code = wire.code in failureCodes ? wire.code : 'INTERNAL'
  return new Failure(code, wire.message, { details: wire.details, retryable: wire.retryable })
}

/** Nothing had been written to the table by the moment that was asked for; otherwise what it held then has expired. */
export function isBeforeFirst(error: unknown): boolean {
  if (!(error instanceof Failure) || error.code !== 'SNAPSHOT_NOT_FOUND') return false
  return (error.details as { before_first?: boolean } | undefined)?.before_first === true
}
