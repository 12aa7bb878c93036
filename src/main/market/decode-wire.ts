// Messages as they lie in the log: Confluent's wire format, a schema id and then the Avro value.
//   0 · schema id, u32 big-endian · value
import { Failure } from '../../contract/failure.ts'
import type { TableSpec, TailTable } from '../../contract/tables.ts'
import { avroSchemas, EMBEDDED_SCHEMA_IDS, type AvroRecord } from './avro-schemas.ts'
import { compileDecoder, type Decode, type Others, type Sink } from './decode.ts'
import { createCursor, type Cursor } from './decode-primitives.ts'
import type { Problem, ProblemReason } from './standard-batch.ts'

/** The schema an id stands for, when it is known. */
export type SchemaOf = (id: number) => AvroRecord | undefined

const HEADER_BYTES = 5

export function embeddedSchemaOf(id: number): AvroRecord | undefined {
  const name = (Object.keys(avroSchemas) as TailTable[]).find(table => EMBEDDED_SCHEMA_IDS[table] === id)
  return name && avroSchemas[name]
}

/**
 * Reads the message from `at` to `end` of the cursor, whichever schema it was written with. With `check`, one that is
 * accepted is well-formed in every column of the table and exactly as long as its schema says.
 */
export function createWireDecoder(
  table: TableSpec,
  sinks: Readonly<Record<string, Sink>>,
  others: Others,
  schemaOf: SchemaOf = embeddedSchemaOf,
): Decode {
  const decoders = new Map<number, Decode>()
  let lastId = -1
  let lastDecode: Decode

  function decoderOf(id: number): Decode {
    const known = decoders.get(id)
    if (known) return known
    const schema = schemaOf(id)
    // May be known later.
    if (!schema) throw refusal(`Schema ${id} is not known.`, 'unknown_schema')
    const decode = compiled(schema)
    decoders.set(id, decode)
    return decode
  }

  /** A schema that does not fit is found out once, and its every message refused with that. */
  function compiled(schema: AvroRecord): Decode {
    try {
      return compileDecoder(schema, table, sinks, others)
    } catch (error) {
      return () => {
        throw error
      }
    }
  }

  function decodeWhole(cursor: Cursor, row: number): void {
    const { at, end, bytes, view } = cursor
    if (end - at < HEADER_BYTES || bytes[at] !== 0)
      throw refusal('The message is not in Confluent wire format.', 'undecodable')
    const id = view.getUint32(at + 1)
    if (id !== lastId) {
      lastDecode = decoderOf(id)
      lastId = id
    }
    cursor.at = at + HEADER_BYTES
    lastDecode(cursor, row)
    if (others === 'check' && cursor.at !== end)
      throw refusal(`The message has ${end - at} bytes where its schema takes ${cursor.at - at}.`, 'undecodable')
  }

  return function decodeMessage(cursor, row) {
    const { at, end, bytes } = cursor
    try {
      decodeWhole(cursor, row)
    } catch (error) {
      if (end === bytes.length) throw error
      // It may have read into its neighbour before it was found out. Alone it is refused for what it is itself, the same
      // wherever it lies.
      const alone = createCursor(Buffer.from(bytes.subarray(at, end)))
      alone.end = end - at
      decodeWhole(alone, row)
      throw error
    }
  }
}

/** Why a message was refused, by what its decoder threw. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof Failure)) throw error
  const { reason = 'undecodable' } = (error.details ?? {}) as { reason?: ProblemReason }
  return { reason, error: error.message }
}

function refusal(message: string, reason: ProblemReason): Failure {
  return new Failure('INVALID_INPUT', message, { details: { reason } })
}
