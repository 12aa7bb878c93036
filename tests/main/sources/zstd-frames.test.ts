import { describe, expect, it } from 'vitest'
import { walkFrames } from '../../../src/main/sources/zstd-frames.ts'
import { zstd } from '../../support/csv-files.ts'

/** `zstd -19` of a few words, with a checksum; the last four bytes are it. */
const CHECKED = Buffer.from('KLUv/SQLWQAAZmV3IHdvcmRzLi6NtLtM', 'base64')
const SKIPPABLE = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

function endsOf(bytes: Uint8Array, pieceBytes: number): { at: number; checksum?: number }[] {
  const frames = walkFrames()
  const ends: { at: number; checksum?: number }[] = []
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const piece = bytes.subarray(start, start + pieceBytes)
    for (let from = 0; from < piece.length;) {
      const { to, frameEnds, checksum } = frames.advance(piece, from)
      if (frameEnds) ends.push({ at: start + to, checksum })
      from = to
    }
  }
  return ends
}

describe('frames of zstd', () => {
  it('are told apart however the bytes are cut', () => {
    const plain = zstd(Buffer.from('stored as it is'))
    const bytes = Buffer.concat([CHECKED, plain, SKIPPABLE, CHECKED])
    const checksum = CHECKED.readUInt32LE(CHECKED.length - 4)
    const expected = [
      { at: CHECKED.length, checksum },
      { at: CHECKED.length + plain.length, checksum: undefined },
      { at: bytes.length, checksum },
    ]
    for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++)
      expect({ pieceBytes, ends: endsOf(bytes, pieceBytes) }).toEqual({ pieceBytes, ends: expected })
  })

  it('end nowhere in bytes that are none, or not whole', () => {
    expect(endsOf(Buffer.from('symbol,price\nBHP,1\n'), 5)).toEqual([])
    expect(endsOf(CHECKED.subarray(0, -1), 5)).toEqual([])
  })
})
