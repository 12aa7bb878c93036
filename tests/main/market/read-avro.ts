// A plain reader of Avro's binary form, driven by the schema: the judge of what the product writes, so it shares no code with it.
import type { AvroRecord, AvroType } from '../../../src/main/market/avro-schemas.ts'

export type AvroValue = null | boolean | bigint | string | AvroValue[] | { [name: string]: AvroValue }

/** One value in Confluent wire format. Decimals come out unscaled; anything left over is an error. */
export function readMessage(
  bytes: Uint8Array,
  schema: AvroRecord,
): { schemaId: number; row: Record<string, AvroValue> } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint8(0) !== 0) throw new Error('magic byte is not 0')
  let at = 5
  const long = (): bigint => {
    let zigzag = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++)
      zigzag |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return (zigzag >> 1n) ^ -(zigzag & 1n)
    }
  }
  const blob = (): Uint8Array => {
    const size = Number(long())
    at += size
    if (at > bytes.length) throw new Error('text beyond the end')
    return bytes.subarray(at - size, at)
  }
  const text = () => new TextDecoder('utf-8', { fatal: true }).decode(blob())
  const decimal = (digits: Uint8Array): bigint =>
    BigInt.asIntN(
      digits.length * 8,
      digits.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
    )
  const block = (item: () => void): void => {
    for (let count = long(); count !== 0n; count = long()) for (let i = 0n; i < count; i++) item()
  }
  const value = (type: AvroType): AvroValue => {
    if (Array.isArray(type)) return value(type[Number(long())])
    const name = typeof type === 'string' ? type : type.type
    const attributes: Record<string, unknown> = typeof type === 'string' ? {} : type
    if (name === 'null') return null
    if (name === 'string') return text()
    if (name === 'long' || name === 'int') return long()
    if (name === 'bytes')
      return attributes.logicalType === 'decimal' ? decimal(blob()) : Buffer.from(blob()).toString('hex')
    if (name === 'enum') return (attributes.symbols as string[])[Number(long())]
    const out: AvroValue[] = []
    const entries: Record<string, AvroValue> = {}
    if (name === 'array') block(() => out.push(value(attributes.items as AvroType)))
    else if (name === 'map') block(() => (entries[text()] = value(attributes.values as AvroType)))
    else throw new Error(`no reader for ${name}`)
    return name === 'array' ? out : entries
  }
  const row = Object.fromEntries(schema.fields.map(field => [field.name, value(field.type)]))
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes left over`)
  return { schemaId: view.getUint32(1), row }
}

/** The bytes of each value of a buffer. */
export function splitValues({
  values,
  ends,
  count,
}: {
  values: Uint8Array
  ends: Uint32Array
  count: number
}): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => values.subarray(i === 0 ? 0 : ends[i - 1], ends[i]))
}
