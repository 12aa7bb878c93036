// The log: JSON lines, or pretty on a terminal, on stderr and in a rotating file; secrets are masked on the way.
import { pino, type Logger } from 'pino'
import { cleanFields } from './log-fields.ts'
import { openLogFile } from './log-file.ts'
import type { LogFormat, LogLevel } from './log-levels.ts'
import { formatPretty } from './log-pretty.ts'
import { maskSecrets } from './mask.ts'
import type { RequestEnd } from './request-end.ts'

export interface LogFields {
  component?: string
  correlation_id?: string
  /** What was asked for: a capability, or the pattern of a route. */
  endpoint?: string
  duration_ms?: number
  error?: unknown
  [field: string]: unknown
}

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose lines all carry these fields. */
  child(fields: LogFields): Log
  /** Closes the file; what is logged afterwards goes to the destination only. */
  close(): void
}

export interface LogOptions {
  level: LogLevel
  format: LogFormat
  environment: string
  service?: string
  /** Where lines go beside the file; stderr when left out. */
  destination?: { write(text: string): unknown; isTTY?: boolean }
  /** Folder for `<service>.log`, one process a service. */
  folder?: string
}

export function createLog(options: LogOptions): Log {
  const { level, format, environment, service = 'k2', destination = process.stderr, folder } = options
  const pretty = format === 'pretty' || (format === 'auto' && destination.isTTY === true)
  const colours = destination.isTTY === true && !process.env.NO_COLOR
  const file = folder === undefined ? undefined : openLogFile(folder, service, why => destination.write(`${why}\n`))
  const sink = {
    write(line: string) {
      destination.write(pretty ? formatPretty(line, colours) : line)
      file?.write(line)
    },
  }
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    sink,
  )
  return bindFields(root, { service, environment, component: 'main' }, () => file?.close())
}

/** Children are made from the root with all fields merged, as pino would write a repeated field twice. */
function bindFields(root: Logger, bound: LogFields, close: () => void): Log {
  const logger = root.child(cleanFields(bound))
  const write = (level: Exclude<LogLevel, 'silent'>) => (message: string, fields?: LogFields) => {
    if (!root.isLevelEnabled(level)) return
    if (fields) logger[level](cleanFields(fields), maskSecrets(message))
    else logger[level](maskSecrets(message))
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: fields => bindFields(root, { ...bound, ...fields }, close),
    close,
  }
}

/** Answered: debug. Refused: info. Not possible now: warn. A bug: error, with its stack. */
export function logRequests(log: Log): (end: RequestEnd) => void {
  const requests = log.child({ component: 'requests' })
  return ({ name, context, elapsedMs, failure, bug }) => {
    const fields: LogFields = {
      correlation_id: context.correlationId,
      endpoint: name,
      duration_ms: Math.round(elapsedMs * 1000) / 1000,
      door: context.door,
    }
    if (!failure) return requests.debug('answered', fields)
    if (failure.code === 'CANCELLED') return requests.debug('cancelled', fields)
    if (failure.code === 'INTERNAL') return requests.error('failed by a bug', { ...fields, error: bug ?? failure })
    requests[failure.status >= 500 ? 'warn' : 'info'](failure.message, { ...fields, code: failure.code })
  }
}
