// What DuckDB says of a statement that people wrote, as a Failure with the place in it.
import { Failure } from '../../../contract/failure.ts'
import { cancelled } from '../../base/cancelled.ts'
import { refuse } from './refuse.ts'

/** Of the sandbox, which is told to say its errors as JSON. */
interface Said {
  exception_type: string
  exception_message: string
  position?: string
}

/** What only a statement, its values or its parameters can cause; the rest is not for people to mend in the SQL. */
const OF_THE_STATEMENT =
  /^(?:Binder|Catalog|Parser|Syntax|Conversion|Invalid Input|Invalid|Out of Range|Mismatch Type|Invalid type|Constraint|Expression|Not implemented|Dependency|Decimal|Divide by Zero|Parameter Not Resolved|Parameter Not Allowed|Sequence|Permission|Stat|Object Size|Unknown Type)$/i

const EXACT_HELP =
  'Use notional(price, quantity) or vwap(price, quantity), which are exact, or cast one side to DECIMAL(38, 8)'

/** `shift`: bytes that were put before the statement. */
export function translateSqlError(error: unknown, sql: string, shift = 0): unknown {
  if (error instanceof Failure && error.cause === undefined) return error
  const said = saidBy(error instanceof Failure ? error.cause : error)
  if (!said) return error
  const { exception_type: type, exception_message: message, position } = said
  if (/^Interrupt$/i.test(type)) return cancelled(error)
  if (/^Out of Memory$/i.test(type)) return tooMuchMemory(error)
  // Words of the statement in the message may look like those of a damaged file.
  const isOfTheStatement = OF_THE_STATEMENT.test(type) && (!(error instanceof Failure) || hasPlace(said))
  if (!isOfTheStatement) return error
  const at = position === undefined ? undefined : Number(position) - shift
  const words = `${type} Error: ${message.trim()}`
  const help = /overflow/i.test(message) ? `. ${EXACT_HELP}` : ''
  return refuse(words.replace(/\.$/, '') + help, { sql, at: at !== undefined && at >= 0 ? at : undefined }, error)
}

function hasPlace({ exception_type: type, position }: Said): boolean {
  return position !== undefined || /^(?:Binder|Catalog|Parser|Conversion|Out of Range)$/.test(type)
}

function saidBy(error: unknown): Said | undefined {
  if (!(error instanceof Error)) return undefined
  const json = error.message.indexOf('{"exception_type"')
  if (json >= 0) {
    try {
      return JSON.parse(error.message.slice(json)) as Said
    } catch {
      // Cut off, or not from DuckDB: read as plain text below.
    }
  }
  const [, type, message] = /^(?:Failed to \w+ \w+: )?([A-Z][A-Za-z ]*?) Error: ([\s\S]*)$/.exec(error.message) ?? []
  return type === undefined ? undefined : { exception_type: type, exception_message: message.split('\n\nLINE', 1)[0] }
}

function tooMuchMemory(cause: unknown): Failure {
  return new Failure(
    'PAYLOAD_TOO_LARGE',
    'The statement needs more memory than one may have, so it was stopped. Narrow its time range or its symbols, group ' +
      'or sort fewer rows, or raise K2_QUERY_MEMORY.',
    { cause },
  )
}
