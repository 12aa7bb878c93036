// Ids of a batch end to end in bytes, as decoders of messages hand them over.
import type { ColumnBatch } from '../../src/contract/columns.ts'
import { packedColumn } from '../../src/main/market/packed-texts.ts'

/** After the texts, as decoders leave it. */
const SPARE_BYTES = 16

/** `names` of columns with an ASCII word for each row. */
export function withPackedIds({ rowCount, columns }: ColumnBatch, names: readonly string[]): ColumnBatch {
  const packed = names.map(name => {
    const words = columns[name].words as readonly string[]
    let at = 0
    const ends = Uint32Array.from(words, word => (at += word.length))
    const bytes = Buffer.alloc(at + SPARE_BYTES)
    bytes.write(words.join(''), 'latin1')
    return [name, packedColumn({ bytes: bytes.subarray(0, at), ends })] as const
  })
  return { rowCount, columns: { ...columns, ...Object.fromEntries(packed) } }
}
