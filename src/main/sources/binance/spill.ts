// Messages that the log cannot take just now, on the disk in the order they came in, until it can: also over a restart.
// Files of limited size, so that what the log has taken since frees its room. After a crash the last batch that was
// handed out may be handed out again; its messages have the same ids, so readers drop them as repeats.
import { mkdir, open, readdir, readFile, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../../contract/failure.ts'
import { takeLockFile } from '../../base/lock-file.ts'
import type { Produced } from '../../log/message-log.ts'
import { countAt, decodeRecord, encodeRecord, recordSizeAt, type SpilledBatch } from './spill-record.ts'

export interface SpillOptions {
  folder: string
  /** On the disk at most; beyond it nothing more is taken. */
  maxBytes: number
  /** Bytes at a file's end that a crash has left half written, or that are damaged. */
  onDamage?: (file: string, bytes: number) => void
}

export interface Spill {
  /** Messages held. */
  count: () => number
  bytes: () => number
  /**
   * On the disk for good, whole, when it resolves, with the batch's number in this session; nothing when there is no
   * room. A disk that fails is UNAVAILABLE.
   */
  put: (topic: string, messages: Produced) => Promise<number | undefined>
  /** The oldest batch held; the same one until it is dropped. */
  first: () => Promise<(SpilledBatch & { number: number }) | undefined>
  drop: () => Promise<void>
  close: () => Promise<void>
}

interface Segment {
  number: number
  file: string
  /** Up to the end of the last whole record. */
  size: number
}

const SEGMENT_BYTES = 16 * 1024 * 1024
const NAME = /^(\d{8})\.spill$/
const POSITION_BYTES = 32

export async function createSpill({ folder, maxBytes, onDamage = () => {} }: SpillOptions): Promise<Spill> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lock = join(folder, 'lock')
  takeLockFile(lock, ({ pid }) => inUse(folder, pid))
  const position = await open(join(folder, 'position'), 'a+').then(async handle => {
    await handle.close()
    return open(join(folder, 'position'), 'r+')
  })
  const start = parsePosition((await position.readFile()).toString('latin1'))
  const segments: Segment[] = []
  /** Of the oldest segment, what has been dropped. */
  let dropped = 0
  let held = 0
  let putCount = 0
  let dropCount = 0
  let heldBytes = 0
  let next = start.number + 1
  let writing: { segment: Segment; handle: FileHandle } | undefined
  let reading: { segment: Segment; handle: FileHandle } | undefined
  let handedOut: { size: number; count: number } | undefined

  for (const name of (await readdir(folder)).filter(name => NAME.test(name)).sort()) {
    const segment = { number: Number(name.slice(0, 8)), file: join(folder, name), size: 0 }
    const bytes = await readFile(segment.file)
    const from = segment.number === start.number ? Math.min(start.at, bytes.length) : 0
    segment.size = from
    for (let size = recordSizeAt(bytes, from); size !== undefined; size = recordSizeAt(bytes, segment.size)) {
      held += countAt(bytes, segment.size)
      putCount++
      segment.size += size
    }
    if (segment.size < bytes.length) onDamage(segment.file, bytes.length - segment.size)
    if (segments.length === 0) dropped = from
    heldBytes += segment.size - from
    next = Math.max(next, segment.number + 1)
    segments.push(segment)
  }

  async function segmentFor(bytes: number): Promise<{ segment: Segment; handle: FileHandle }> {
    if (writing && writing.segment.size + bytes <= SEGMENT_BYTES) return writing
    await writing?.handle.close()
    writing = undefined
    const segment = { number: next++, file: '', size: 0 }
    segment.file = join(folder, `${String(segment.number).padStart(8, '0')}.spill`)
    const handle = await open(segment.file, 'wx', 0o600)
    segments.push(segment)
    return (writing = { segment, handle })
  }

  /** Goes on to the next file when all of one has been dropped. */
  async function leaveDropped(): Promise<void> {
    while (segments.length > 0 && dropped >= segments[0].size) {
      const [segment] = segments
      if (writing?.segment === segment) {
        if (segment.size === 0) return
        await writing.handle.close()
        writing = undefined
      }
      if (reading?.segment === segment) await reading.handle.close()
      reading = undefined
      segments.shift()
      dropped = 0
      await rm(segment.file, { force: true })
    }
  }

  async function readAt(at: number, size: number): Promise<Buffer> {
    const [segment] = segments
    if (reading?.segment !== segment) reading = { segment, handle: await open(segment.file, 'r') }
    const bytes = Buffer.allocUnsafe(size)
    await reading.handle.read(bytes, 0, size, at)
    return bytes
  }

  // One at a time, as both ends may be in the same file.
  let lastTurn: Promise<unknown> = leaveDropped()
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(act)
    lastTurn = turn.catch(() => {})
    return turn
  }

  return {
    count: () => held,
    bytes: () => heldBytes,
    put: (topic, messages) =>
      inTurn(async () => {
        const record = encodeRecord(topic, messages)
        if (heldBytes + record.length > maxBytes) return undefined
        try {
          const { segment, handle } = await segmentFor(record.length)
          // At its place, so that what failed half way is written over.
          await handle.write(record, 0, record.length, segment.size)
          await handle.datasync()
          segment.size += record.length
        } catch (cause) {
          throw cannotSpill(folder, cause)
        }
        held += messages.count
        heldBytes += record.length
        return putCount++
      }),
    first: () =>
      inTurn(async () => {
        if (held === 0) return undefined
        const size = (await readAt(dropped, 4)).readUInt32LE(0) + 4
        const record = await readAt(dropped, size)
        handedOut = { size, count: countAt(record, 0) }
        return { ...decodeRecord(record), number: dropCount }
      }),
    drop: () =>
      inTurn(async () => {
        if (!handedOut) return
        dropCount++
        dropped += handedOut.size
        held -= handedOut.count
        heldBytes -= handedOut.size
        handedOut = undefined
        const text = `${segments[0].number} ${dropped}`.padEnd(POSITION_BYTES - 1) + '\n'
        await position.write(text, 0, 'latin1')
        await leaveDropped()
      }),
    close: () =>
      inTurn(async () => {
        await writing?.handle.close()
        await reading?.handle.close()
        await position.close()
        await rm(lock, { force: true })
      }),
  }
}

/** One that cannot be read means the beginning of the oldest file. */
function parsePosition(text: string): { number: number; at: number } {
  const [, number = '0', at = '0'] = /^(\d+) (\d+) *\n$/.exec(text) ?? []
  return { number: Number(number), at: Number(at) }
}

function inUse(folder: string, pid: number): Failure {
  return new Failure(
    'FORBIDDEN',
    `Process ${pid} already takes data in with ${folder} as the place for what the log cannot take. Stop it, or choose another profile with --profile.`,
  )
}

function cannotSpill(folder: string, cause: unknown): Failure {
  const message = `The log does not take messages just now, and neither does the disk at ${folder}: ${(cause as Error).message}. Make room; what comes meanwhile is fetched afterwards where the exchange still has it.`
  return new Failure('UNAVAILABLE', message, { cause })
}
