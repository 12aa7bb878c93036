// A journal: records appended to files in a folder, each there as soon as it was written, the oldest files removed as a whole.
// Guarantee: when `append` has returned, the record outlives this process, however that ends. It outlives the machine's
// losing power when `sync` ran after it, which it does every second.
import * as nodeFiles from 'node:fs'
import { join } from 'node:path'
import { takeLockFile } from '../base/lock-file.ts'
import { Failure } from '../../contract/failure.ts'
import { damagedRecord, nextRecordAfter, readRecords, recordOf, type JournalRecord } from './journal-record.ts'

export interface JournalOptions {
  folder: string
  /** A file this large is followed by another. */
  fileBytes: number
  /** Beyond it the oldest files go, needed or not. */
  maxBytes: number
  /** Once for each file in the order they were written, at the opening. */
  onRecords: (run: JournalRun) => void
  /** What was found damaged, and where it was put. */
  onDamage: (why: string) => void
  /** What stands in the place of a damaged record, of the same size, when those after it make sense with it. */
  mend?: (damaged: JournalRecord) => JournalRecord | undefined
  /** Records were cut off behind a damaged one: they were given out, and are out of reach. */
  onCut?: () => void
  /** For tests that let the disk be full. */
  files?: Pick<typeof nodeFiles, 'writeSync' | 'ftruncateSync'>
}

export interface JournalRun {
  records: JournalRecord[]
  /** What came before these, and was perhaps given out already, is out of reach. */
  isAfterDamage: boolean
}

export interface Journal {
  /** All of it or nothing: UNAVAILABLE when the disk does not take it, and the next may be tried. */
  append: (record: Buffer) => void
  /** The next record should begin a new file. */
  isFull: () => boolean
  /** Begins a new file with a record that tells all that is to be known of those before. */
  begin: (head: Buffer) => void
  /**
   * Removes the oldest files, as long as the head of the file after one says that nothing in it is needed; where there are
   * too many, also others, if nothing in them is held.
   */
  trim: (isOutlived: (nextHead: JournalRecord) => boolean, isHeld: (nextHead: JournalRecord) => boolean) => void
  bytes: () => number
  /** Of the file behind the oldest: it tells what that one has. */
  secondHead: () => JournalRecord | undefined
  close: () => void
}

interface JournalFile {
  path: string
  number: number
  bytes: number
  head: JournalRecord
}

const SUFFIX = '.journal'
const SYNC_MS = 1_000

export function openJournal(options: JournalOptions): Journal {
  const { folder, fileBytes, maxBytes, files: disk = nodeFiles } = options
  nodeFiles.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = join(folder, 'lock')
  takeLockFile(lock, ({ pid }) => inUse(folder, pid))
  let fd: number | undefined
  let isDirty = false
  let isSyncing = false
  let hasTornTail = false
  const files: JournalFile[] = []
  try {
    files.push(...readFiles(options))
    const last = files.at(-1)
    if (last) fd = nodeFiles.openSync(last.path, 'r+')
    if (last) nodeFiles.ftruncateSync(fd!, last.bytes)
  } catch (error) {
    nodeFiles.rmSync(lock, { force: true })
    throw error
  }
  const timer = setInterval(sync, SYNC_MS)
  timer.unref()

  function append(record: Buffer): void {
    const file = files.at(-1)!
    let written = 0
    try {
      cutTornTail()
      while (written < record.length) {
        hasTornTail = true
        written += disk.writeSync(fd!, record, written, record.length - written, file.bytes + written)
      }
      hasTornTail = false
    } catch (error) {
      try {
        cutTornTail()
      } catch {
        // Tried again before the next record, which is refused unless it works.
      }
      throw notWritten(folder, error)
    }
    file.bytes += record.length
    isDirty = true
  }

  function cutTornTail(): void {
    if (hasTornTail) disk.ftruncateSync(fd!, files.at(-1)!.bytes)
    hasTornTail = false
  }

  function sync(): void {
    if (!isDirty || isSyncing || fd === undefined) return
    isDirty = false
    isSyncing = true
    nodeFiles.fdatasync(fd, () => (isSyncing = false))
  }

  function begin(head: Buffer): void {
    const number = (files.at(-1)?.number ?? 0) + 1
    const path = join(folder, `${String(number).padStart(12, '0')}${SUFFIX}`)
    const before = fd
    const tornBefore = hasTornTail
    try {
      cutTornTail()
      fd = nodeFiles.openSync(path, 'w', 0o600)
    } catch (error) {
      throw notWritten(folder, error)
    }
    files.push({ path, number, bytes: 0, head: readRecords(head).records[0] })
    try {
      append(head)
    } catch (error) {
      nodeFiles.closeSync(fd)
      nodeFiles.rmSync(path, { force: true })
      files.pop()
      fd = before
      hasTornTail = tornBefore
      throw error
    }
    if (before !== undefined) nodeFiles.fdatasync(before, () => nodeFiles.close(before, () => {}))
  }

  const bytes = () => files.reduce((sum, file) => sum + file.bytes, 0)

  return {
    append,
    isFull: () => files.length === 0 || files[files.length - 1].bytes >= fileBytes,
    begin,
    trim(isOutlived, isHeld) {
      const mayGo = ({ head }: JournalFile) => isOutlived(head) || (bytes() > maxBytes && !isHeld(head))
      while (files.length > 1 && mayGo(files[1])) nodeFiles.rmSync(files.shift()!.path, { force: true })
    },
    bytes,
    secondHead: () => files[1]?.head,
    close() {
      clearInterval(timer)
      if (fd !== undefined) {
        nodeFiles.fsyncSync(fd)
        nodeFiles.closeSync(fd)
      }
      fd = undefined
      nodeFiles.rmSync(lock, { force: true })
    },
  }
}

/**
 * The files that follow each other without a hole and are whole, up to the newest; the newest may end in a torn record.
 * What is before a hole or a damaged place is put aside, as if it had become too old: never jumped over.
 */
function readFiles(options: JournalOptions): JournalFile[] {
  const { folder, onRecords, onDamage } = options
  const names = nodeFiles.readdirSync(folder).filter(name => name.endsWith(SUFFIX))
  const found = names.map(name => ({ number: Number.parseInt(name, 10), path: join(folder, name) }))
  found.sort((a, b) => a.number - b.number)
  let files: JournalFile[] = []
  let isAfterDamage = false
  const putAside = (why: string) => {
    for (const { path } of files) nodeFiles.renameSync(path, `${path}.damaged`)
    files = []
    isAfterDamage = true
    onDamage(why)
  }
  for (const { number, path } of found) {
    const before = files.at(-1)
    const isLast = number === found[found.length - 1].number
    if (before && number !== before.number + 1)
      putAside(`Files between ${before.path} and ${path} are missing; what is before them is out of reach.`)
    const bytes = nodeFiles.readFileSync(path)
    const { records, end } = readRecords(bytes)
    if (records.length === 0 && isLast && nextRecordAfter(bytes, 0) !== undefined) {
      nodeFiles.renameSync(path, `${path}.damaged`)
      onDamage(`${path} is damaged at its beginning; what it held is out of reach, in ${path}.damaged.`)
      options.onCut?.()
      break
    }
    if (records.length === 0 && isLast) {
      // Begun and not finished: its first record never counted.
      nodeFiles.rmSync(path)
      break
    }
    if (records.length > 0) files.push({ path, number, bytes: end, head: copyOf(records[0]) })
    if (end < bytes.length && !isLast) {
      if (records.length === 0) nodeFiles.renameSync(path, `${path}.damaged`)
      putAside(`${path} is damaged at byte ${end}; what it held and all before is out of reach, in files *.damaged.`)
      continue
    }
    onRecords({ records, isAfterDamage })
    isAfterDamage = false
    files[files.length - 1].bytes = readBehindDamage(options, path, bytes, end)
  }
  return files
}

/**
 * A record that a killed process left half written has nothing behind it. One that has was whole once, and has rotted: those
 * behind it are read when it can be mended, and cut off otherwise. Gives where the file ends.
 */
function readBehindDamage(options: JournalOptions, path: string, bytes: Buffer, damagedAt: number): number {
  const { onRecords, onDamage, mend, onCut } = options
  let end = damagedAt
  for (let next = nextRecordAfter(bytes, end); next !== undefined; next = nextRecordAfter(bytes, end)) {
    const aside = `${path}.damaged`
    if (end === damagedAt) nodeFiles.copyFileSync(path, aside)
    const damaged = damagedRecord(bytes, end, next)
    const instead = damaged && mend?.(damaged)
    if (!instead) {
      onDamage(`${path} is damaged at byte ${end}; what came after is out of reach, in ${aside}.`)
      onCut?.()
      return end
    }
    onDamage(`${path} is damaged at byte ${end}; what is there and all before is out of reach, in ${aside}.`)
    bytes.set(recordOf(instead.type, instead.payload), end)
    nodeFiles.writeFileSync(path, bytes)
    const rest = readRecords(bytes, end)
    onRecords({ records: rest.records, isAfterDamage: false })
    end = rest.end
  }
  return end
}

/** So that the whole file's memory is not kept for it. */
function copyOf({ type, payload }: JournalRecord): JournalRecord {
  return { type, payload: Buffer.from(payload) }
}

function inUse(folder: string, pid: number): Failure {
  const message = `The log in ${folder} is in use by process ${pid}. Stop that, or use it with --connect.`
  return new Failure('CONFLICT', message, { details: { folder, pid } })
}

const FULL: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full',
  EDQUOT: 'The disk quota is used up',
  EFBIG: 'The file is as large as is allowed',
}

function notWritten(folder: string, cause: unknown): Failure {
  const { code = '', message } = cause as NodeJS.ErrnoException
  const what = FULL[code] ?? `The disk does not take it (${message})`
  const text = `${what}: nothing of these messages was taken into the log in ${folder}. Make room and send them again.`
  return new Failure('UNAVAILABLE', text, { cause })
}
