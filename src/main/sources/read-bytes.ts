// The bytes of a file in chunks: plain, gzip or zstd, told by how it begins and not by its name.
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { Readable, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import { Failure } from '../../contract/failure.ts'
import { createXxhash64 } from '../base/xxhash64.ts'
import { walkFrames } from './zstd-frames.ts'

export interface Chunk {
  bytes: Buffer
  /** How far the file itself was read for this, compressed as it lies. */
  bytesRead: number
}

export type Compression = 'none' | 'gzip' | 'zstd'

/** What is parsed in one turn: DuckDB asks for its rows between turns, so larger ones leave it waiting. */
const CHUNK_BYTES = 64 * 1024
const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
]

/** Nothing is held but a chunk: neither the file nor what it decompresses to is ever in memory whole. */
export async function* readChunks(path: string, signal: AbortSignal): AsyncGenerator<Chunk> {
  const file = await open(path).catch((cause: unknown) => {
    throw cannotRead(path, cause)
  })
  try {
    const raw = rawChunks(path, file, signal)
    const first = await raw.next()
    if (first.done) return
    const compression = compressionOf(first.value.bytes)
    const all = prepend(first.value, raw)
    if (compression === 'none') yield* all
    else {
      const unzip = compression === 'gzip' ? zlib.createGunzip : createZstdDecompress
      yield* unzip ? unpack(path, compression, unzip({ chunkSize: CHUNK_BYTES }), all) : unzstd(path, all)
    }
  } finally {
    await file.close()
  }
}

export function compressionOf(head: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0] ?? 'none'
}

async function* rawChunks(path: string, file: FileHandle, signal: AbortSignal): AsyncGenerator<Chunk> {
  let bytesRead = 0
  // A chunk of its own each time: what was given out belongs to who took it.
  const readNext = () => file.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, null)
  let reading = readNext()
  try {
    for (;;) {
      signal.throwIfAborted()
      const { bytesRead: count, buffer } = await reading.catch((cause: unknown) => {
        throw cannotRead(path, cause)
      })
      if (count === 0) return
      // The disk works on the next one while this one is parsed.
      reading = readNext()
      bytesRead += count
      yield { bytes: buffer.subarray(0, count), bytesRead }
    }
  } finally {
    // The file may only be closed when nothing reads it any more.
    await reading.catch(() => {})
  }
}

async function* prepend(first: Chunk, rest: AsyncGenerator<Chunk>): AsyncGenerator<Chunk> {
  yield first
  yield* rest
}

async function* unpack(
  path: string,
  compression: Compression,
  unzip: Transform,
  chunks: AsyncIterable<Chunk>,
): AsyncGenerator<Chunk> {
  let bytesRead = 0
  async function* counted() {
    for await (const chunk of chunks) {
      bytesRead = chunk.bytesRead
      yield chunk.bytes
    }
  }
  const source = Readable.from(counted())
  let broken: unknown
  source.on('error', error => {
    broken = error
    unzip.destroy(error)
  })
  try {
    for await (const bytes of source.pipe(unzip)) yield { bytes: bytes as Buffer, bytesRead }
  } catch (cause) {
    throw broken === undefined ? cannotUnpack(path, compression, cause) : cause
  } finally {
    source.destroy()
    unzip.destroy()
  }
}

/** Node has it from 22.15 on. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform }

/** By fzstd, where Node has no zstd of its own. It does not look at the checksums of frames, so they are checked here. */
async function* unzstd(path: string, chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  const frames = walkFrames()
  let hash = createXxhash64()
  let unpacked: Buffer[] = []
  const unzip = new Decompress(bytes => {
    // fzstd goes on using its window, so what it shows has to be copied.
    if (bytes.length > 0) unpacked.push(Buffer.from(bytes))
    hash.update(bytes)
  })
  const push = (bytes: Uint8Array, isLast: boolean) => {
    try {
      unzip.push(bytes, isLast)
    } catch (cause) {
      throw cannotUnpack(path, 'zstd', cause)
    }
  }
  let bytesRead = 0
  for await (const chunk of chunks) {
    bytesRead = chunk.bytesRead
    for (let from = 0; from < chunk.bytes.length;) {
      const { to, frameEnds, checksum } = frames.advance(chunk.bytes, from)
      push(chunk.bytes.subarray(from, to), false)
      if (checksum !== undefined && checksum !== Number(hash.digest() & 0xffffffffn)) {
        throw cannotUnpack(path, 'zstd', new Error('the checksum behind it is of something else'))
      }
      if (frameEnds) hash = createXxhash64()
      from = to
    }
    for (const bytes of unpacked) yield { bytes, bytesRead }
    unpacked = []
  }
  push(new Uint8Array(0), true)
  for (const bytes of unpacked) yield { bytes, bytesRead }
}

function cannotUnpack(path: string, compression: Compression, cause: unknown): Failure {
  const { message } = cause as Error
  return new Failure(
    'CORRUPT',
    `${path} begins as ${compression} but cannot be unpacked: ${message}. It may have been cut off on its way; get it anew.`,
    { cause },
  )
}

/** What the operating system said, in words; the path is always named. */
export function cannotRead(path: string, cause: unknown): Failure {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT') return new Failure('NOT_FOUND', `There is no file ${path}.`, { cause })
  if (code === 'EACCES' || code === 'EPERM')
    return new Failure('FORBIDDEN', `${path} may not be read by this user; change its permissions.`, { cause })
  return new Failure('UNAVAILABLE', `${path} cannot be read: ${message}.`, { cause })
}
