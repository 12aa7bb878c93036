// Taking in: a batch of the log, decoded straight into the columns of the newest segment.
import { Failure } from '../../contract/failure.ts'
import { TAIL_TABLES } from '../../contract/tables.ts'
import { createCursor, pointCursor, type Cursor, type Pairs } from '../market/decode-primitives.ts'
import type { Sink } from '../market/decode.ts'
import { createWireDecoder, type SchemaOf } from '../market/decode-wire.ts'
import type { Dedupe } from '../market/dedupe.ts'
import { readFingerprint, type Fingerprint } from '../market/fingerprint.ts'
import { NONE, type LogBatch } from '../market/log-batch.ts'
import type { StandardBatch } from '../market/standard-batch.ts'
import type { Instrument, NameRange } from './instruments.ts'
import { markPlace } from './places.ts'
import { addPosition, positionOf } from './positions.ts'
import { addSegment, countFitting, findSegment, sizeOf } from './ring.ts'
import { compareRows, PAIR_COLUMNS, rowAt, type Segment } from './segment.ts'
import { evictRows, type Store } from './store.ts'
import { addVolume, hourOf } from './volumes.ts'

/** A message that is not a row: it is counted and told of, and its neighbours go on. */
export interface Undecodable {
  topic: string
  partition: number
  offset: number
  reason: string
}

export interface AppendOptions {
  /** Microseconds since 1970. */
  now: () => number
  schemaOf?: SchemaOf
  /** Whether a message has been there already; none has when left out. */
  dedupe?: Dedupe
  onUndecodable: (message: Undecodable) => void
}

export interface Append {
  append: (batch: StandardBatch) => void
  /** Takes in nothing, but knows these messages again when they are repeated. */
  remember: (batch: StandardBatch) => void
}

export function createAppend(store: Store, { now, schemaOf, dedupe, onUndecodable }: AppendOptions): Append {
  const { ring, instruments, places } = store
  const cursor = createCursor()
  const target = createTarget(store)
  const decode = createWireDecoder(TAIL_TABLES[store.dataType], target.sinks, 'check', schemaOf)
  const check = createWireDecoder(TAIL_TABLES[store.dataType], {}, 'check', schemaOf)
  const evict = (end: number) => evictRows(store, end)
  const fingerprint: Fingerprint = { low: 0, high: 0 }
  // Quotes have none of their own.
  const quantityColumn = PAIR_COLUMNS[store.dataType].indexOf('quantity')

  function isRepeat(placeCode: number, from: number, to: number, logMicros: number): boolean {
    if (!dedupe) return false
    readFingerprint(cursor, from, to, fingerprint)
    return dedupe.isRepeat(placeCode, fingerprint, logMicros)
  }

  function refuse({ topic, partition, offsets }: LogBatch, i: number, reason: string): void {
    store.undecodable++
    onUndecodable({ topic, partition, offset: offsets[i], reason })
  }

  /** What is a row, but not for this tail, is missing in it. */
  function miss(batch: LogBatch, i: number, placeCode: number, reason: string): void {
    places.all[placeCode].wholeFrom = batch.offsets[i] + 1
    refuse(batch, i, reason)
  }

  /** Messages from … to of a batch, for which the newest segment has room. */
  function appendRows(batch: StandardBatch, from: number, to: number, placeCode: number): void {
    const segment = ring.newest
    store.arrivedMicros = now()
    if (segment.count === 0) segment.arrivedMicros = store.arrivedMicros
    const hour = hourOf(store.hours, store.arrivedMicros)
    const quantities: Pairs | undefined = segment.pairs[quantityColumn]
    const { bytes, starts, ends, offsets, timestamps, problems } = batch
    markPlace(places.all[placeCode], { position: ring.head, offset: offsets[from] }, ring.tail)
    // Copied at once where nothing lies between them: one copy each takes a fifth of all the time.
    const isRun = liesTogether(batch, from, to)
    const base = segment.usedBytes - starts[from]
    if (isRun) bytes.copy(segment.bytes, segment.usedBytes, starts[from], ends[to - 1])
    for (let i = from; i < to; i++) {
      if (problems?.has(i) || starts[i] === NONE) {
        refuse(batch, i, problems?.get(i)?.error ?? 'The message has no value.')
        continue
      }
      const at = segment.count * segment.stride
      const start = isRun ? base + starts[i] : segment.usedBytes
      cursor.at = start
      cursor.end = isRun ? base + ends[i] : start + bytes.copy(segment.bytes, start, starts[i], ends[i])
      segment.starts[segment.count] = start
      segment.nulls[8 * at] = 0
      try {
        decode(cursor, at)
        const instrument = instruments.of(segment.bytes, target.symbol, target.exchange, target.assetClasses[at])
        if (isRepeat(placeCode, start, cursor.end, timestamps[i])) {
          store.duplicates++
          continue
        }
        segment.usedBytes = cursor.end
        segment.instruments[2 * at] = instrument.code
        segment.places[4 * at] = placeCode
        segment.offsets[at] = offsets[i]
        segment.logTimes[at] = timestamps[i]
        if (segment.exchangeTimes[at] > segment.latestTime) segment.latestTime = segment.exchangeTimes[at]
        if (timestamps[i] > store.newestMicros) store.newestMicros = timestamps[i]
        linkRow(store, instrument, segment, at)
        if (quantities) addVolume(hour, instrument.code, quantities[2 * at + 1] * 2 ** 32 + (quantities[2 * at] >>> 0))
        segment.count++
        ring.head++
      } catch (error) {
        const { message } = error as Error
        // A decoder throws Failures; that there are too many names is found out by the tail.
        if (error instanceof Failure) refuse(batch, i, message)
        else miss(batch, i, placeCode, message)
      }
    }
  }

  function append(batch: StandardBatch): void {
    const { count, starts, ends } = batch
    const placeCode = places.codeOf(batch)
    for (let from = 0; from < count;) {
      let fitting = countFitting(ring, batch, from)
      if (fitting === 0) {
        const size = sizeOf(starts[from], ends[from])
        if (size > ring.maxBytes / 2) {
          miss(batch, from++, placeCode, `The message has ${size} bytes, more than half of the tail's memory.`)
          continue
        }
        addSegment(ring, size, evict)
        fitting = countFitting(ring, batch, from)
      }
      pointCursor(cursor, ring.newest.bytes)
      target.point(ring.newest)
      appendRows(batch, from, from + fitting, placeCode)
      from += fitting
    }
    places.all[placeCode].nextOffset = batch.nextOffset
  }

  function remember(batch: StandardBatch): void {
    const { count, bytes, starts, ends, timestamps, problems } = batch
    const placeCode = places.codeOf(batch)
    pointCursor(cursor, bytes)
    for (let i = 0; i < count; i++) {
      if (problems?.has(i) || starts[i] === NONE) continue
      cursor.at = starts[i]
      cursor.end = ends[i]
      try {
        check(cursor, 0)
      } catch {
        continue
      }
      isRepeat(placeCode, starts[i], ends[i], timestamps[i])
    }
  }

  return { append, remember }
}

function liesTogether({ starts, ends }: LogBatch, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (starts[i] !== ends[i - 1]) return false
  return starts[from] !== NONE
}

/** The sinks of the columns that are held ready, and where they point: at the columns of the newest segment. */
function createTarget({ dataType, ring }: Store) {
  const symbol: NameRange = { from: 0, to: 0 }
  const exchange: NameRange = { from: 0, to: 0 }
  const assetClasses = new Uint8Array(ring.segmentSize.rows * ring.newest.stride)
  const needed = () => {}
  const times = { micros: ring.newest.exchangeTimes, none: needed }
  let { nulls } = ring.newest
  const pairs = ring.newest.pairs.map((values, column) => {
    const sink = {
      pairs: values,
      none(at: number) {
        nulls[8 * at] |= 1 << column
        sink.pairs[2 * at] = 0
        sink.pairs[2 * at + 1] = 0
      },
    }
    return sink
  })
  const sinks: Record<string, Sink> = {
    symbol: { take: cursor => noteRange(cursor, symbol), none: needed },
    exchange: { take: cursor => noteRange(cursor, exchange), none: needed },
    asset_class: { codes: assetClasses, none: needed },
    exchange_timestamp: times,
  }
  PAIR_COLUMNS[dataType].forEach((name, column) => (sinks[name] = pairs[column]))

  function point(segment: Segment): void {
    times.micros = segment.exchangeTimes
    nulls = segment.nulls
    pairs.forEach((sink, column) => (sink.pairs = segment.pairs[column]))
  }
  return { sinks, symbol, exchange, assetClasses, point }
}

function noteRange({ from, to }: Cursor, range: NameRange): void {
  range.from = from
  range.to = to
}

/** Puts a row at the end of its instrument's list, and notes when it came out of order. */
function linkRow(store: Store, instrument: Instrument, segment: Segment, at: number): void {
  const time = segment.exchangeTimes[at]
  const { appended, evicted, lastTime } = instrument
  const isAlone = appended === evicted
  if (!isAlone && time <= lastTime && comesBefore(store, instrument, segment, at))
    instrument.straggler = store.ring.head
  if (time < instrument.firstTime) instrument.firstTime = time
  if (time > lastTime) instrument.lastTime = time
  addPosition(store.ring, instrument)
}

/**
 * Whether a row stands before one that came earlier: the last one is the highest of all unless it came late itself.
 * Then it is not known, and the row is taken to be late too, which costs a sort and no row.
 */
function comesBefore(store: Store, instrument: Instrument, segment: Segment, at: number): boolean {
  const { ring } = store
  const position = positionOf(ring, instrument, instrument.appended - 1)
  if (instrument.straggler === position) return true
  const last = findSegment(ring, position)
  return compareRows(segment, at, last, rowAt(last, position), store) < 0
}
