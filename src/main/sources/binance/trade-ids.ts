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
  /** Waits again for those of a range that were given up, or came before the first one; gives which they are. */
  reopen: (symbol: string, range: IdRange) => IdRange[]
  /** To be kept, and gone on with by the next run. */
  state: () => TradeIdsState
}

interface Sequence {
  last: number
  /** In ascending order, none touching another. */
  missing: IdRange[]
}

/** By symbol. */
export type TradeIdsState = Readonly<Record<string, Sequence>>

/** Further back than this nothing comes late: a test market has been emptied, and counts from the start. */
const RESET_DISTANCE = 1_000_000
/** Gaps remembered a symbol; the oldest are given up. */
const MOST_GAPS = 1000

/** With what an earlier run has left, what it did not come to is a gap like any other. */
export function createTradeIds(left: TradeIdsState = {}): TradeIds {
  const sequences = new Map(Object.entries(left).map(([symbol, sequence]) => [symbol, copyOf(sequence)]))
  /** Of these nothing has come in this run. */
  const resumed = new Set(sequences.keys())
  /** Never taken, and not waited for: before the first one of this run, and given up. */
  const passed = new Map<string, IdRange[]>()

  return {
    take(symbol, id) {
      const sequence = sequences.get(symbol)
      if (!sequence) {
        sequences.set(symbol, { last: id, missing: [] })
        passed.set(symbol, [{ from: 0, to: id - 1 }])
        return { isNew: true }
      }
      const { last, missing } = sequence
      if (takeMissing(missing, id)) return { isNew: true }
      // An exchange tells what is new: what the earlier run had already cannot come first.
      const isFirst = resumed.delete(symbol)
      if (id > last) {
        sequence.last = id
        if (id === last + 1) return { isNew: true }
        const gap = { from: last + 1, to: id - 1 }
        missing.push(gap)
        if (missing.length > MOST_GAPS) missing.shift()
        return { isNew: true, gap: { ...gap } }
      }
      if (!isFirst && last - id <= RESET_DISTANCE) return { isNew: false }
      sequences.set(symbol, { last: id, missing: [] })
      passed.delete(symbol)
      return { isNew: true, isReset: true }
    },
    missingIn(symbol, range) {
      return (sequences.get(symbol)?.missing ?? []).flatMap(gap => overlapOf(gap, range))
    },
    giveUp(symbol, range) {
      const sequence = sequences.get(symbol)
      if (!sequence) return 0
      const before = countIds(sequence.missing)
      const given = sequence.missing.flatMap(gap => overlapOf(gap, range))
      passed.set(symbol, [...(passed.get(symbol) ?? []), ...given].slice(-MOST_GAPS))
      sequence.missing = without(sequence.missing, range)
      return before - countIds(sequence.missing)
    },
    reopen(symbol, range) {
      const sequence = sequences.get(symbol)
      const ranges = passed.get(symbol) ?? []
      const wanted = ranges.flatMap(one => overlapOf(one, range))
      if (!sequence || wanted.length === 0) return []
      passed.set(symbol, without(ranges, range))
      sequence.missing = [...sequence.missing, ...wanted].sort((a, b) => a.from - b.from).slice(-MOST_GAPS)
      return wanted
    },
    state: () => Object.fromEntries([...sequences].map(([symbol, sequence]) => [symbol, copyOf(sequence)])),
  }
}

function copyOf({ last, missing }: Sequence): Sequence {
  return { last, missing: missing.map(range => ({ ...range })) }
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

function without(ranges: readonly IdRange[], range: IdRange): IdRange[] {
  return ranges.flatMap(one => [
    ...overlapOf(one, { from: 0, to: range.from - 1 }),
    ...overlapOf(one, { from: range.to + 1, to: Infinity }),
  ])
}

function overlapOf(a: IdRange, b: IdRange): IdRange[] {
  const range = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }
  return range.from <= range.to ? [range] : []
}
