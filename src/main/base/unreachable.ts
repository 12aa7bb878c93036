// A server that did not answer at all, in words for a user: why, and what to look at.
import { Failure } from '../../contract/failure.ts'
import { NotSent } from './http.ts'
import { maskSecrets } from './mask.ts'

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED/, 'nothing listens there; start it or check its address'],
  [/^(ENOTFOUND|EAI_)/, 'its name is not known; check its address and the network'],
  [/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/, 'its certificate is not trusted; name its authority in K2_CA_FILE'],
  [/^(EPROTO|ERR_SSL)/, 'it does not speak TLS in a way K2 does; check https and http in its address'],
]

/** A Failure already is left as it is. */
export function unreachable(about: string, error: unknown): Failure {
  if (error instanceof Failure) return error
  const { code = '', message } = error as { code?: string; message: string }
  const reason = REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? maskSecrets(message || code)
  const verb = error instanceof NotSent ? 'cannot be reached' : 'did not answer'
  const capital = about[0].toUpperCase() + about.slice(1)
  return new Failure('UNAVAILABLE', `${capital} ${verb}: ${reason}.`, { cause: error })
}
