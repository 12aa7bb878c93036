// Which trades of each symbol have come: ids count up by one, so what is missing is known, and what repeats.

export interface IdRange {
  from: number
  /** The last one. */
  to: number
}

export interface Taken {
  isNew: boolean
  /** Missing just before this one, and only now known to be. */
  gap?: IdRange
  /** The exchange has begun to count anew. */
  isReset?: boolean
}

export interface TradeIds {
  /** What comes late out of a gap is new, once. */
  take: (symbol: string, id: number) => Taken
  /** What is still missing of a range. */
  missingIn: (symbol: string, range: IdRange) => IdRange[]
  /** Waits no longer for what is missing of a range; gives how many those were. */
  giveUp: (symbol: string, range: IdRange) => number
}

interface Sequence {
  last: number
  /** In ascending order, none touching another. */
  missing: IdRange[]
}

/** Further back than this nothing comes late: a test market has been emptied, and counts from the start. */
const RESET_DISTANCE = 1_000_000
/** Gaps remembered a symbol; the oldest are given up. */
const MOST_GAPS = 1000

export function createTradeIds(): TradeIds {
  const sequences = new Map<string, Sequence>()

  return {
    take(symbol, id) {
      const sequence = sequences.get(symbol)
      if (!sequence) {
        sequences.set(symbol, { last: id, missing: [] })
        return { isNew: true }
      }
      const { last, missing } = sequence
      if (id === last + 1) {
        sequence.last = id
        return { isNew: true }
      }
      if (id > last) {
        const gap = { from: last + 1, to: id - 1 }
        sequence.last = id
        missing.push(gap)
        if (missing.length > MOST_GAPS) missing.shift()
        return { isNew: true, gap: { ...gap } }
      }
      if (last - id > RESET_DISTANCE) {
        sequences.set(symbol, { last: id, missing: [] })
        return { isNew: true, isReset: true }
      }
      return { isNew: takeMissing(missing, id) }
    },
    missingIn(symbol, range) {
      return (sequences.get(symbol)?.missing ?? []).flatMap(gap => overlapOf(gap, range))
    },
    giveUp(symbol, range) {
      const sequence = sequences.get(symbol)
      if (!sequence) return 0
      const before = countIds(sequence.missing)
      sequence.missing = sequence.missing.flatMap(gap => [
        ...overlapOf(gap, { from: 0, to: range.from - 1 }),
        ...overlapOf(gap, { from: range.to + 1, to: Infinity }),
      ])
      return before - countIds(sequence.missing)
    },
  }
}

export function countIds(ranges: readonly IdRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
}

function takeMissing(missing: IdRange[], id: number): boolean {
  const at = missing.findIndex(({ from, to }) => id >= from && id <= to)
  if (at < 0) return false
  const { from, to } = missing[at]
  const parts = [
    { from, to: id - 1 },
    { from: id + 1, to },
  ]
  missing.splice(at, 1, ...parts.filter(part => part.from <= part.to))
  return true
}

function overlapOf(a: IdRange, b: IdRange): IdRange[] {
  const range = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }
  return range.from <= range.to ? [range] : []
}
