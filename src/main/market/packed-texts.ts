// Texts that differ in every row, such as ids, end to end in one run of bytes. Strings are made of them only when somebody
// reads them: measured, two ids a trade as strings cost more than all else of writing it, most of it to collect them.
import type { Column } from '../../contract/columns.ts'

export interface PackedTexts {
  /** UTF-8. */
  bytes: Uint8Array
  /** Where each text ends; it begins where the one before ends. */
  ends: Uint32Array
}

const packed = new WeakMap<Column, PackedTexts>()

/** A column like any other. Whoever knows `packedTextsOf` may take the bytes instead of the words. */
export function packedColumn(texts: PackedTexts): Column {
  let words: string[] | undefined
  let codes: Column['values'] | undefined
  const column: Column = {
    type: 'string',
    get values() {
      return (codes ??= codesUpTo(texts.ends.length))
    },
    get words() {
      return (words ??= unpacked(texts))
    },
  }
  packed.set(column, texts)
  return column
}

export function packedTextsOf(column: Column): PackedTexts | undefined {
  return packed.get(column)
}

function unpacked({ bytes, ends }: PackedTexts): string[] {
  const total = ends.length === 0 ? 0 : ends[ends.length - 1]
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  // Slices of one text where bytes and characters agree.
  const joined = buffer.toString('utf8', 0, total)
  const isAscii = joined.length === total
  const words = new Array<string>(ends.length)
  let from = 0
  for (let i = 0; i < ends.length; i++) {
    const to = ends[i]
    words[i] = isAscii ? joined.slice(from, to) : buffer.toString('utf8', from, to)
    from = to
  }
  return words
}

/** A word of its own for every row. */
function codesUpTo(count: number): Uint16Array | Uint32Array {
  const codes = count <= 0x1_0000 ? new Uint16Array(count) : new Uint32Array(count)
  for (let i = 0; i < count; i++) codes[i] = i
  return codes
}
