// Avro files as other engines write them: any schema and codec, values encoded by avsc.
import { deflateRawSync } from 'node:zlib'
import avro, { type Schema as AvscSchema, type Type } from 'avsc'

interface LongType {
  __with: (methods: object) => Type
}
const exactLong = (avro.types as unknown as { LongType: LongType }).LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint | number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(value))
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint' || Number.isInteger(value),
  compare: (a: bigint, b: bigint) => (a < b ? -1 : Number(a > b)),
})

/** 64-bit numbers are bigints, exact; logical types are left aside. */
export const typeOf = (schema: object): Type =>
  avro.Type.forSchema(schema as AvscSchema, {
    wrapUnions: false,
    typeHook: type => {
      const name = typeof type === 'string' ? type : (type as { type?: unknown }).type
      return name === 'long' ? exactLong : undefined
    },
  })

const codecs: Record<string, (bytes: Buffer) => Buffer> = {
  null: bytes => bytes,
  deflate: bytes => deflateRawSync(bytes),
}
const long = avro.Type.forSchema('long')

export interface ForeignFile {
  schema: object
  values: readonly object[]
  codec?: string
  compress?: (bytes: Buffer) => Buffer
  meta?: Record<string, string>
  blockSize?: number
}

export function foreignFile({
  schema,
  values,
  codec = 'deflate',
  compress = codecs[codec],
  meta = {},
  blockSize = Infinity,
}: ForeignFile): Buffer {
  const type = typeOf(schema)
  const sync = Buffer.alloc(16, 7)
  const header = avro.Type.forSchema({ type: 'map', values: 'bytes' }).toBuffer(
    Object.fromEntries(
      Object.entries({ 'avro.schema': JSON.stringify(schema), 'avro.codec': codec, ...meta }).map(([key, text]) => [
        key,
        Buffer.from(text),
      ]),
    ),
  )
  const parts = [Buffer.from('Obj\x01', 'latin1'), header, sync]
  for (let from = 0; from < values.length; from += blockSize) {
    const block = values.slice(from, from + blockSize)
    const bytes = compress(Buffer.concat(block.map(value => type.toBuffer(value))))
    parts.push(long.toBuffer(block.length), long.toBuffer(bytes.length), bytes, sync)
  }
  return Buffer.concat(parts)
}

export interface ReadBack {
  schema: object
  meta: Record<string, string>
  values: Record<string, unknown>[]
}

/** A file of ours as avsc reads it. */
export function readForeign(bytes: Uint8Array): Promise<ReadBack> {
  return new Promise((resolve, reject) => {
    const decoder = new avro.streams.BlockDecoder({ parseHook: (schema: AvscSchema) => typeOf(schema as object) })
    const values: Record<string, unknown>[] = []
    const read: Partial<ReadBack> = {}
    decoder.on('metadata', (_type: unknown, _codec: unknown, header: { meta: Record<string, Buffer> }) => {
      read.meta = Object.fromEntries(Object.entries(header.meta).map(([key, value]) => [key, value.toString()]))
      read.schema = JSON.parse(read.meta['avro.schema']) as object
    })
    decoder.on('data', (value: Record<string, unknown>) => values.push(value))
    decoder.on('end', () => resolve({ ...(read as ReadBack), values }))
    decoder.on('error', reject)
    decoder.end(Buffer.from(bytes))
  })
}
