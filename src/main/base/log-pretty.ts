// A JSON log line as a person at a terminal reads it: time, level, component, message, then the rest, dimmed.

type Line = Record<string, unknown> & { timestamp: string; level: string; component?: string; message?: string }

const DIM = 2
const LEVEL_COLOURS: Readonly<Record<string, number>> = { debug: DIM, info: 36, warn: 33, error: 31 }
/** The same on every line of a process. */
const LEFT_OUT = new Set(['timestamp', 'level', 'component', 'message', 'service', 'environment', 'error'])

export function formatPretty(json: string, colours: boolean): string {
  const paint = (code: number, text: string) => (colours && text ? `\x1b[${code}m${text}\x1b[0m` : text)
  const line = JSON.parse(json) as Line
  const { timestamp, level, component = '', message = '', error } = line
  const rest = Object.entries(line)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const head = [
    paint(DIM, localTime(timestamp)),
    paint(LEVEL_COLOURS[level] ?? DIM, level.toUpperCase().padEnd(5)),
    component.padEnd(8),
    message,
    paint(DIM, rest.join(' ')),
  ]
  return `${head.join(' ').trimEnd()}\n${error === undefined ? '' : paint(DIM, formatError(error))}`
}

function localTime(timestamp: string): string {
  const at = new Date(timestamp)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

function formatError(error: unknown): string {
  const { stack, message, cause } = error as { stack?: string; message?: string; cause?: unknown }
  const text = stack ?? message ?? JSON.stringify(error)
  const indented = `${text.replace(/^/gm, '  ')}\n`
  return cause === undefined ? indented : `${indented}  caused by:\n${formatError(cause)}`
}
