// What kafkajs, sockets and TLS throw, said so that whoever set this up knows what to change.
import { Failure } from '../../../contract/failure.ts'

export const lost = (address: string, why: string) =>
  new Failure('UNAVAILABLE', `Kafka at ${address} cannot be reached: ${why}.`)

export const MAY_WANT_TLS = 'may want TLS: set K2_KAFKA_SSL to true, or name its port without TLS in K2_KAFKA_BROKERS'
export const NO_TLS_THERE =
  'it closed the connection when TLS was to begin, so it may not speak TLS on that port: set K2_KAFKA_SSL to false, or name its port with TLS in K2_KAFKA_BROKERS'

/** By the system's codes. */
const NOT_REACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there; check that the broker runs, and its address in K2_KAFKA_BROKERS',
  ENOTFOUND: 'its name is not known; check it in K2_KAFKA_BROKERS, or the name that the broker gives itself',
  EAI_AGAIN: 'its name cannot be looked up just now; check the network',
  EHOSTUNREACH: 'there is no way there; check the network and its firewalls',
  ENETUNREACH: 'there is no way there; check the network and its firewalls',
  ETIMEDOUT: 'it does not answer; check the network and its firewalls, and the address in K2_KAFKA_BROKERS',
}

/** Of certificates that are not trusted, by OpenSSL's names. */
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_(UNTRUSTED|REJECTED|SIGNATURE)/
const NOT_FITTING = /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|ERR_TLS_CERT_ALTNAME_INVALID/

export function asFailure(
  error: unknown,
  address: string,
  access: { ssl: object | false; sasl?: { mechanism: string; username: string } },
): Failure {
  if (error instanceof Failure) return error
  const { name, message, code = '' } = error as Error & { code?: string | number }
  const text = `${code} ${message}`
  const fail = (failsAs: 'UNAVAILABLE' | 'UNAUTHORIZED', why: string) =>
    new Failure(failsAs, `Kafka at ${address} ${why}`, { retryable: false, cause: error })
  if (name === 'KafkaJSSASLAuthenticationError' || /SASL/.test(text)) {
    const { mechanism = 'SASL', username = '' } = access.sasl ?? {}
    if (/not supported|UNSUPPORTED_SASL/.test(text))
      return fail('UNAUTHORIZED', `does not offer ${mechanism}; set K2_KAFKA_SASL_MECHANISM to one that it offers.`)
    return fail(
      'UNAUTHORIZED',
      `refuses user ${username} by ${mechanism}; check K2_KAFKA_SASL_USERNAME and K2_KAFKA_SASL_PASSWORD.`,
    )
  }
  if (UNTRUSTED.test(text))
    return fail(
      'UNAVAILABLE',
      `shows a certificate nobody here trusts (${message}); name the authority's with K2_CA_FILE.`,
    )
  if (NOT_FITTING.test(text)) return fail('UNAVAILABLE', `shows a certificate that does not hold: ${message}.`)
  if (/EPROTO|ERR_SSL|wrong version number/.test(text)) {
    const hint = 'it may not speak TLS on that port, or not as K2 does: see K2_KAFKA_SSL and K2_KAFKA_BROKERS'
    return fail('UNAVAILABLE', `broke off the handshake (${message}); ${hint}.`)
  }
  if (name === 'RangeError' || name === 'TypeError')
    return new Failure('UNAVAILABLE', `Kafka at ${address} gave an answer that cannot be read: ${message}.`, {
      cause: error,
    })
  const why = code in NOT_REACHED ? `${NOT_REACHED[code]} (${code})` : message
  return new Failure('UNAVAILABLE', `Kafka at ${address} cannot be reached: ${why}.`, { cause: error })
}

/** The other side went away: why it did is told by when. */
export function wasCutOff({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE'
}

/** What a server that is no broker begins with. */
export function otherProtocol(bytes: Uint8Array): string | undefined {
  const begin = Buffer.from(bytes.subarray(0, 4)).toString('latin1')
  if (begin.startsWith('\x15\x03')) return `it answers in TLS, so it ${MAY_WANT_TLS}`
  if (begin === 'HTTP') return notKafka('it is a web server')
  return undefined
}

export function notKafka(what: string): string {
  return `what it sends is not Kafka's protocol (${what}); check the address in K2_KAFKA_BROKERS`
}
