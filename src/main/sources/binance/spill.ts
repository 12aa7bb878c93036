// Messages that the log cannot take just now, on the disk in the order they came in, until it can: also over a restart.
// Files of limited size, so that what the log has taken since frees its room. After a crash the last batch that was
// handed out may be handed out again; its messages have the same ids, so readers drop them as repeats. What the disk has
// damaged is told and left out: it is never handed out, and what is behind it is.
import { constants, existsSync } from 'node:fs'
import { mkdir, open as openFile, readdir, readFile, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../../contract/failure.ts'
import { takeLockFile } from '../../base/lock-file.ts'
import type { Produced } from '../../log/message-log.ts'
import { decodeRecord, encodeRecord, findRecords, recordSizeAt, type SpilledBatch } from './spill-record.ts'

export interface SpillOptions {
  folder: string
  /** On the disk at most; beyond it nothing more is taken. */
  maxBytes: number
  onDamage?: (damage: SpillDamage) => void
  /** For tests that let the disk be full. */
  open?: typeof openFile
}

export interface SpillDamage {
  file: string
  bytes: number
  /** That are lost by it; not known of what an earlier run has put there. */
  messages?: number
  /** Nothing whole is behind it, as after a crash. */
  isEnd: boolean
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
  /** Of what `first` gave last. When the disk fails it is UNAVAILABLE, and the batch is held as before. */
  drop: () => Promise<void>
  close: () => Promise<void>
}

interface Segment {
  number: number
  file: string
  /** Up to the end of the last whole record. */
  size: number
  /** Of the records that are not dropped: where each begins, and how many messages it holds. */
  starts: number[]
  counts: number[]
}

const SEGMENT_BYTES = 16 * 1024 * 1024
const NAME = /^(\d{8})\.spill$/
const POSITION_BYTES = 32

/** A disk that fails, or has no room for the little that this needs, is UNAVAILABLE. */
export async function createSpill(options: SpillOptions): Promise<Spill> {
  const { folder } = options
  const lock = join(folder, 'lock')
  let isLocked = false
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    takeLockFile(lock, ({ pid }) => inUse(folder, pid))
    isLocked = true
    return await openSpill(options, lock)
  } catch (cause) {
    if (isLocked) await rm(lock, { force: true })
    throw cause instanceof Failure ? cause : cannotOpen(folder, cause)
  }
}

async function openSpill(options: SpillOptions, lock: string): Promise<Spill> {
  const { folder, maxBytes, onDamage = () => {}, open = openFile } = options
  const positionFile = join(folder, 'position')
  const positionText = existsSync(positionFile) ? await readFile(positionFile, 'latin1') : ''
  const start = parsePosition(positionText)
  const segments: Segment[] = []
  let held = 0
  let putCount = 0
  /** Dropped, or left out as damaged. */
  let passedCount = 0
  let next = start.number + 1
  let writing: { segment: Segment; handle: FileHandle } | undefined
  let reading: { segment: Segment; handle: FileHandle } | undefined
  let isHandedOut = false

  for (const name of (await readdir(folder)).filter(name => NAME.test(name)).sort()) {
    const [number, file] = [Number(name.slice(0, 8)), join(folder, name)]
    const bytes = await readFile(file)
    const from = number === start.number ? Math.min(start.at, bytes.length) : 0
    const { starts, counts, end, damaged } = findRecords(bytes, from)
    for (const damage of damaged) onDamage({ file, ...damage })
    held += sumOf(counts)
    putCount += counts.length
    next = Math.max(next, number + 1)
    segments.push({ number, file, size: end, starts, counts })
  }

  const position = await open(positionFile, constants.O_RDWR | constants.O_CREAT, 0o600)
  // Of its full size from the beginning: a disk that is full afterwards still takes what is written over it.
  if (positionText.length < POSITION_BYTES)
    await writeAll(position, encodePosition(start), 0).catch(async (error: unknown) => {
      await position.close()
      throw error
    })

  const firstByteOf = ({ starts, size }: Segment) => starts[0] ?? size
  const heldBytes = () => sumOf(segments.map(segment => segment.size - firstByteOf(segment)))

  async function segmentFor(bytes: number): Promise<{ segment: Segment; handle: FileHandle }> {
    if (writing && (writing.segment.size === 0 || writing.segment.size + bytes <= SEGMENT_BYTES)) return writing
    const before = writing
    writing = undefined
    await before?.handle.close()
    const number = next++
    const file = join(folder, `${String(number).padStart(8, '0')}.spill`)
    const segment = { number, file, size: 0, starts: [], counts: [] }
    const handle = await open(file, 'wx', 0o600)
    segments.push(segment)
    return (writing = { segment, handle })
  }

  async function removeOldest(): Promise<void> {
    const [segment] = segments
    if (writing?.segment === segment) {
      const { handle } = writing
      writing = undefined
      await handle.close()
    }
    if (reading?.segment === segment) {
      const { handle } = reading
      reading = undefined
      await handle.close()
    }
    await rm(segment.file, { force: true })
    segments.shift()
  }

  /** What has no record left, unless it is the file where the next one goes. */
  async function removeEmpty(): Promise<void> {
    while (segments.length > 0 && segments[0].starts.length === 0) {
      if (writing?.segment === segments[0] && segments[0].size === 0) return
      await removeOldest()
    }
  }

  /** Nothing when it does not stand on the disk as it was put there. */
  async function readRecord(segment: Segment, index: number): Promise<Buffer | undefined> {
    if (reading?.segment !== segment) reading = { segment, handle: await open(segment.file, 'r') }
    const start = segment.starts[index]
    const bytes = await readUpTo(reading.handle, start, (segment.starts[index + 1] ?? segment.size) - start)
    const size = recordSizeAt(bytes, 0)
    return size === undefined ? undefined : bytes.subarray(0, size)
  }

  /** The oldest record that is whole; those before it are told and left out. */
  async function firstWholeOf(segment: Segment): Promise<Buffer | undefined> {
    let damaged = 0
    let record: Buffer | undefined
    while (damaged < segment.starts.length && !(record = await readRecord(segment, damaged))) damaged++
    if (damaged === 0) return record
    const begin = firstByteOf(segment)
    const messages = pass(segment, damaged)
    onDamage({ file: segment.file, bytes: firstByteOf(segment) - begin, messages, isEnd: false })
    return record
  }

  async function oldestWhole(): Promise<Buffer | undefined> {
    for (;;) {
      await removeEmpty()
      if (held === 0) return undefined
      const record = await firstWholeOf(segments[0])
      if (record) return record
    }
  }

  function pass(segment: Segment, records: number): number {
    segment.starts.splice(0, records)
    const messages = sumOf(segment.counts.splice(0, records))
    held -= messages
    passedCount += records
    return messages
  }

  // One at a time, as both ends may be in the same file.
  let lastTurn: Promise<unknown> = Promise.resolve()
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(act)
    lastTurn = turn.catch(() => {})
    return turn
  }

  return {
    count: () => held,
    bytes: heldBytes,
    put: (topic, messages) =>
      inTurn(async () => {
        const record = encodeRecord(topic, messages)
        if (heldBytes() + record.length > maxBytes) return undefined
        try {
          const { segment, handle } = await segmentFor(record.length)
          await writeSynced(handle, record, segment.size)
          segment.starts.push(segment.size)
          segment.counts.push(messages.count)
          segment.size += record.length
        } catch (cause) {
          throw cannotSpill(folder, cause)
        }
        held += messages.count
        return putCount++
      }),
    first: () =>
      inTurn(async () => {
        isHandedOut = false
        const record = await oldestWhole().catch((cause: unknown) => {
          throw cannotRead(folder, cause)
        })
        if (!record) return undefined
        isHandedOut = true
        return { ...decodeRecord(record), number: passedCount }
      }),
    drop: () =>
      inTurn(async () => {
        if (!isHandedOut) return
        const [segment] = segments
        const [, next] = segment.starts
        try {
          // That a file is gone says as much as a note, and needs no room.
          if (next === undefined) await removeOldest()
          else await writeAll(position, encodePosition({ number: segment.number, at: next }), 0)
        } catch (cause) {
          throw cannotDrop(folder, cause)
        }
        isHandedOut = false
        pass(segment, 1)
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

/** All of it and for good, or nothing: what a disk that fills has taken of it is cut off, so that its room is free. */
async function writeSynced(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  try {
    await writeAll(handle, bytes, at)
    await handle.datasync()
  } catch (error) {
    // Where not even that works, the next one is written over it.
    await handle.truncate(at).catch(() => {})
    throw error
  }
}

/** A disk that fills takes a part without an error, and refuses the rest. */
async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let written = 0; written < bytes.length;)
    written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten
}

/** Less when the file ends before. */
async function readUpTo(handle: FileHandle, at: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  for (let read = 0; read < size;) {
    const { bytesRead } = await handle.read(bytes, read, size - read, at + read)
    if (bytesRead === 0) return bytes.subarray(0, read)
    read += bytesRead
  }
  return bytes
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)

/** Of a file, where the first record begins that is not dropped. */
interface Position {
  number: number
  at: number
}

function encodePosition({ number, at }: Position): Buffer {
  return Buffer.from(`${number} ${at}`.padEnd(POSITION_BYTES - 1) + '\n')
}

/** One that cannot be read means the beginning of the oldest file. */
function parsePosition(text: string): Position {
  const [, number = '0', at = '0'] = /^(\d+) (\d+) *\n$/.exec(text) ?? []
  return { number: Number(number), at: Number(at) }
}

function inUse(folder: string, pid: number): Failure {
  return new Failure(
    'FORBIDDEN',
    `Process ${pid} already takes data in with ${folder} as the place for what the log cannot take. Stop it, or choose another profile with --profile.`,
  )
}

function cannotOpen(folder: string, cause: unknown): Failure {
  const message = `What the log cannot take is to go to the disk at ${folder}, which does not take it: ${(cause as Error).message}. Make room, and start again.`
  return new Failure('UNAVAILABLE', message, { cause })
}

function cannotSpill(folder: string, cause: unknown): Failure {
  const message = `What the log has not taken is to go to the disk at ${folder}, which does not take it either: ${(cause as Error).message}. Make room; what comes meanwhile is fetched afterwards where the exchange still has it.`
  return new Failure('UNAVAILABLE', message, { cause })
}

function cannotRead(folder: string, cause: unknown): Failure {
  const message = `What the log has not taken is on the disk at ${folder}, which does not give it back: ${(cause as Error).message}. It stays there, and is tried again.`
  return new Failure('UNAVAILABLE', message, { cause })
}

function cannotDrop(folder: string, cause: unknown): Failure {
  const message = `The disk at ${folder} does not let go of what the log has taken from it: ${(cause as Error).message}. Make room; it is tried again.`
  return new Failure('UNAVAILABLE', message, { cause })
}
