// The rows of a topic as they are collected, each held against the sequence of its instrument.
import { ASSET_CLASSES } from '../../../contract/tables.ts'
import type { RowCollector } from '../../market/collect-rows.ts'
import type { Gap } from '../intake.ts'
import type { DayOf } from '../../market/exchanges.ts'
import { isNumberedByRow } from '../../market/row-numbers.ts'
import type { LastSequence } from '../../market/stream-table.ts'
import type { QualityCount, QualityCounts } from './quality-counts.ts'
import { bigintOf, createSequenceTracker, type SequencedRow, type Verdict } from './sequence-tracker.ts'
import { QUARTER_MICROS } from './session-days.ts'
import { severityOf } from './severity.ts'

export interface WatchOptions {
  collector: RowCollector
  topic: string
  dataType: Gap['dataType']
  lastSequences: readonly LastSequence[]
  dayOf: DayOf
  counts: QualityCounts
  onSplit?: (split: Split) => void
  mostInstruments?: number
}

/** An instrument of which two partitions have rows: a producer does not go by the key, and no order holds across them. */
export interface Split {
  topic: string
  symbol: string
  exchange: string
  partitions: readonly [number, number]
}

/** The newest rows of the collector, all of one partition. */
export interface NewRows {
  partition: number
  /** The first of them; they reach to the collector's last one. */
  from: number
  /** Of each, its fingerprint in two halves and when the log took it in. */
  prints: Int32Array
  logMicros: Float64Array
  /** The table has them already: they only say where the sequences are. */
  isKnown: boolean
}

export interface Findings {
  gaps: Gap[]
  outOfOrder: number
  resets: number
}

export interface SequenceWatch {
  look: (rows: NewRows) => void
  /** A row of the collector that is about to be dropped as a repeat. */
  countDuplicate: (row: number) => void
  /** Those since they were last taken. */
  findings: () => Findings
  takeFindings: () => Findings
  /** The collector was drained: its codes stand for something else from now on. */
  forgetCodes: () => void
}

/**
 * Of a topic; beyond it the one silent longest is forgotten, and begins anew when it comes again. Each partition has its
 * own, so that what is found does not depend on which partition was read first.
 */
const MOST_INSTRUMENTS = 10_000
const FIRST_CODES = 64
const TOLD = -1
/** In the place of a place. */
const SEEN = -1

/**
 * By symbol code, three numbers: where its instrument is (or SEEN; 0 for neither), how often that place had changed hands,
 * and its exchange's code.
 */
type Codes = Int32Array

export function createSequenceWatch(options: WatchOptions): SequenceWatch {
  const { collector, topic, dataType, dayOf, counts, onSplit, mostInstruments = MOST_INSTRUMENTS } = options
  const homes = new Map<string, number>()
  const seeds = seedsOf(options)
  const tracker = createSequenceTracker(mostInstruments, name => {
    const seed = seeds.get(name)
    seeds.delete(name)
    return seed
  })
  const [symbols, exchanges, assets, times, sequences, vendorData, offsets] = [
    'symbol',
    'exchange',
    'asset_class',
    'exchange_timestamp',
    'source_sequence',
    'vendor_data',
    '_offset',
  ].map(collector.column)
  const row: SequencedRow = { low: 0, high: 0, exchangeMicros: 0, day: 0, printLow: 0, printHigh: 0 }
  let codes: Codes[] = []
  let findings = noFindings()
  let dayCode = -1
  let dayFrom = 0
  let day = 0

  function dayAt(exchange: number, micros: number): number {
    if (exchange !== dayCode || !(micros >= dayFrom && micros < dayFrom + QUARTER_MICROS)) {
      dayCode = exchange
      dayFrom = Math.floor(micros / QUARTER_MICROS) * QUARTER_MICROS
      day = dayOf(exchanges.words()[exchange] as string, micros)
    }
    return day
  }

  function codesOf(partition: number): Codes {
    let known = (codes[partition] ??= new Int32Array(3 * FIRST_CODES))
    while (known.length < 3 * symbols.words().length) {
      const larger = new Int32Array(2 * known.length)
      larger.set(known)
      codes[partition] = known = larger
    }
    return known
  }

  function slotOf(known: Codes, partition: number, symbol: number, exchange: number): number {
    const at = 3 * symbol
    const slot = known[at] - 1
    if (slot >= 0 && known[at + 2] === exchange && tracker.versionOf(slot) === known[at + 1]) return slot
    const words = { exchange: exchanges.words()[exchange] as string, symbol: symbols.words()[symbol] as string }
    const name = nameOf(words.exchange, words.symbol)
    lookForSplit(name, partition, words)
    const found = tracker.slotOf(nameIn(partition, name))
    known[at] = found + 1
    known[at + 1] = tracker.versionOf(found)
    known[at + 2] = exchange
    return found
  }

  /** Without a number it has no place in the tracker. */
  function noteUnnumbered(known: Codes, partition: number, symbol: number, exchange: number): void {
    if (known[3 * symbol] !== 0) return
    known[3 * symbol] = SEEN
    const words = { exchange: exchanges.words()[exchange] as string, symbol: symbols.words()[symbol] as string }
    lookForSplit(nameOf(words.exchange, words.symbol), partition, words)
  }

  /** Told once of each. */
  function lookForSplit(name: string, partition: number, words: Pick<Split, 'exchange' | 'symbol'>): void {
    const home = homes.get(name)
    if (home === undefined && homes.size >= mostInstruments) homes.clear()
    if (home === undefined) homes.set(name, partition)
    if (home === undefined || home === partition || home === TOLD) return
    homes.set(name, TOLD)
    onSplit?.({ topic, ...words, partitions: [home, partition] })
  }

  function countOf(at: number): QualityCount {
    const exchange = exchanges.words()[exchanges.values()[at] as number] as string
    return counts.of(exchange, ASSET_CLASSES[assets.values()[at] as number])
  }

  function isOfSource(at: number): boolean {
    return vendorData.nulls()?.[at] === 1 || !isNumberedByRow(vendorData.words()[vendorData.values()[at] as number])
  }

  function note(verdict: Verdict, at: number, { partition, logMicros, from }: NewRows): void {
    // Looked at only here, as few rows come here.
    if (!isOfSource(at)) return
    const count = countOf(at)
    const { exchange, assetClass } = count
    if (tracker.disagrees()) count.disagreeing++
    if (verdict === 'repeated') count.repeated++
    if (verdict === 'corrected') count.corrected++
    if (verdict === 'late') {
      count.outOfOrder++
      findings.outOfOrder++
    }
    if (verdict === 'reset') {
      count.resets++
      findings.resets++
    }
    if (verdict !== 'gap') return
    const expected = tracker.before() + 1n
    const received = bigintOf(row.low, row.high)
    const severity = severityOf(received - expected)
    count.gaps[severity]++
    findings.gaps.push({
      topic,
      partition,
      offset: offsets.values()[at] as number,
      logMicros: logMicros[at - from],
      symbol: symbols.words()[symbols.values()[at] as number] as string,
      ...{ exchange, assetClass, dataType, expected, received, severity },
    })
  }

  return {
    findings: () => findings,
    countDuplicate: at => void countOf(at).duplicates++,
    takeFindings() {
      const taken = findings
      findings = noFindings()
      return taken
    },
    forgetCodes() {
      codes = []
      dayCode = -1
    },
    look(rows) {
      const { partition, from, prints, isKnown } = rows
      const to = collector.rowCount()
      const nulls = sequences.nulls()
      const known = codesOf(partition)
      const [symbolCodes, exchangeCodes] = [symbols.values() as Uint32Array, exchanges.values() as Uint32Array]
      const micros = times.values() as Float64Array
      const pairs = sequences.values() as Int32Array
      for (let at = from; at < to; at++) {
        const exchange = exchangeCodes[at]
        if (nulls && nulls[at] === 1) {
          noteUnnumbered(known, partition, symbolCodes[at], exchange)
          continue
        }
        row.low = pairs[2 * at]
        row.high = pairs[2 * at + 1]
        row.exchangeMicros = micros[at]
        row.day = dayAt(exchange, micros[at])
        row.printLow = prints[2 * (at - from)]
        row.printHigh = prints[2 * (at - from) + 1]
        const verdict = tracker.judge(slotOf(known, partition, symbolCodes[at], exchange), row)
        if (!isKnown && (verdict !== 'next' || tracker.disagrees()) && verdict !== 'first') note(verdict, at, rows)
      }
    },
  }
}

function noFindings(): Findings {
  return { gaps: [], outOfOrder: 0, resets: 0 }
}

/** A line break is in no name that a source gives. */
function nameOf(exchange: string, symbol: string): string {
  return `${exchange}\n${symbol}`
}

function nameIn(partition: number, instrument: string): string {
  return `${partition}\n${instrument}`
}

/** An instrument that has moved to another partition begins anew there, as it does without a restart. */
function seedsOf({ lastSequences, dayOf }: WatchOptions): Map<string, SequencedRow> {
  return new Map(
    lastSequences.map(({ partition, symbol, exchange, sequence, exchangeMicros }) => [
      nameIn(partition, nameOf(exchange, symbol)),
      {
        low: Number(BigInt.asIntN(32, sequence)),
        high: Number(sequence >> 32n),
        exchangeMicros,
        day: dayOf(exchange, exchangeMicros),
        printLow: 0,
        printHigh: 0,
      },
    ]),
  )
}
