// How blocks of Avro files are compressed. Iceberg's writers use deflate unless they are told otherwise.
import { inflateRawSync } from 'node:zlib'
import { decompress as decompressZstd } from 'fzstd'
import { Failure } from '../../../contract/failure.ts'
import { malformed } from '../../market/decode-primitives.ts'
import { decompressSnappy } from './snappy.ts'

/** What a block may grow to: far above any writer's, far below what would take the process down. */
const MAX_BYTES = 2 ** 28
const CRC_BYTES = 4

export function decompress(codec: string, bytes: Buffer): Buffer {
  switch (codec) {
    case 'null':
      return bytes
    case 'deflate':
      return inflateRawSync(bytes, { maxOutputLength: MAX_BYTES })
    case 'snappy':
      return decompressSnappy(bytes.subarray(0, Math.max(0, bytes.length - CRC_BYTES)), MAX_BYTES)
    case 'zstandard':
      return zstd(bytes)
    default:
      throw new Failure('INVALID_INPUT', `it is compressed by ${codec}, which K2 does not read`)
  }
}

function zstd(bytes: Buffer): Buffer {
  if (zstdSize(bytes) > MAX_BYTES) malformed('a block too large')
  const plain = decompressZstd(bytes)
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
}

/** The content's size as the frame's header claims it, 0 where it says nothing. */
function zstdSize(bytes: Buffer): number {
  const descriptor = bytes[4] ?? 0
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]
  const width = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag
  if (width === 0 || at + width > bytes.length) return 0
  return width === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, width)
}
