// Rules between settings: what each may say is in the table, what they may say together is here.
import { isLoopback } from '../base/loopback.ts'
import type { Texts } from './setting.ts'
import { LOOPBACK_NAMES, WELL_KNOWN_KEY } from './settings.ts'

export interface Problem {
  name: string
  /** Goes on after the name: `is …`. */
  problem: string
}

/** The first means nothing without the others. */
const NEEDS: readonly [name: string, needed: readonly string[]][] = [
  ['K2_KAFKA_SASL_MECHANISM', ['K2_KAFKA_SASL_USERNAME', 'K2_KAFKA_SASL_PASSWORD']],
  ['K2_KAFKA_SASL_USERNAME', ['K2_KAFKA_SASL_MECHANISM']],
  ['K2_KAFKA_SASL_PASSWORD', ['K2_KAFKA_SASL_MECHANISM']],
  ['K2_CLIENT_CERT_FILE', ['K2_CLIENT_KEY_FILE']],
  ['K2_CLIENT_KEY_FILE', ['K2_CLIENT_CERT_FILE']],
  ['K2_S3_ACCESS_KEY', ['K2_S3_SECRET_KEY']],
  ['K2_S3_SECRET_KEY', ['K2_S3_ACCESS_KEY']],
  ['K2_S3_SESSION_TOKEN', ['K2_S3_ACCESS_KEY']],
]

const FILES = ['K2_CA_FILE', 'K2_CLIENT_CERT_FILE', 'K2_CLIENT_KEY_FILE']

/** Works on the texts, so that it speaks also when another setting could not be understood. */
export function checkSettings(texts: Texts, readFile: (path: string) => string): Problem[] {
  const problems: Problem[] = []
  for (const [name, needed] of NEEDS) {
    const missing = needed.filter(other => !texts(other))
    if (texts(name) && missing.length > 0) {
      problems.push({
        name,
        problem: `is set but ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not; set both or none.`,
      })
    }
  }
  if (texts('K2_TOPICS') && texts('K2_TOPIC_PATTERN')) {
    problems.push({ name: 'K2_TOPICS', problem: 'and K2_TOPIC_PATTERN are both set; keep one of them.' })
  }
  const host = texts('K2_API_HOST')
  if (!isLoopback(host) && texts('K2_API_KEY') === WELL_KNOWN_KEY) {
    const problem = `is the well-known one, which is accepted on loopback only, but K2_API_HOST is ${host}; set a key of your own.`
    problems.push({ name: 'K2_API_KEY', problem })
  }
  for (const name of FILES) {
    const reason = texts(name) && whyUnreadable(texts(name), readFile)
    if (reason) problems.push({ name, problem: `is ${texts(name)}, which cannot be read (${reason}).` })
  }
  return problems
}

/** Allowed, but probably not meant. */
export function warnAboutSettings(texts: Texts): string[] {
  const warnings: string[] = []
  if (texts('K2_WAREHOUSE').startsWith('s3://') && texts('K2_CATALOG').toLowerCase() === 'sqlite') {
    warnings.push(
      'K2_WAREHOUSE is in S3 but K2_CATALOG is sqlite: the catalog is kept in the profile and only this machine finds the tables. Name an Iceberg REST catalog to share them.',
    )
  }
  if (!isLoopback(texts('K2_API_HOST')) && texts('K2_API_ALLOWED_HOSTS') === LOOPBACK_NAMES) {
    warnings.push(
      `K2_API_HOST is ${texts('K2_API_HOST')} but K2_API_ALLOWED_HOSTS has loopback names only: other machines will get 421. Add the name they use.`,
    )
  }
  return warnings
}

function whyUnreadable(path: string, readFile: (path: string) => string): string | undefined {
  try {
    readFile(path)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message
  }
}
