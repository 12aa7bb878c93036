// Messages as they lie in the log: Confluent's wire format, a schema id and then the Avro value.
//   0 · schema id, u32 big-endian · value
import { Failure } from '../../contract/failure.ts'
import type { TableSpec, TailTable } from '../../contract/tables.ts'
import { avroSchemas, EMBEDDED_SCHEMA_IDS, type AvroRecord } from './avro-schemas.ts'
import { compileDecoder, type Decode, type Others, type Sink } from './decode.ts'

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
    if (!schema) throw new Failure('INVALID_INPUT', `Schema ${id} is not known.`)
    const decode = compileDecoder(schema, table, sinks, others)
    decoders.set(id, decode)
    return decode
  }

  return function decodeMessage(cursor, row) {
    const { at, end, bytes, view } = cursor
    if (end - at < HEADER_BYTES || bytes[at] !== 0)
      throw new Failure('INVALID_INPUT', 'The message is not in Confluent wire format.')
    const id = view.getUint32(at + 1)
    if (id !== lastId) {
      lastDecode = decoderOf(id)
      lastId = id
    }
    cursor.at = at + HEADER_BYTES
    lastDecode(cursor, row)
    if (others === 'check' && cursor.at !== end)
      throw new Failure('INVALID_INPUT', `The message has ${end - at} bytes where its schema takes ${cursor.at - at}.`)
  }
}
