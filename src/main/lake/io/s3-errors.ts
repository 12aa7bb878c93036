// What S3 servers and the way to them answer: which failures pass by themselves, and what the others mean to a user.
import { Failure, type FailureCode } from '../../../contract/failure.ts'
import { cancelled } from '../../base/cancelled.ts'

/** What the SDK throws, of which any part may be missing. */
interface S3Error {
  name?: string
  code?: string
  message?: string
  Code?: string
  Region?: string
  RequestTime?: string | Date
  ServerTime?: string | Date
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean }
  $response?: { headers?: Record<string, string> }
  cause?: unknown
}

export interface S3Context {
  location: string
  bucket: string
  endpoint: string
  region: string
  /** What state the operation left. */
  left: string
  attempts: number
}

const TRANSIENT_STATUS = [408, 429, 500, 502, 503, 504]
const TRANSIENT_NAMES =
  /SlowDown|Throttl|TooManyRequests|RequestTimeout$|TimeoutError|InternalError|ServiceUnavailable|BadDigest|SHA256Mismatch|IncompleteBody/
const TRANSIENT_CODES =
  /ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_STREAM_PREMATURE_CLOSE/
const TLS_CODES = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/

const read = (error: unknown) => (typeof error === 'object' && error !== null ? (error as S3Error) : {})

export function s3Code(error: unknown): string {
  const { Code, name, code } = read(error)
  return Code ?? (name !== undefined && name !== 'Error' ? name : (code ?? ''))
}

export function s3Status(error: unknown): number | undefined {
  return read(error).$metadata?.httpStatusCode
}

/** The server may have done what was asked, as no answer came that denies it. */
export function isUnanswered(error: unknown): boolean {
  const status = s3Status(error)
  return (status === undefined || status >= 500 || status === 408) && isTransient(error)
}

/** Worth another try: the network, or a busy or ailing server. */
export function isTransient(error: unknown): boolean {
  if (error instanceof Failure) return false
  const { code = '', message = '', $metadata } = read(error)
  const status = $metadata?.httpStatusCode
  if (status === 507 || s3Code(error) === 'XMinioStorageFull') return false
  if (status !== undefined && TRANSIENT_STATUS.includes(status)) return true
  if (s3Code(error) === 'ConditionalRequestConflict') return true // 409: another conditional write of the name is under way
  return TRANSIENT_NAMES.test(s3Code(error)) || TRANSIENT_CODES.test(code) || /aborted|socket hang up/.test(message)
}

/** The keys may have been replaced since they were asked for. */
export function isStaleKey(error: unknown): boolean {
  return /^(ExpiredToken(Exception)?|InvalidToken|InvalidAccessKeyId|XAdminUserNotFound)$/.test(s3Code(error))
}

/** The SDK has taken over the server's clock from the answer, so the next try can pass. */
export function isSkewed(error: unknown): boolean {
  return s3Code(error) === 'RequestTimeTooSkewed' || read(error).$metadata?.clockSkewCorrected === true
}

/** Advice of a Failure by the code that S3 gives; the place of the file comes from the context. */
function meaning(error: unknown, context: S3Context): readonly [FailureCode, string] {
  const { bucket, endpoint, region } = context
  const { code = '', message = '', Region, $response } = read(error)
  const name = s3Code(error)
  const status = s3Status(error)
  const home = Region ?? $response?.headers?.['x-amz-bucket-region']
  switch (name) {
    case 'NoSuchBucket':
      return ['NOT_FOUND', `there is no bucket ${bucket} at ${endpoint}. Create it, or correct the warehouse.`]
    case 'InvalidAccessKeyId':
    case 'XAdminUserNotFound': // as versitygw says it
      return ['UNAUTHORIZED', `the server does not know the access key. Correct the access key id.`]
    case 'SignatureDoesNotMatch':
      return ['UNAUTHORIZED', `the secret key does not belong to the access key. Correct the secret access key.`]
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'InvalidToken':
      return ['UNAUTHORIZED', `the session token is no longer valid. Get new keys.`]
    case 'CredentialsProviderError':
      return ['UNAUTHORIZED', `there are no keys for S3 (${message}). Set K2_S3_ACCESS_KEY and K2_S3_SECRET_KEY.`]
    case 'RequestTimeTooSkewed':
    case 'RequestExpired':
      return ['UNAUTHORIZED', `${skew(error)} Set the clock that is wrong; S3 allows 15 minutes.`]
    case 'AccessDenied':
    case 'AllAccessDisabled':
      return ['FORBIDDEN', `these keys may not do this in bucket ${bucket}. Give them the right to it.`]
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return [
        'INVALID_INPUT',
        `bucket ${bucket} is ${home ? `in ${home}` : 'elsewhere'}, not in ${region}. Set the region.`,
      ]
    case 'EntityTooLarge':
      return ['INVALID_INPUT', `it is larger than the server takes at once (S3: 5 GiB). Write smaller files.`]
    case 'XMinioStorageFull':
    case 'QuotaExceeded':
      return ['UNAVAILABLE', `the server has no room left. Free space there and try again.`]
  }
  if (status === 404) return ['NOT_FOUND', `it is not in bucket ${bucket} at ${endpoint}.`]
  if (status === 507) return ['UNAVAILABLE', `the server has no room left. Free space there and try again.`]
  if (status === 301 || status === 307)
    return [
      'INVALID_INPUT',
      `bucket ${bucket} is ${home ? `in ${home}` : 'elsewhere'}, not in ${region}. Set the region.`,
    ]
  if (status === 401 || status === 403)
    return ['FORBIDDEN', `these keys may not do this in bucket ${bucket}. Give them the right to it.`]
  if (TLS_CODES.test(code))
    return ['UNAVAILABLE', `the certificate of ${endpoint} is not trusted (${code}). Name the file of its authority.`]
  if (code === 'EPROTO' || /wrong version number/.test(message))
    return ['INVALID_INPUT', `${endpoint} does not speak TLS. Write http:// if that is meant.`]
  if (code === 'ENOTFOUND') return ['UNAVAILABLE', `the name in ${endpoint} is not known. Correct the endpoint.`]
  if (name === 'TimeoutError' || code === 'ETIMEDOUT' || status === 504)
    return ['TIMEOUT', `${endpoint} did not answer in time. Try again, or look after the server.`]
  if (status === 429 || /SlowDown|Throttl/.test(name))
    return ['RATE_LIMITED', `${endpoint} asks for fewer requests. Try again later.`]
  if (status !== undefined && status >= 500)
    return ['UNAVAILABLE', `${endpoint} answered ${status} (${name}). Try again, or look after the server.`]
  if (status === undefined && isTransient(error))
    return [
      'UNAVAILABLE',
      `${endpoint} cannot be reached (${code || message}). Start the server or correct the endpoint.`,
    ]
  return ['UNAVAILABLE', `${endpoint} answered ${status ?? ''} ${name}: ${message}`.trim()]
}

function skew(error: unknown): string {
  const { RequestTime, ServerTime, $response } = read(error)
  const server = timeOf(ServerTime) ?? timeOf($response?.headers?.date)
  const ours = timeOf(RequestTime) ?? Date.now()
  if (server === undefined) return "this machine's clock and the server's differ too much."
  const seconds = Math.round((ours - server) / 1000)
  const told = `${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the server's (${new Date(server).toISOString()}).`
  return `this machine's clock is ${told}`
}

/** Also the basic form of the request's own header, 20261121T131132Z. */
function timeOf(time: string | Date | undefined): number | undefined {
  const text = time instanceof Date ? time.toISOString() : (time ?? '')
  const ms = Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  return Number.isNaN(ms) ? undefined : ms
}

export function s3Failure(error: unknown, context: S3Context, signal?: AbortSignal): Failure {
  if (error instanceof Failure) return error
  if (signal?.aborted) return cancelled()
  const { location, left, attempts } = context
  const [code, text] = meaning(error, context)
  const tries = attempts > 1 ? ` Tried ${attempts} times.` : ''
  return new Failure(code, `${location}: ${text}${tries}${left && ` ${left}`}`, {
    retryable: ['UNAVAILABLE', 'TIMEOUT', 'RATE_LIMITED'].includes(code) && isTransient(error),
    details: { location, s3: s3Code(error), status: s3Status(error) },
    cause: briefly(error),
  })
}

/** Without the request, the answer and their sockets, which the SDK hangs on its errors. */
function briefly(error: unknown): Error {
  const { name = 'Error', message = String(error), code, $metadata, cause } = read(error)
  const brief = new Error(message, cause === undefined ? undefined : { cause })
  return Object.assign(brief, { name, code, Code: s3Code(error), $metadata })
}
