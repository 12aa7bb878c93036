// The CRC-32 of a file on this machine, read through one buffer whatever its size.
import { open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

const BUFFER_BYTES = 2 ** 20

export async function checksumOf(path: string, signal?: AbortSignal): Promise<number> {
  const file = await open(path)
  try {
    const buffer = Buffer.allocUnsafe(BUFFER_BYTES)
    for (let sum = 0; ;) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(buffer, 0, BUFFER_BYTES, null)
      if (bytesRead === 0) return sum
      sum = crc32(buffer.subarray(0, bytesRead), sum)
    }
  } finally {
    await file.close()
  }
}
