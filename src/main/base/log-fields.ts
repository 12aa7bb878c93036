// Fields of a log line made safe to write: secrets masked by their names, errors with their stacks, everything bounded.
import { MASK, maskSecrets } from './mask.ts'

const SECRET =
  /(password|passwd|secret|token|authorization|auth|cookie|credentials?|(api|access|secret|private)[_-]?key)$/i
const MAX_DEPTH = 6
const MAX_ITEMS = 50
const MAX_TEXT = 8_000

export function cleanFields(fields: object): Record<string, unknown> {
  return cleanRecord(fields, 0)
}

function cleanRecord(record: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue
    clean[name] = SECRET.test(name) && value !== null && value !== '' ? MASK : cleanValue(value, depth + 1)
  }
  return clean
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return maskSecrets(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) return '…'
  if (value instanceof Error) return cleanError(value, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map(item => cleanValue(item, depth + 1))
    return value.length > MAX_ITEMS ? [...items, `… ${value.length - MAX_ITEMS} more`] : items
  }
  return cleanRecord(value, depth)
}

function cleanError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error
  const told = { type: name, message, stack, ...(cause === undefined ? {} : { cause }) }
  return cleanRecord({ ...error, ...told }, depth)
}
