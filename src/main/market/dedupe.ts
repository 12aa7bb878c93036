// Repeats within a window: a message that came before, to the letter, not long ago in its partition. Alike in tail and
// writer, and whatever was read in one go, as it depends on nothing but the messages of the partition before it.
import type { Fingerprint } from './fingerprint.ts'

export interface DedupeOptions {
  /** Of the log's own time; 0 finds no repeats. */
  minutes: number
  /**
   * The window holds so many of a partition's last messages at most, so that it cannot fill the memory: of 30 partitions
   * they are 6 million, in 130 MB. One number for each partition and not one for all, else what one partition forgets
   * would depend on what came in between from the others.
   */
  rowsPerPartition?: number
}

export interface Dedupe {
  /**
   * Whether the same fingerprint came before within the window of the partition; remembers it. `place` is a small
   * number that stands for the partition. A repeat is remembered too: whether a message is one can then be told from
   * the window before it alone.
   *
   * The time of a partition is the highest its messages have had so far, so a clock that is set back shortens no window.
   * Reading again from the first message that is not older than the window before the last one gives the same state.
   */
  isRepeat(place: number, fingerprint: Fingerprint, logMicros: number): boolean
  /**
   * The same for messages one after the other: `marks` gets 1 for a repeat and 0 for any other. Gives the number of
   * repeats. Fingerprints are pairs, low half first.
   */
  markRepeats(place: number, prints: Int32Array, logMicros: Float64Array, count: number, marks: Uint8Array): number
  /** Messages remembered. */
  size(): number
  bytes(): number
}

/** One partition's last messages: a ring, and chains through it by bucket, newest first. */
interface Window {
  /** Four words a message: fingerprint, time in milliseconds modulo 2^32, number of the one before it in its bucket. */
  ring: Uint32Array
  /** By bucket, the number of its newest message. A number below `first` is of a message that has left. */
  newest: Uint32Array
  /** Number and place in the ring of the oldest message. Numbers begin at 1. */
  first: number
  firstSlot: number
  held: number
  latestMillis: number
  seen: number
}

const ROWS_PER_PARTITION = 200_000
const FIRST_ROWS = 256
const WORDS = 4
const [LOW, HIGH, TIME, BEFORE] = [0, 1, 2, 3] as const
/** Times of one window differ by less than 2^31 milliseconds. */
const MOST_MINUTES = 35_000
/** Numbers start anew when they have reached so many times the size of the ring. */
const RENUMBER_AFTER = 64

export function createDedupe({ minutes, rowsPerPartition = ROWS_PER_PARTITION }: DedupeOptions): Dedupe {
  const windowMillis = Math.min(minutes, MOST_MINUTES) * 60_000
  const windows: (Window | undefined)[] = []
  const sum = (of: (window: Window) => number) =>
    windows.reduce((total, window) => total + (window ? of(window) : 0), 0)

  const windowAt = (place: number) => (windows[place] ??= createWindow(Math.min(FIRST_ROWS, rowsPerPartition)))

  function take(window: Window, low: number, high: number, logMicros: number): boolean {
    forget(window, Math.floor(logMicros / 1000), windowMillis)
    const isRepeat = holds(window, low, high)
    if (window.held === capacityOf(window)) makeRoom(window, rowsPerPartition)
    if (window.first > capacityOf(window) * RENUMBER_AFTER) rebuild(window, capacityOf(window))
    add(window, low, high)
    return isRepeat
  }

  return {
    isRepeat: (place, { low, high }, logMicros) => windowMillis > 0 && take(windowAt(place), low, high, logMicros),
    markRepeats(place, prints, logMicros, count, marks) {
      marks.fill(0, 0, count)
      if (windowMillis === 0) return 0
      const window = windowAt(place)
      fetchAhead(window, prints, count)
      let repeats = 0
      for (let i = 0; i < count; i++)
        if (take(window, prints[2 * i], prints[2 * i + 1], logMicros[i])) {
          marks[i] = 1
          repeats++
        }
      return repeats
    },
    size: () => sum(({ held }) => held),
    bytes: () => sum(({ ring, newest }) => ring.byteLength + newest.byteLength),
  }
}

function createWindow(rows: number): Window {
  return { ...emptyRing(rows), first: 1, firstSlot: 0, held: 0, latestMillis: -Infinity, seen: 0 }
}

function emptyRing(rows: number) {
  const buckets = 2 ** Math.ceil(Math.log2(rows))
  return { ring: new Uint32Array(rows * WORDS), newest: new Uint32Array(buckets) }
}

function capacityOf({ ring }: Window): number {
  return ring.length / WORDS
}

/** Lets go what is a whole window older than the newest; a millisecond less is still in it. */
function forget(window: Window, millis: number, windowMillis: number): void {
  if (!(millis > window.latestMillis)) return
  if (millis - window.latestMillis >= windowMillis) drop(window, window.held)
  window.latestMillis = millis
  const { ring } = window
  while (window.held > 0 && (millis - ring[window.firstSlot * WORDS + TIME]) >>> 0 >= windowMillis) drop(window, 1)
}

function drop(window: Window, count: number): void {
  window.firstSlot = slotOf(window, window.first + count)
  window.first += count
  window.held -= count
}

function slotOf({ first, firstSlot, ring }: Window, number: number): number {
  const slot = firstSlot + number - first
  return slot * WORDS >= ring.length ? slot - ring.length / WORDS : slot
}

function holds(window: Window, low: number, high: number): boolean {
  const { ring, newest, first } = window
  const [wantedLow, wantedHigh] = [low >>> 0, high >>> 0]
  let number = newest[low & (newest.length - 1)]
  while (number >= first) {
    const at = slotOf(window, number) * WORDS
    if (ring[at + LOW] === wantedLow && ring[at + HIGH] === wantedHigh) return true
    number = ring[at + BEFORE]
  }
  return false
}

/**
 * Every bucket is somewhere else in memory. One by one each is waited for, as what is done next depends on what it says;
 * read together first, they come at the same time. Measured: a tenth of the time.
 */
function fetchAhead(window: Window, prints: Int32Array, count: number): void {
  const { ring, newest, first } = window
  const mask = newest.length - 1
  let seen = 0
  for (let i = 0; i < count; i++) seen ^= newest[prints[2 * i] & mask]
  for (let i = 0; i < count; i++) {
    const number = newest[prints[2 * i] & mask]
    if (number >= first) seen ^= ring[slotOf(window, number) * WORDS]
  }
  // Kept, so that the reading is not left out as good for nothing.
  window.seen = seen
}

function add(window: Window, low: number, high: number): void {
  const { ring, newest } = window
  const number = window.first + window.held++
  const at = slotOf(window, number) * WORDS
  const bucket = low & (newest.length - 1)
  ring[at + LOW] = low
  ring[at + HIGH] = high
  // A time below the partition's own counts as that one.
  ring[at + TIME] = window.latestMillis
  ring[at + BEFORE] = newest[bucket]
  newest[bucket] = number
}

/** A full ring grows; one that may not lets the oldest go. */
function makeRoom(window: Window, mostRows: number): void {
  const rows = capacityOf(window)
  if (rows < mostRows) rebuild(window, Math.min(rows * 2, mostRows))
  else drop(window, 1)
}

/** Into a new ring, with numbers from 1 on. */
function rebuild(window: Window, rows: number): void {
  const old = { ...window }
  Object.assign(window, emptyRing(rows), { first: 1, firstSlot: 0, held: 0 })
  const { ring } = window
  for (let i = 0; i < old.held; i++) {
    const from = slotOf(old, old.first + i) * WORDS
    const at = i * WORDS
    add(window, old.ring[from + LOW], old.ring[from + HIGH])
    ring[at + TIME] = old.ring[from + TIME]
  }
}
