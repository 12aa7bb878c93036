// Avro's container file, as manifests and manifest lists are kept in it:
//   "Obj" 1 · map of texts to bytes, among them avro.schema and avro.codec · 16 bytes of sync
//   then blocks: number of values · length · values, compressed together · the same sync
import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import {
  createCursor,
  malformed,
  readBytes,
  readCount,
  readSize,
  readText,
  type Cursor,
} from '../../market/decode-primitives.ts'
import { createValueBuffer, putBytes, putLong, putText, reserve, type ValueBuffer } from '../../market/value-buffer.ts'
import { decompress } from './avro-codecs.ts'
import { asBuffer } from './single-value.ts'

const MAGIC = Buffer.from('Obj\x01', 'latin1')
const SYNC_BYTES = 16
/** Beyond the fastest level these files get a tenth smaller and take three times as long. */
const DEFLATE_LEVEL = 1

export interface Block {
  count: number
  /** Values end to end. */
  bytes: Buffer
}

export interface Container {
  schemaText: string
  header: ReadonlyMap<string, Buffer>
  blocks: readonly Block[]
}

/** The header keeps every attribute of the schema, by which Iceberg knows its fields. */
export function encodeContainer(
  schema: object,
  header: Readonly<Record<string, string>>,
  blocks: readonly Block[],
): Uint8Array {
  const sync = randomBytes(SYNC_BYTES)
  const out = createValueBuffer()
  const pairs = Object.entries({ 'avro.schema': JSON.stringify(schema), 'avro.codec': 'deflate', ...header })
  putBytes(out, MAGIC)
  putLong(out, pairs.length)
  for (const pair of pairs) for (const text of pair) putText(out, text)
  reserve(out, 10 + SYNC_BYTES)
  putLong(out, 0)
  putBytes(out, sync)
  const parts: Uint8Array[] = [Buffer.from(taken(out))]
  for (const { count, bytes } of blocks) {
    if (count === 0) continue
    const compressed = deflateRawSync(bytes, { level: DEFLATE_LEVEL })
    out.length = 0
    putLong(out, count)
    putLong(out, compressed.length)
    parts.push(Buffer.from(taken(out)), compressed, sync)
  }
  return Buffer.concat(parts)
}

export function taken(out: ValueBuffer): Buffer {
  return out.bytes.subarray(0, out.length)
}

/** Throws a plain error that says what is wrong, or a Failure for what is right but not read here. */
export function decodeContainer(file: Uint8Array): Container {
  const bytes = asBuffer(file)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) malformed('it is not an Avro file')
  const cursor = createCursor(bytes)
  cursor.at = MAGIC.length
  cursor.end = bytes.length
  const header = readHeader(cursor)
  const sync = take(cursor, SYNC_BYTES)
  const codec = header.get('avro.codec')?.toString() ?? 'null'
  const schema = header.get('avro.schema')
  if (!schema) malformed('it has no schema')
  const blocks: Block[] = []
  while (cursor.at < cursor.end) {
    const count = readSize(cursor)
    const length = readSize(cursor)
    if (!(count >= 0 && length >= 0)) malformed('a block of a negative length')
    const values = decompress(codec, take(cursor, length))
    if (!take(cursor, SYNC_BYTES).equals(sync)) malformed('a block that does not end where it says')
    if (count > values.length) malformed('more values in a block than it has bytes')
    blocks.push({ count, bytes: values })
  }
  return { schemaText: schema.toString(), header, blocks }
}

function readHeader(cursor: Cursor): Map<string, Buffer> {
  const header = new Map<string, Buffer>()
  for (let count = readCount(cursor); count !== 0; count = readCount(cursor)) {
    for (; count > 0; count--) {
      readText(cursor)
      const key = cursor.bytes.toString('utf8', cursor.from, cursor.to)
      readBytes(cursor)
      header.set(key, cursor.bytes.subarray(cursor.from, cursor.to))
    }
  }
  return header
}

function take(cursor: Cursor, length: number): Buffer {
  if (!(length <= cursor.end - cursor.at)) malformed('it is cut off')
  return cursor.bytes.subarray(cursor.at, (cursor.at += length))
}
