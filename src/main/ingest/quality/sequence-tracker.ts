// Where the sequence numbers of each instrument are, and what a number that comes says: that it is the next one, that some
// are missing before it, that it is late, or that the source has begun anew. Exact for all 64 bits, no object a row.
//
// An instrument's state is the newest of its exchange's own days and the highest number of that day. So it is the same
// whether it was followed all along or read out of the table after a restart.
import { RESTART_MICROS } from '../../market/sequence-restart.ts'

/**
 * repeated and corrected: the number is the last one's again, with the same content or another.
 * late: it is lower. reset: it is lower because the source began anew, on a new day or with 0 or 1 at a later time.
 */
export type Verdict = 'first' | 'next' | 'gap' | 'repeated' | 'corrected' | 'late' | 'reset'

/** A row of an instrument, written over for each that is judged. */
export interface SequencedRow {
  /** The number, as two halves. */
  low: number
  high: number
  exchangeMicros: number
  /** The exchange's own day. */
  day: number
  /** Its fingerprint. */
  printLow: number
  printHigh: number
}

export interface SequenceTracker {
  /** The place of an instrument; the one that was silent longest gives way when there are too many. */
  slotOf: (name: string) => number
  /** Another one when the place has become another instrument's. */
  versionOf: (slot: number) => number
  judge: (slot: number, row: SequencedRow) => Verdict
  /** Whether time and number of the row judged last say two different things of which is the later one. */
  disagrees: () => boolean
  /** The number that was highest before the row judged last. */
  before: () => bigint
  size: () => number
}

const FIRST_SLOTS = 64
const NONE = -1

/** `seedOf` is asked once for an instrument that comes for the first time. */
export function createSequenceTracker(
  mostInstruments: number,
  seedOf: (name: string) => SequencedRow | undefined,
): SequenceTracker {
  const slots = new Map<string, number>()
  const names: string[] = []
  let state = createState(Math.min(FIRST_SLOTS, mostInstruments))
  let beforeLow = 0
  let beforeHigh = 0
  let isDisagreeing = false
  /** Ends of the list from the one heard of last to the one silent longest. */
  let newest = NONE
  let oldest = NONE

  function add(name: string): number {
    const slot = slots.size < mostInstruments ? newSlot() : leaveOldest()
    slots.set(name, slot)
    names[slot] = name
    state.versions[slot]++
    state.isKnown[slot] = 0
    linkFirst(slot)
    const seed = seedOf(name)
    if (seed) keep(slot, seed)
    return slot
  }

  function newSlot(): number {
    const slot = slots.size
    if (slot === state.days.length) state = enlarged(state, Math.min(slot * 2, mostInstruments))
    return slot
  }

  function leaveOldest(): number {
    const slot = oldest
    slots.delete(names[slot])
    unlink(slot)
    return slot
  }

  function unlink(slot: number): void {
    const { newer, older } = state
    if (newer[slot] === NONE) newest = older[slot]
    else older[newer[slot]] = older[slot]
    if (older[slot] === NONE) oldest = newer[slot]
    else newer[older[slot]] = newer[slot]
  }

  function linkFirst(slot: number): void {
    const { newer, older } = state
    newer[slot] = NONE
    older[slot] = newest
    if (newest === NONE) oldest = slot
    else newer[newest] = slot
    newest = slot
  }

  function keep(slot: number, { low, high, exchangeMicros, day, printLow, printHigh }: SequencedRow): void {
    state.numbers[2 * slot] = low
    state.numbers[2 * slot + 1] = high
    state.prints[2 * slot] = printLow
    state.prints[2 * slot + 1] = printHigh
    state.micros[slot] = exchangeMicros
    state.days[slot] = day
    state.isKnown[slot] = 1
  }

  function judgeKnown(slot: number, row: SequencedRow): Verdict {
    const order = row.high === beforeHigh ? (row.low >>> 0) - (beforeLow >>> 0) : row.high - beforeHigh
    const later = row.exchangeMicros - state.micros[slot]
    const day = row.day - state.days[slot]
    isDisagreeing = order > 0 && later < 0
    if (day < 0) return 'late'
    if (order > 0) {
      keep(slot, row)
      return isNext(row) ? 'next' : 'gap'
    }
    const isRestart = order < 0 && row.high === 0 && row.low >>> 0 <= 1 && later >= RESTART_MICROS
    if (day > 0 || isRestart) {
      keep(slot, row)
      return 'reset'
    }
    if (order < 0) {
      isDisagreeing = later > 0
      return 'late'
    }
    const [printLow, printHigh] = [state.prints[2 * slot], state.prints[2 * slot + 1]]
    return printLow === row.printLow && printHigh === row.printHigh ? 'repeated' : 'corrected'
  }

  function isNext({ low, high }: SequencedRow): boolean {
    return low === ((beforeLow + 1) | 0) && high === beforeHigh + (low === 0 ? 1 : 0)
  }

  return {
    slotOf: name => slots.get(name) ?? add(name),
    versionOf: slot => state.versions[slot],
    judge(slot, row) {
      if (slot !== newest) {
        unlink(slot)
        linkFirst(slot)
      }
      isDisagreeing = false
      if (!state.isKnown[slot]) {
        keep(slot, row)
        return 'first'
      }
      beforeLow = state.numbers[2 * slot]
      beforeHigh = state.numbers[2 * slot + 1]
      return judgeKnown(slot, row)
    },
    disagrees: () => isDisagreeing,
    before: () => bigintOf(beforeLow, beforeHigh),
    size: () => slots.size,
  }
}

export function bigintOf(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

function createState(slots: number) {
  return {
    numbers: new Int32Array(2 * slots),
    prints: new Int32Array(2 * slots),
    micros: new Float64Array(slots),
    days: new Int32Array(slots),
    isKnown: new Uint8Array(slots),
    versions: new Int32Array(slots),
    newer: new Int32Array(slots),
    older: new Int32Array(slots),
  }
}

function enlarged(state: ReturnType<typeof createState>, slots: number): ReturnType<typeof createState> {
  const larger = createState(slots)
  for (const name of Object.keys(state) as (keyof typeof state)[]) larger[name].set(state[name])
  return larger
}
