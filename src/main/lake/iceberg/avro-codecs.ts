// How blocks of Avro files are compressed. Iceberg's writers use deflate unless they are told otherwise.
import { inflateRawSync } from 'node:zlib'
import { Decompress } from 'fzstd'
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

/** As a stream: a few bytes may stand for any number, and only a stream can be stopped. */
function zstd(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = []
  let total = 0
  const stream = new Decompress(part => {
    total += part.length
    if (total > MAX_BYTES) malformed('a block too large')
    parts.push(part)
  })
  stream.push(bytes, true)
  return Buffer.concat(parts)
}
