// JSON and table metadata as Iceberg writes them: snapshot ids are 64-bit numbers in the file and texts of digits in
// memory.
import { gunzipSync } from 'node:zlib'
import { Failure } from '../../../contract/failure.ts'
import { checkedMetadata } from './check-metadata.ts'
import type { TableMetadata } from './metadata.ts'

/** Keys whose value is a snapshot id. */
const ID_KEYS: ReadonlySet<string> = new Set(['snapshot-id', 'parent-snapshot-id', 'current-snapshot-id'])
const ID_LIST_KEY = 'snapshot-ids'
/** Maps of any text to any text: a key there means nothing to us. */
const TEXT_MAPS: ReadonlySet<string> = new Set(['properties', 'summary', 'updates', 'config', 'defaults', 'overrides'])

// Inside a text every quote is escaped, so neither pattern can match there: `-id"` would have to be `-id\"`, and a
// key that merely ends so would have its first quote escaped.
const IDS = /(?<!\\)("(?:parent-|current-)?snapshot-id"\s*:\s*)(-?\d+)(?=[\s,}\]])/g
const ID_LISTS = /(?<!\\)("snapshot-ids"\s*:\s*\[)([-\d,\s]+)\]/g
/** What a compressed file may grow to. */
const MAX_BYTES = 2 ** 29
const DIGITS = /^-?\d+$/
/** What Java writes for «no limit»; a double rounds it up, beyond what Java reads back. */
const MAX_LONG = '9223372036854775807'

/** Not JSON is CORRUPT, without a file's name: who knows it says it. */
export function parseJson<T>(text: string): T {
  const safe = text
    .replace(IDS, '$1"$2"')
    .replace(ID_LISTS, (_, before: string, ids: string) => `${before}${ids.replace(/-?\d+/g, '"$&"')}]`)
  try {
    return JSON.parse(safe) as T
  } catch (cause) {
    throw new Failure('CORRUPT', `not JSON: ${(cause as Error).message}`, { cause })
  }
}

export function stringifyJson(value: unknown): string {
  return textOf(value) ?? 'null'
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && value >= 2 ** 63) return MAX_LONG
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(item => textOf(item) ?? 'null').join(',')}]`
  const members: string[] = []
  for (const [key, member] of Object.entries(value)) {
    const text = memberText(key, member)
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`)
  }
  return `{${members.join(',')}}`
}

function memberText(key: string, value: unknown): string | undefined {
  if (ID_KEYS.has(key)) return idText(value)
  if (key === ID_LIST_KEY && Array.isArray(value)) return `[${value.map(id => idText(id) ?? 'null').join(',')}]`
  if (TEXT_MAPS.has(key) && !Array.isArray(value)) return JSON.stringify(value)
  return textOf(value)
}

function idText(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'string' && DIGITS.test(value) ? value : textOf(value)
}

/** What grows with history. */
const LISTS: ReadonlySet<string> = new Set(['snapshots', 'snapshot-log', 'metadata-log'])
/**
 * A snapshot is encoded once and its bytes reused by every later commit, so that a commit does not cost in proportion
 * to history. It rests on snapshots and log entries never being changed in place.
 */
const encoded = new WeakMap<object, Buffer>()
const COMMA = Buffer.from(',')

export function encodeMetadata(metadata: TableMetadata): Uint8Array {
  const parts: Buffer[] = []
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(metadata)) {
    if (LISTS.has(key)) parts.push(Buffer.from(`,"${key}":[`), ...bytesOfEach(value as object[]), Buffer.from(']'))
    else rest[key] = value
  }
  const head = Buffer.from(stringifyJson(rest).slice(0, -1))
  return Buffer.concat([head, ...parts, Buffer.from('}')])
}

function bytesOfEach(items: readonly object[]): Buffer[] {
  const parts: Buffer[] = []
  for (const item of items) {
    let bytes = encoded.get(item)
    if (!bytes) {
      bytes = Buffer.from(stringifyJson(item))
      encoded.set(item, bytes)
    }
    if (parts.length > 0) parts.push(COMMA)
    parts.push(bytes)
  }
  return parts
}

/** Version 2, and version 1 with its old keys translated. What is absent but may be is filled in. */
export function decodeMetadata(bytes: Uint8Array, location: string): TableMetadata {
  try {
    return checkedMetadata(parsed(bytes), location)
  } catch (cause) {
    if (cause instanceof Failure && cause.code === 'INVALID_INPUT') throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('CORRUPT', `Table metadata ${location} cannot be read: ${why}. Nothing was changed.`, { cause })
  }
}

function parsed(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw new RangeError('it is empty')
  const plain = isGzip(bytes) ? gunzipSync(bytes, { maxOutputLength: MAX_BYTES }) : bytes
  return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(plain))
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}
