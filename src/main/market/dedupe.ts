// Repeats within a window: a message that came before, to the letter, not long ago in its partition. Alike in tail and
// writer, and whatever was read in one go, as it depends on nothing but the messages of the partition before it.
import type { Fingerprint } from './fingerprint.ts'

export interface DedupeOptions {
  /** Of the log's own time; 0 finds no repeats. */
  minutes: number
  /**
   * The window holds so many of a partition's last messages at most, the one looked at among them: of 30 partitions
   * they are 6 million, in 135 MB. One number for each partition and not one for all, else what one partition forgets
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

/** One partition's last messages: a ring, and an index into it by fingerprint with open addressing. */
interface Window {
  /** Three words a message: fingerprint, time in milliseconds modulo 2^32. */
  ring: Uint32Array
  /**
   * 0 for an empty place, else a message's number in as many low bits as the index has places, and above them the same
   * bits of its fingerprint: mostly they tell two apart without a look at the ring. A number below `first` is of a
   * message that has left; its place stays in use until the index is made anew.
   */
  index: Uint32Array
  /** Number and place in the ring of the oldest message. Numbers begin at 1, whenever the index is made anew. */
  first: number
  firstSlot: number
  held: number
  latestMillis: number
  seen: number
}

/** The same for all who read: they must drop the same repeats. */
export const DEDUPE_ROWS = 200_000
const FIRST_ROWS = 256
const WORDS = 3
const [LOW, HIGH, TIME] = [0, 1, 2] as const
/** Times of one window differ by less than 2^31 milliseconds. */
const MOST_MINUTES = 35_000
/** How much of the index may be in use; it has at least twice as many places as the ring. */
const MOST_USED = 0.66

export function createDedupe({ minutes, rowsPerPartition = DEDUPE_ROWS }: DedupeOptions): Dedupe {
  const windowMillis = Math.min(minutes, MOST_MINUTES) * 60_000
  const windows: (Window | undefined)[] = []
  const sum = (of: (window: Window) => number) =>
    windows.reduce((total, window) => total + (window ? of(window) : 0), 0)

  const windowAt = (place: number) => (windows[place] ??= createWindow(Math.min(FIRST_ROWS, rowsPerPartition)))

  function take(window: Window, low: number, high: number, logMicros: number): boolean {
    forget(window, Math.floor(logMicros / 1000), windowMillis)
    if (window.held * WORDS === window.ring.length) makeRoom(window, rowsPerPartition)
    if (window.first + window.held >= window.index.length * MOST_USED) renumber(window)
    return add(window, low >>> 0, high >>> 0)
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
    bytes: () => sum(({ ring, index }) => ring.byteLength + index.byteLength),
  }
}

function createWindow(rows: number): Window {
  const [ring, index] = [new Uint32Array(rows * WORDS), createIndex(rows)]
  return { ring, index, first: 1, firstSlot: 0, held: 0, latestMillis: -Infinity, seen: 0 }
}

function createIndex(rows: number): Uint32Array {
  return new Uint32Array(2 ** Math.ceil(Math.log2(rows * 2)))
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

/**
 * Every fingerprint is somewhere else in memory. One by one each is waited for, as what is done next depends on what is
 * found; read together first, they come at the same time.
 */
function fetchAhead(window: Window, prints: Int32Array, count: number): void {
  const { index } = window
  const mask = index.length - 1
  let seen = 0
  for (let i = 0; i < count; i++) seen ^= index[prints[2 * i] & mask]
  // Kept, so that the reading is not left out as good for nothing.
  window.seen = seen
}

/** Whether it was there. The place of one that was is the new one's now, so that a thousand of a kind take one. */
function add(window: Window, low: number, high: number): boolean {
  const { ring, index, first, held } = window
  const number = first + held
  const slot = slotOf(window, number) * WORDS
  ring[slot + LOW] = low
  ring[slot + HIGH] = high
  // A time below the partition's own counts as that one.
  ring[slot + TIME] = window.latestMillis
  window.held++
  const mask = index.length - 1
  const tag = low & ~mask
  let place = low & mask
  for (let entry = index[place]; entry !== 0; entry = index[place]) {
    const known = entry & mask
    if ((entry & ~mask) === tag && known >= first) {
      const at = slotOf(window, known) * WORDS
      if (ring[at + LOW] === low && ring[at + HIGH] === high) {
        index[place] = tag | number
        return true
      }
    }
    place = (place + 1) & mask
  }
  index[place] = tag | number
  return false
}

/** A full ring grows; one that may not lets the oldest go. */
function makeRoom(window: Window, mostRows: number): void {
  const rows = window.ring.length / WORDS
  if (rows >= mostRows) return drop(window, 1)
  const { ring, firstSlot, held } = window
  const larger = Math.min(rows * 2, mostRows)
  window.ring = new Uint32Array(larger * WORDS)
  window.ring.set(ring.subarray(firstSlot * WORDS))
  window.ring.set(ring.subarray(0, firstSlot * WORDS), (held - firstSlot) * WORDS)
  window.firstSlot = 0
  if (window.index.length < larger * 2) window.index = createIndex(larger)
  renumber(window)
}

/** Makes the index anew of what is held. */
function renumber(window: Window): void {
  const { ring, index, held, latestMillis } = window
  index.fill(0)
  window.first = 1
  window.held = 0
  for (let i = 0; i < held; i++) {
    const at = slotOf(window, 1 + i) * WORDS
    window.latestMillis = ring[at + TIME]
    add(window, ring[at + LOW], ring[at + HIGH])
  }
  window.latestMillis = latestMillis
}
