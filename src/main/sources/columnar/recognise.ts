// Whether a file is Parquet or Arrow, told by how it begins and not by its name.
//   Parquet: "PAR1" (an encrypted footer: "PARE") · Arrow file: "ARROW1" and two zeros · Arrow stream: ff ff ff ff and the
//   length of the schema's message; before 0.15 without the first four

export type ColumnarForm = 'parquet' | 'arrow'

/** Bytes that are enough to tell. */
export const MAGIC_BYTES = 8
const LONGEST_SCHEMA = 64 * 2 ** 20

export function columnarFormOf(head: Uint8Array): ColumnarForm | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, MAGIC_BYTES))
  const text = bytes.toString('latin1')
  if (text.startsWith('PAR1') || text.startsWith('PARE')) return 'parquet'
  if (text.startsWith('ARROW1\0\0')) return 'arrow'
  if (bytes.length < MAGIC_BYTES || bytes.readUInt32LE(0) !== 0xffffffff) return undefined
  const length = bytes.readUInt32LE(4)
  return length > 0 && length <= LONGEST_SCHEMA ? 'arrow' : undefined
}
