// Full records whose producer writes the exchange in lower case: found while millions a second go by, and written anew with
// the exchange in upper case, in the message_id too. Tail and writer then see the same message.
import { Failure } from '../../contract/failure.ts'
import type { TableSpec } from '../../contract/tables.ts'
import type { AvroRecord } from './avro-schemas.ts'
import { compileDecoder, type Decode } from './decode.ts'
import { createCursor, pointCursor } from './decode-primitives.ts'
import { createSkippers, typeName, unwrap, type ReadField } from './decode-skip.ts'
import { endValue, putBytes, putText, reserve, type ValueBuffer } from './value-buffer.ts'

export interface ExchangeCase {
  /** Whether the message from … to has to be looked at; false only where its exchange is in upper case. */
  isDoubtful: (bytes: Buffer, from: number, to: number) => boolean
  /** Appends the message with its exchange in upper case; false, and nothing, where it is so already or is no message. */
  putUpper: (out: ValueBuffer, bytes: Buffer, from: number, to: number) => boolean
}

const HEADER_BYTES = 5
const [LOWER_A, LOWER_Z] = [97, 122]

/** Of a schema that is the table's full record. */
export function exchangeCaseOf(schema: AvroRecord, table: TableSpec): ExchangeCase {
  const skipOf = createSkippers()
  const fields = schema.fields.map(({ name, type }) => ({ name, skip: skipOf(type) }))
  const check = compileDecoder(schema, table, {}, 'check')
  const at = fields.findIndex(({ name }) => name === 'exchange')
  const before = schema.fields.slice(0, at).map(({ type }) => unwrap(type))
  const isPlain = before.every(type => !Array.isArray(type) && typeName(type) === 'string')
  return {
    isDoubtful: isPlain ? (bytes, from, to) => isDoubtfulAfter(at, bytes, from, to) : () => true,
    putUpper: (out, bytes, from, to) => putUpper({ fields, check }, out, bytes.subarray(from, to)),
  }
}

/** After so many texts. What does not look like them is left to who looks closely. */
function isDoubtfulAfter(texts: number, bytes: Buffer, from: number, to: number): boolean {
  let at = from + HEADER_BYTES
  for (let text = 0; text < texts; text++) {
    const size = bytes[at]
    if (!(size < 128)) return true
    at += 1 + (size >>> 1)
  }
  const size = bytes[at]
  const end = at + 1 + (size >>> 1)
  if (!(size < 128 && end <= to)) return true
  for (at++; at < end; at++) if (bytes[at] >= LOWER_A && (bytes[at] <= LOWER_Z || bytes[at] > 127)) return true
  return false
}

interface Reader {
  fields: readonly { name: string; skip: ReadField }[]
  check: Decode
}

const cursor = createCursor()

function putUpper(reader: Reader, out: ValueBuffer, message: Buffer): boolean {
  const spans = spansOf(reader, message)
  const exchange = spans?.get('exchange')
  if (!spans || !exchange) return false
  const given = textIn(message, exchange)
  const upper = given.toUpperCase()
  if (given === upper) return false
  const changes = [{ ...exchange, text: upper }]
  const id = spans.get('message_id')
  const idText = id && textIn(message, id)
  if (id && idText?.startsWith(`${given}:`)) changes.push({ ...id, text: upper + idText.slice(given.length) })
  let at = 0
  for (const { from, to, text } of changes.sort((a, b) => a.from - b.from)) {
    put(out, message.subarray(at, from))
    putText(out, text)
    at = to
  }
  put(out, message.subarray(at))
  endValue(out)
  return true
}

interface Span {
  /** With its length before it. */
  from: number
  to: number
}

/** Of the two texts; nothing of what is no row, which is to be set aside as it came. */
function spansOf({ fields, check }: Reader, message: Buffer): Map<string, Span> | undefined {
  const spans = new Map<string, Span>()
  pointCursor(cursor, message)
  cursor.end = message.length
  try {
    cursor.at = HEADER_BYTES
    check(cursor, 0)
    if (cursor.at !== message.length) return undefined
    cursor.at = HEADER_BYTES
    for (const { name, skip } of fields) {
      const from = cursor.at
      skip(cursor, 0)
      if (name === 'exchange' || name === 'message_id') spans.set(name, { from, to: cursor.at })
    }
    return spans
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

function textIn(message: Buffer, { from, to }: Span): string {
  let at = from
  while (message[at] > 127) at++
  return message.toString('utf8', at + 1, to)
}

function put(out: ValueBuffer, bytes: Uint8Array): void {
  reserve(out, bytes.length)
  putBytes(out, bytes)
}
