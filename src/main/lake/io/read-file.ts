// A file of this machine, whole or in part, in as few steps as it takes: planning reads hundreds of small ones. Tried
// with 55 of 7 kB, 16 at a time, on a busy machine: Node's file handles 4.3 ms, fewer steps without their objects 1.1.
import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { throwIfCancelled } from '../../base/cancelled.ts'
import { endsBefore } from './disk-failure.ts'
import type { Range } from './file-io.ts'

const nodeCalls = {
  open: promisify(fs.open) as (path: string, flags: string) => Promise<number>,
  fstat: promisify(fs.fstat) as (file: number) => Promise<{ size: number }>,
  read: promisify(fs.read) as unknown as ReadCall,
}
type ReadCall = (file: number, into: Buffer, at: number, length: number, from: number) => Promise<{ bytesRead: number }>
/** What is asked of the system, so that a test can let a file change meanwhile. */
export type ReadCalls = typeof nodeCalls

/** Most files are shorter, and then nobody asks how long they are. */
const FIRST_BYTES = 16 * 1024
/** One read takes at most 2 GiB - 1. */
const MAX_READ = 1 << 30

export async function readFile(
  path: string,
  location: string,
  range?: Range,
  signal?: AbortSignal,
  calls: ReadCalls = nodeCalls,
): Promise<Buffer> {
  const file = await calls.open(path, 'r')
  try {
    if (range) {
      const end = range.start + range.length
      const { size } = await calls.fstat(file)
      if (end > size) throw endsBefore(location, size, end)
      return await fill(Buffer.allocUnsafeSlow(range.length), 0, range.start)
    }
    const first = Buffer.allocUnsafe(FIRST_BYTES)
    const { bytesRead } = await calls.read(file, first, 0, FIRST_BYTES, 0)
    const size = bytesRead < FIRST_BYTES ? bytesRead : (await calls.fstat(file)).size
    if (size < bytesRead) throw endsBefore(location, size, bytesRead)
    // A copy of the right size: what is decoded from it may be kept for long.
    const bytes = Buffer.allocUnsafeSlow(size)
    first.copy(bytes, 0, 0, bytesRead)
    return await fill(bytes, bytesRead, 0)
  } finally {
    fs.close(file, () => {}) // nobody waits for that
  }

  async function fill(bytes: Buffer, filled: number, start: number): Promise<Buffer> {
    while (filled < bytes.length) {
      throwIfCancelled(signal)
      const length = Math.min(bytes.length - filled, MAX_READ)
      const { bytesRead } = await calls.read(file, bytes, filled, length, start + filled)
      if (bytesRead === 0) throw endsBefore(location, start + filled, start + bytes.length)
      filled += bytesRead
    }
    return bytes
  }
}
