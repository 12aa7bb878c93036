// What kafkajs, sockets and TLS throw, said so that whoever set this up knows what to change.
import { Failure } from '../../../contract/failure.ts'

export const lost = (address: string, why: string) =>
  new Failure('UNAVAILABLE', `Kafka at ${address} cannot be reached: ${why}.`)

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
    const hint = access.ssl ? 'it may not speak TLS at all (K2_KAFKA_SSL)' : 'it may want TLS (K2_KAFKA_SSL)'
    return fail('UNAVAILABLE', `broke off the handshake (${message}); ${hint}.`)
  }
  if (name === 'RangeError' || name === 'TypeError')
    return new Failure('UNAVAILABLE', `Kafka at ${address} gave an answer that cannot be read: ${message}.`, {
      cause: error,
    })
  return new Failure('UNAVAILABLE', `Kafka at ${address} cannot be reached: ${message}.`, { cause: error })
}
