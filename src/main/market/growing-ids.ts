// Ids in the making: the bytes they are, end to end, and never a string.
import { viewOf, type Cursor } from './decode-primitives.ts'
import { fits, handedOver, wholeOf, withRoom, type Part, type SetNull } from './growing-part.ts'
import { packedColumn, packedTextsOf } from './packed-texts.ts'

/** Of an id, before it is known how long they are. */
const FIRST_ID_BYTES = 32
/** After the texts, so that they need not be copied once more where they are read in words of four bytes. */
const SPARE_BYTES = 16

/** A row's text begins where that of the row before ends, so a row that is read again takes the place of the last try. */
export function idsPart(none: SetNull): Part {
  let bytes: Buffer = Buffer.alloc(0)
  let view = viewOf(bytes)
  let ends: Uint32Array = new Uint32Array(0)
  let bytesOfId = FIRST_ID_BYTES
  let spare: { bytes: Buffer; ends: Uint32Array } | undefined

  function allocate(size: number): void {
    const larger = bytes.length === 0 && fits(spare?.bytes, size) ? spare.bytes : Buffer.allocUnsafeSlow(size)
    larger.set(bytes)
    bytes = larger
    view = viewOf(bytes)
  }
  const startOf = (row: number) => (row === 0 ? 0 : ends[row - 1])

  /** Where the row's text of so many bytes begins; there is room for three more. */
  function open(row: number, size: number): number {
    const at = startOf(row)
    ends[row] = at + size
    if (at + size + SPARE_BYTES > bytes.length) allocate(Math.max(at + size + SPARE_BYTES, bytes.length * 2))
    return at
  }

  /** In words of four bytes, the last one up to three too long: what comes next is written over them. */
  function take({ bytes: source, view: words, from, to }: Cursor, row: number): void {
    const at = open(row, to - from) - from
    if (to + 3 > source.length) return copy(source, from, to, at)
    for (let i = from; i < to; i += 4) view.setInt32(at + i, words.getInt32(i, true), true)
  }

  function copy(source: Uint8Array, from: number, to: number, shift: number): void {
    for (let i = from; i < to; i++) bytes[shift + i] = source[i]
  }

  return {
    sink: {
      take,
      none(row) {
        ends[row] = startOf(row)
        none(row)
      },
    },
    values: () => ends,
    textAt: row => bytes.toString('utf8', startOf(row), ends[row]),
    putText: (row, text) => copy(text, 0, text.length, open(row, text.length)),
    grow(rows) {
      ends = withRoom(ends, spare?.ends, rows)
      if (bytes.length === 0) allocate(rows * bytesOfId + SPARE_BYTES)
      spare = undefined
    },
    move(from, to) {
      const [start, end] = [startOf(from), ends[from]]
      copy(bytes, start, end, open(to, end - start) - start)
    },
    bytes: rowCount => rowCount * 4 + (rowCount === 0 ? 0 : ends[rowCount - 1]),
    finish(rowCount) {
      // As long as those that went before, so that what is allocated is neither copied nor left empty.
      if (rowCount > 0) bytesOfId = Math.ceil(ends[rowCount - 1] / rowCount)
      const column = packedColumn({ bytes, ends: handedOver(ends, rowCount) })
      bytes = Buffer.alloc(0)
      ends = new Uint32Array(0)
      return column
    },
    reuse(column) {
      const { bytes, ends } = packedTextsOf(column)!
      spare = { bytes: Buffer.from(bytes.buffer), ends: wholeOf(ends) }
    },
  }
}
