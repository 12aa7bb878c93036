// Repeats: judged by a list that is searched from end to end. What is a repeat depends on the partition's messages alone.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDedupe } from '../../../src/main/market/dedupe.ts'
import { embeddedSchemaOf, createWireDecoder } from '../../../src/main/market/decode-wire.ts'
import { createCursor } from '../../../src/main/market/decode-primitives.ts'
import { readFingerprint } from '../../../src/main/market/fingerprint.ts'
import { trades } from '../../../src/contract/tables.ts'
import { messageOf, type SampleRow } from '../../support/market-messages.ts'

interface Came {
  key: number
  micros: number
}

const MINUTE = 60e6
/** Those of the keys below 100 often fall into the same bucket. */
const fingerprintOf = (key: number) => ({
  low: key % 3 === 0 && key < 100 ? 7 : Math.imul(key, 0x9e3779b1),
  high: -key,
})

const DAY = 1440 * MINUTE
const BELIEVED_AFTER = 5

/** The definition, by a list that is searched from end to end: for each message whether it is a repeat. */
function repeatsIn(all: readonly Came[], minutes: number, rows: number): boolean[] {
  const [windowMillis, farMillis] = [minutes * 60_000, Math.max(DAY / 1000, minutes * 60_000)]
  /** With the time of the partition then, and the own time where that counts for it. */
  let held: { key: number; millis: number; own?: number }[] = []
  let now = NaN
  let apart = 0
  // Times are held to 2^32 milliseconds.
  const sinceThen = (millis: number, then: number) => (millis - then) | 0
  const isNear = ({ millis }: { millis: number }) =>
    sinceThen(now, millis) < windowMillis && sinceThen(now, millis) >= -farMillis
  return all.map(({ key, micros }) => {
    const millis = Math.floor(micros / 1000)
    const ahead = Number.isNaN(now) ? 0 : millis - now
    apart =
      Math.abs(ahead) <= farMillis ? 0 : Math.max(apart * Math.sign(ahead), 0) * Math.sign(ahead) + Math.sign(ahead)
    const isBelieved = Math.abs(apart) === BELIEVED_AFTER
    if (isBelieved && ahead > 0) held = held.slice(-(BELIEVED_AFTER - 1))
    if (isBelieved && ahead < 0) held = held.map(one => ({ key: one.key, millis }))
    if (isBelieved) apart = 0
    const isDoubted = apart > 0
    if (!isDoubted) {
      const before = now
      now = Math.max(millis, ...held.flatMap(({ own }) => own ?? []))
      // Room is made when the time of the partition goes on.
      const firstNear = held.findIndex(isNear)
      if (now > before) held = firstNear < 0 ? [] : held.slice(firstNear)
    }
    while (held.length >= rows) held.shift()
    const counted = held.flatMap(({ own }) => own ?? [])
    if (!isDoubted) now = Math.max(millis, ...counted)
    else if (counted.length > 0) now = Math.max(...counted)
    const known = held.findLast(one => one.key === key)
    held.push(isDoubted ? { key, millis } : { key, millis: now, own: millis })
    if (!known) return false
    return isDoubted
      ? Math.abs(sinceThen(millis, known.millis)) < windowMillis
      : sinceThen(now, known.millis) < windowMillis
  })
}

const stream = fc
  .array(
    fc.record({
      key: fc.nat(12),
      // Mostly forward, at times all at once, a long pause, or a clock that is set back a day.
      step: fc.oneof(
        { weight: 8, arbitrary: fc.nat(40e6) },
        { weight: 2, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.constantFrom(90 * MINUTE, -1440 * MINUTE, -30 * MINUTE, 59_999_999) },
      ),
    }),
    { maxLength: 120 },
  )
  .map(cameBy)

/** With other clocks in it: a single message of one, or many in a row. */
const wildStream = fc
  .array(
    fc.record({
      key: fc.nat(6),
      step: fc.oneof(
        { weight: 8, arbitrary: fc.nat(40e6) },
        { weight: 1, arbitrary: fc.constantFrom(3 * DAY, 400 * DAY, -3 * DAY, -400 * DAY) },
      ),
      isOnlyThis: fc.boolean(),
    }),
    { maxLength: 120 },
  )
  .map(cameBy)

interface Step {
  key: number
  step: number
  /** What comes next goes on from the time before. */
  isOnlyThis?: boolean
}

function cameBy(steps: readonly Step[]): Came[] {
  let micros = 1_794_000_000_000_000
  return steps.map(({ key, step, isOnlyThis = false }) => {
    const came = { key, micros: micros + step }
    if (!isOnlyThis) micros += step
    return came
  })
}

describe('a repeat', () => {
  it('is what came before within the window and the number of rows, whatever the clock did', () => {
    fc.assert(
      fc.property(
        fc.oneof(stream, wildStream),
        fc.constantFrom(1, 3, 60, 3000),
        fc.constantFrom(1, 4, 20, 1000),
        (all, minutes, rows) => {
          const dedupe = createDedupe({ minutes, rowsPerPartition: rows, believedAfter: BELIEVED_AFTER })
          const found = all.map(({ key, micros }) => dedupe.isRepeat(0, fingerprintOf(key), micros))
          expect(found).toEqual(repeatsIn(all, minutes, rows))
          expect(dedupe.size()).toBeLessThanOrEqual(rows)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('is found in a window that goes on although one message came from a clock that is a year ahead', () => {
    const dedupe = createDedupe({ minutes: 60 })
    const seen = (key: number, minutes: number) => dedupe.isRepeat(0, fingerprintOf(key), minutes * MINUTE)
    expect(seen(1, 0)).toBe(false)
    expect(seen(2, 365 * 1440)).toBe(false)
    expect(seen(3, 1)).toBe(false)
    expect(seen(1, 59)).toBe(true)
    expect(seen(3, 61)).toBe(false)
    for (let minute = 62; minute < 1000; minute++) seen(1000 + minute, minute)
    expect(dedupe.size()).toBeLessThanOrEqual(61)
  })

  it('is none of before a weekend, and is found on the first morning after it', () => {
    const dedupe = createDedupe({ minutes: 60 })
    const seen = (key: number, micros: number) => dedupe.isRepeat(0, fingerprintOf(key), micros)
    const monday = 2.7 * DAY
    for (let key = 0; key < 2000; key++) expect(seen(key, 0)).toBe(false)
    for (let key = 0; key < 2000; key++) {
      expect(seen(key, monday + key * 1e6)).toBe(false)
      expect(seen(key, monday + key * 1e6)).toBe(true)
    }
    expect(dedupe.size()).toBeLessThanOrEqual(4000)
  })

  it('is the same after a restart that reads again from the first message not older than the window', () => {
    fc.assert(
      fc.property(stream, fc.nat(120), fc.constantFrom(1, 3, 60), (all, start, minutes) => {
        if (all.length === 0) return
        const at = start % all.length
        const before = createDedupe({ minutes, rowsPerPartition: 50 })
        const whole = all.map(({ key, micros }) => before.isRepeat(0, fingerprintOf(key), micros))
        const wanted = (all[at - 1] ?? all[at]).micros - minutes * MINUTE
        const first = all.findIndex(({ micros }) => micros >= wanted)
        const after = createDedupe({ minutes, rowsPerPartition: 50 })
        const again = all.slice(first).map(({ key, micros }) => after.isRepeat(0, fingerprintOf(key), micros))
        expect(again.slice(at - first)).toEqual(whole.slice(at))
      }),
      { numRuns: 500 },
    )
  })

  it('is one of its partition only, however many rows others had in between', () => {
    const dedupe = createDedupe({ minutes: 60, rowsPerPartition: 100 })
    expect(dedupe.isRepeat(0, fingerprintOf(1), 0)).toBe(false)
    for (let key = 0; key < 10_000; key++) dedupe.isRepeat(1, fingerprintOf(key), 0)
    expect(dedupe.isRepeat(2, fingerprintOf(1), 0)).toBe(false)
    expect(dedupe.isRepeat(0, fingerprintOf(1), 0)).toBe(true)
  })

  it('is found as long as rows come, also when they are numbered anew', () => {
    const dedupe = createDedupe({ minutes: 60, rowsPerPartition: 100 })
    for (let key = 0; key < 50_000; key++) {
      expect(dedupe.isRepeat(0, fingerprintOf(key), key)).toBe(false)
      if (key >= 40) expect(dedupe.isRepeat(0, fingerprintOf(key - 40), key)).toBe(true)
    }
  })

  it('is found among many of the same as fast as among others', { timeout: 60_000 }, () => {
    const dedupe = createDedupe({ minutes: 60 })
    const before = process.cpuUsage()
    let repeats = 0
    for (let i = 0; i < 150_000; i++) if (dedupe.isRepeat(0, fingerprintOf(i % 2), 0)) repeats++
    expect(repeats).toBe(150_000 - 2)
    expect(dedupe.isRepeat(0, fingerprintOf(2), 0)).toBe(false)
    // Processor time, as others run too: a fifth of a second, and minutes if each were looked for among all.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10)
  })

  it('is the same for messages that are looked at together', () => {
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 20 }), (all, size) => {
        const [one, together] = [createDedupe({ minutes: 3 }), createDedupe({ minutes: 3 })]
        for (let from = 0; from < all.length; from += size) {
          const part = all.slice(from, from + size)
          const prints = Int32Array.from(part.flatMap(({ key }) => Object.values(fingerprintOf(key))))
          const marks = new Uint8Array(size).fill(9)
          const times = Float64Array.from(part, ({ micros }) => micros)
          const count = together.markRepeats(0, prints, times, part.length, marks)
          const expected = part.map(({ key, micros }) => (one.isRepeat(0, fingerprintOf(key), micros) ? 1 : 0))
          expect([...marks.subarray(0, part.length)]).toEqual(expected)
          expect(count).toBe(expected.filter(mark => mark === 1).length)
        }
      }),
    )
  })

  it('is not looked for with a window of no minutes', () => {
    const dedupe = createDedupe({ minutes: 0 })
    expect(dedupe.isRepeat(0, fingerprintOf(1), 0)).toBe(false)
    expect(dedupe.isRepeat(0, fingerprintOf(1), 0)).toBe(false)
    expect(dedupe.size()).toBe(0)
  })
})

describe('the memory of repeats', () => {
  it('is at most 24 bytes a message of a full partition, and little of one with few', () => {
    const dedupe = createDedupe({ minutes: 60 })
    for (let key = 0; key < 300_000; key++) dedupe.isRepeat(0, fingerprintOf(key), 0)
    expect(dedupe.size()).toBe(200_000)
    expect(dedupe.bytes() / dedupe.size()).toBeLessThan(24)
    const before = dedupe.bytes()
    dedupe.isRepeat(1, fingerprintOf(1), 0)
    expect(dedupe.bytes() - before).toBeLessThan(8_000)
  })
})

describe('a fingerprint', () => {
  const decode = createWireDecoder(trades, {}, 'check')
  const row: SampleRow = {
    symbol: 'BHP',
    micros: 1_794_000_000_123_456,
    id: 17,
    sequence: 7,
    vendorData: { venue: 'X' },
  }

  /** In a buffer of a log, not at its beginning. */
  function printOf(message: Buffer) {
    const bytes = Buffer.concat([Buffer.alloc(13, 0xff), message, Buffer.alloc(5, 0xee)])
    const cursor = { ...createCursor(bytes), at: 13, end: 13 + message.length }
    decode(cursor, 0)
    const out = { low: 0, high: 0 }
    readFingerprint(cursor, 13, 13 + message.length, out)
    return `${out.low} ${out.high}`
  }
  const print = (change: Partial<SampleRow> = {}) => printOf(messageOf('trades', { ...row, ...change }))

  it('leaves out when a row was taken in, whatever length that takes', () => {
    expect(embeddedSchemaOf(0x7fffff01)).toBeDefined()
    for (const ingestedMicros of [0, 1, 63, 64, 1e6, 1e15]) expect(print({ ingestedMicros })).toBe(print())
  })

  it('is another one for any other content', () => {
    const changes: Partial<SampleRow>[] = [
      { id: 18 },
      { symbol: 'BHQ' },
      { sequence: 8 },
      { sequence: null },
      { price: 3_618_000_001 },
      { micros: row.micros + 1 },
      { vendorData: { venue: 'Y' } },
      { vendorData: {} },
      { vendorData: null },
      { conditions: [] },
    ]
    expect(new Set([print(), ...changes.map(print)]).size).toBe(changes.length + 1)
  })

  it(
    'differs for every flip of one bit or of two bits of the same place, and among a million ids',
    { timeout: 60_000 },
    () => {
      const message = messageOf('trades', row)
      const cursor = createCursor(message)
      const out = { low: 0, high: 0 }
      const seen = new Set<bigint>()
      const note = () => {
        readFingerprint(cursor, 0, message.length, out)
        seen.add((BigInt(out.high >>> 0) << 32n) | BigInt(out.low >>> 0))
      }
      note()
      const last = message.length - 1
      for (let at = 0; at <= last; at++)
        for (let bit = 1; bit < 256; bit *= 2) {
          message[at] ^= bit
          note()
          for (let other = at + 1; other <= last; other += 4) {
            message[other] ^= bit
            note()
            message[other] ^= bit
          }
          message[at] ^= bit
        }
      let count = 1
      for (let at = 0; at <= last; at++) count += 8 * (1 + Math.ceil((last - at) / 4))
      expect(seen.size).toBe(count)
      for (let id = 0; id < 1_000_000; id++) {
        message.writeInt32LE(id, 40)
        note()
      }
      expect(seen.size).toBeGreaterThanOrEqual(count + 999_000)
    },
  )
})
