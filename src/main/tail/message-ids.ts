// The id of a row's message. It is not among the columns held ready, as next to nobody asks for one row's alone.
import { TAIL_TABLES, type TailTable } from '../../contract/tables.ts'
import { textOf } from '../market/decode-dictionary.ts'
import { createCursor, pointCursor } from '../market/decode-primitives.ts'
import { createWireDecoder, type SchemaOf } from '../market/decode-wire.ts'
import type { Ranking } from './segment.ts'

export function messageIdReader(dataType: TailTable, schemaOf?: SchemaOf): Ranking['messageIdOf'] {
  let id = ''
  const sink = {
    take: ({ bytes, from, to }: { bytes: Buffer; from: number; to: number }) => void (id = textOf(bytes, from, to)),
    none: () => {},
  }
  const read = createWireDecoder(TAIL_TABLES[dataType], { message_id: sink }, 'skip', schemaOf)
  const cursor = createCursor()
  return function messageIdOf({ bytes, usedBytes, starts, stride }, at) {
    pointCursor(cursor, bytes)
    cursor.at = starts[at / stride]
    cursor.end = usedBytes
    read(cursor, 0)
    return id
  }
}
