// Repeats within a window: a message that came before, to the letter, not long ago in its partition. Alike in tail and
// writer, and whatever was read in one go, as it depends on nothing but the messages of the partition before it.
import type { Fingerprint } from './fingerprint.ts'
import { createSlidingHighest, enter, leaveAll, leaveBefore, type SlidingHighest } from './sliding-highest.ts'

export interface DedupeOptions {
  /** Of the log's own time; 0 finds no repeats. */
  minutes: number
  /**
   * The window holds so many of a partition's last messages at most, the one looked at among them: of 30 partitions
   * they are 6 million, in 135 MB. One number for each partition and not one for all, else what one partition forgets
   * would depend on what came in between from the others.
   */
  rowsPerPartition?: number
  /** So many messages in a row that are a day and more apart from a partition's time are believed. */
  believedAfter?: number
}

export interface Dedupe {
  /**
   * Whether the same fingerprint came before within the window of the partition; remembers it. `place` is a small
   * number that stands for the partition. A repeat is remembered too: whether a message is one can then be told from
   * the window before it alone.
   *
   * The time of a partition at a message is the highest of as many as the ring holds up to it, so a clock that is set
   * back shortens no window. A message more than a day (or the window, where that is longer) ahead does not move it, nor
   * one that far behind, until many such have come in a row: one wrong clock must not stop the window for good. What is
   * that far ahead is judged by its own time meanwhile. Reading again from the first message that is not older than the
   * window before the last one gives the same state, as long as no time is that far ahead or behind, as after a weekend;
   * so does reading twice what the ring holds: no message depends on anything before that.
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
  /** All that have come. */
  taken: number
  /** The time of the partition, of those that are held. */
  time: SlidingHighest
  /** Messages in a row that were too far from it: ahead, or behind as a negative number. */
  apart: number
  seen: number
}

/** The same for all who read: they must drop the same repeats. */
export const DEDUPE_ROWS = 200_000
const FIRST_ROWS = 256
const WORDS = 3
const [LOW, HIGH, TIME] = [0, 1, 2] as const
/** Further from a partition's time is out of order no more, but another clock, or a market that was closed. */
const DAY_MILLIS = 86_400_000
/** A producer sends hundreds in one go; that a market was closed is believed soon enough, as nothing depends on it. */
const BELIEVED_AFTER = 1_000
/** Times of one window differ by less than 2^31 milliseconds. */
const MOST_MINUTES = 35_000
/** How much of the index may be in use; it has at least twice as many places as the ring. */
const MOST_USED = 0.66

export function createDedupe(options: DedupeOptions): Dedupe {
  const { minutes, rowsPerPartition = DEDUPE_ROWS, believedAfter = BELIEVED_AFTER } = options
  const windowMillis = Math.min(minutes, MOST_MINUTES) * 60_000
  const farMillis = Math.max(DAY_MILLIS, windowMillis)
  const windows: (Window | undefined)[] = []
  const sum = (of: (window: Window) => number) =>
    windows.reduce((total, window) => total + (window ? of(window) : 0), 0)

  const windowAt = (place: number) => (windows[place] ??= createWindow(Math.min(FIRST_ROWS, rowsPerPartition)))

  function take(window: Window, low: number, high: number, logMicros: number): boolean {
    const millis = Math.floor(logMicros / 1000)
    const ahead = millis - window.time.highest
    const isFar = window.taken > 0 && (ahead > farMillis || ahead < -farMillis)
    if (!isFar) window.apart = 0
    else if (isDoubted(window, ahead)) return keepDoubted(window, low, high, millis)
    // Before room is made: what leaves then is no part of the time that it has.
    if (enter(window.time, window.taken, millis)) forget(window, windowMillis, farMillis)
    makeRoom(window)
    const now = window.time.highest
    const before = add(window, low >>> 0, high >>> 0, now)
    // What is held may be older: where something of a time that has left the ring since let none go that came after it.
    return before !== NONE && ((now - before) | 0) < windowMillis
  }

  /** Counts it, and believes the last one of many; whether it is ahead of a time that the partition has not come to. */
  function isDoubted(window: Window, ahead: number): boolean {
    window.apart = ahead > 0 ? Math.max(window.apart, 0) + 1 : Math.min(window.apart, 0) - 1
    if (Math.abs(window.apart) < believedAfter) return ahead > 0
    if (ahead < 0) setBack(window, window.time.highest + ahead)
    // Those before it that were as far ahead are of the new time; nothing else of what is held is.
    else drop(window, Math.max(0, window.held - (window.apart - 1)))
    window.apart = 0
    return false
  }

  /** By its own time it repeats only what is as far ahead; or ahead by 2^32 milliseconds more, to the letter. */
  function keepDoubted(window: Window, low: number, high: number, millis: number): boolean {
    makeRoom(window)
    const before = add(window, low >>> 0, high >>> 0, millis)
    return before !== NONE && Math.abs((millis - before) | 0) < windowMillis
  }

  /** For one more. */
  function makeRoom(window: Window): void {
    if (window.held * WORDS === window.ring.length) growOrDrop(window, rowsPerPartition)
    if (window.first + window.held >= window.index.length * MOST_USED) renumber(window)
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
    bytes: () => sum(({ ring, index, time }) => ring.byteLength + index.byteLength + 2 * time.values.byteLength),
  }
}

function createWindow(rows: number): Window {
  const [ring, index] = [new Uint32Array(rows * WORDS), createIndex(rows)]
  return { ring, index, first: 1, firstSlot: 0, held: 0, taken: 0, time: createSlidingHighest(), apart: 0, seen: 0 }
}

function createIndex(rows: number): Uint32Array {
  return new Uint32Array(2 ** Math.ceil(Math.log2(rows * 2)))
}

/**
 * Lets go what is a whole window older than the partition's time (a millisecond less is still in it), and what is far
 * ahead of it.
 */
function forget(window: Window, windowMillis: number, farMillis: number): void {
  const { ring, time } = window
  while (window.held > 0) {
    const age = (time.highest - ring[window.firstSlot * WORDS + TIME]) | 0
    if (age < windowMillis && age >= -farMillis) return
    drop(window, 1)
  }
}

/** What is held is of that time from now on: a clock that is set back shortens no window. */
function setBack(window: Window, millis: number): void {
  leaveAll(window.time)
  for (let at = TIME; at < window.ring.length; at += WORDS) window.ring[at] = millis
}

function drop(window: Window, count: number): void {
  window.firstSlot = slotOf(window, window.first + count)
  window.first += count
  window.held -= count
  leaveBefore(window.time, window.taken - window.held)
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

/** Not there. */
const NONE = -1

/** The time of the one that was there. Its place is the new one's now, so that a thousand of a kind take one. */
function add(window: Window, low: number, high: number, millis: number): number {
  const { ring, index, first, held } = window
  const number = first + held
  const slot = slotOf(window, number) * WORDS
  ring[slot + LOW] = low
  ring[slot + HIGH] = high
  ring[slot + TIME] = millis
  window.held++
  window.taken++
  const mask = index.length - 1
  const tag = low & ~mask
  let place = low & mask
  for (let entry = index[place]; entry !== 0; entry = index[place]) {
    const known = entry & mask
    if ((entry & ~mask) === tag && known >= first) {
      const at = slotOf(window, known) * WORDS
      if (ring[at + LOW] === low && ring[at + HIGH] === high) {
        index[place] = tag | number
        return ring[at + TIME]
      }
    }
    place = (place + 1) & mask
  }
  index[place] = tag | number
  return NONE
}

/** A full ring grows; one that may not lets the oldest go. */
function growOrDrop(window: Window, mostRows: number): void {
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
  const { ring, index, held } = window
  index.fill(0)
  window.first = 1
  window.held = 0
  window.taken -= held
  for (let i = 0; i < held; i++) {
    const at = slotOf(window, 1 + i) * WORDS
    add(window, ring[at + LOW], ring[at + HIGH], ring[at + TIME])
  }
}
