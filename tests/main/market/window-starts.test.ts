// From where repeats are known at a start: as if all had been read, wherever one begins and however far back it is looked first.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDedupe } from '../../../src/main/market/dedupe.ts'
import { findWindowStarts, type WindowOptions } from '../../../src/main/market/window-starts.ts'

const MINUTE = 60e6
const NOW = Date.UTC(2026, 10, 21, 10) * 1000

interface Message {
  offset: number
  micros: number
  id: number
}
interface Partition {
  earliest: number
  latest: number
  messages: Message[]
}

function logOf(partitions: readonly Partition[]): WindowOptions['log'] & { asked: number } {
  return {
    asked: 0,
    offsetsAt(_, micros) {
      this.asked++
      const first = ({ messages, latest }: Partition) => messages.find(one => one.micros >= micros)?.offset ?? latest
      return Promise.resolve(new Map(partitions.map((partition, i) => [i, first(partition)])))
    },
  }
}

const rangesOf = (partitions: readonly Partition[]) =>
  partitions.map(({ earliest, latest }, partition) => ({ partition, earliest, latest }))

/** A partition whose clock goes on by less than a day at a time, with messages that come late, and offsets left out. */
const partitionOf = fc
  .record({
    earliest: fc.nat(5),
    idleMinutes: fc.oneof(fc.nat(5), fc.nat(20_000)),
    messages: fc.array(
      fc.record({
        advance: fc.oneof(fc.nat(5), fc.nat(120), fc.nat(1300)),
        late: fc.oneof(fc.constant(0), fc.nat(90)),
        id: fc.nat(3),
        gap: fc.nat(1),
      }),
      { maxLength: 40 },
    ),
  })
  .map(({ earliest, idleMinutes, messages }): Partition => {
    let clock = NOW - (idleMinutes + messages.reduce((sum, { advance }) => sum + advance, 0)) * MINUTE
    let offset = earliest
    const placed = messages.map(({ advance, late, id, gap }) => {
      clock += advance * MINUTE
      offset += gap
      return { offset: offset++, micros: clock - late * MINUTE, id }
    })
    return { earliest, latest: offset, messages: placed }
  })

/** Which of a partition's messages are repeats for one who begins to read at an offset. */
function repeatsFrom({ messages }: Partition, from: number, minutes: number, rowsPerPartition: number) {
  const dedupe = createDedupe({ minutes, rowsPerPartition })
  return messages
    .filter(({ offset }) => offset >= from)
    .filter(({ id, micros }) => dedupe.isRepeat(0, { low: id, high: id }, micros))
    .map(({ offset }) => offset)
}

describe('where the window of repeats begins to be read', () => {
  it('gives the tail and the writer the repeats that one finds who has read everything, wherever each begins', async () => {
    let saved = 0
    const property = fc.asyncProperty(
      fc.array(partitionOf, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.record({ share: fc.nat(100), firstStepMinutes: fc.constantFrom(1, 5, 20) }), {
        minLength: 2,
        maxLength: 2,
      }),
      async (partitions, minutes, rowsPerPartition, readers) => {
        const log = logOf(partitions)
        for (const { share, firstStepMinutes } of readers) {
          const starts = new Map(
            partitions.map(({ earliest, latest }, i) => [
              i,
              earliest + Math.round(((latest - earliest) * share) / 100),
            ]),
          )
          const options = { log, topic: 'topic', ranges: rangesOf(partitions), starts, nowMicros: NOW }
          const windows = await findWindowStarts({ ...options, minutes, rowsPerPartition, firstStepMinutes })
          partitions.forEach((partition, i) => {
            const [start, begin] = [starts.get(i)!, windows.get(i)!]
            expect(begin).toBeGreaterThanOrEqual(partition.earliest)
            expect(begin).toBeLessThanOrEqual(start)
            const fromStart = (found: number[]) => found.filter(offset => offset >= start)
            const whole = repeatsFrom(partition, partition.earliest, minutes, rowsPerPartition)
            expect(fromStart(repeatsFrom(partition, begin, minutes, rowsPerPartition))).toEqual(fromStart(whole))
            saved += begin - partition.earliest
          })
        }
      },
    )
    await fc.assert(property, { numRuns: 300 })
    expect(saved).toBeGreaterThan(1000)
  })

  /** One partition with a message a minute, the last one half an hour before now. */
  const aMinuteEach = (count: number, microsOf = (i: number) => NOW - (count - i + 30) * MINUTE): Partition => ({
    earliest: 0,
    latest: count,
    messages: Array.from({ length: count }, (_, i) => ({ offset: i, micros: microsOf(i), id: 0 })),
  })
  const beginOf = async (partition: Partition, start: number, changes: Partial<WindowOptions> = {}) => {
    const options = { log: logOf([partition]), topic: 'topic', ranges: rangesOf([partition]) }
    const starts = new Map([[0, start]])
    const all = { ...options, starts, minutes: 60, rowsPerPartition: 1000, nowMicros: NOW, ...changes }
    return (await findWindowStarts(all)).get(0)
  }

  it('is a window before the last message, and not much earlier, at the end of the log or far behind it', async () => {
    const atEnd = await beginOf(aMinuteEach(500), 500)
    expect(atEnd).toBeLessThanOrEqual(500 - 60)
    expect(atEnd).toBeGreaterThan(500 - 60 - 64)
    const behind = await beginOf(aMinuteEach(2000), 1500)
    expect(behind).toBeLessThanOrEqual(1500 - 60)
    expect(behind).toBeGreaterThan(0)
  })

  it('is found with one look back where the start is as old as the first step', async () => {
    const partition = aMinuteEach(500)
    const log = logOf([partition])
    expect(await beginOf(partition, 490, { log, firstStepMinutes: 40 })).toBe(430)
    expect(log.asked).toBe(3)
  })

  it('is twice what the window holds behind a message whose time is far ahead, as times tell nothing there', async () => {
    const partition = aMinuteEach(500, i => NOW + (i === 480 ? 365 * 1440 : i - 530) * MINUTE)
    expect(await beginOf(partition, 500, { rowsPerPartition: 50 })).toBe(300)
    expect(await beginOf(partition, 480, { rowsPerPartition: 50 })).toBeGreaterThan(300)
  })

  it('goes no further back than twice the messages that the window holds, with room for offsets left out', async () => {
    expect(await beginOf(aMinuteEach(500), 500, { rowsPerPartition: 10 })).toBe(460)
  })

  it('gives the same repeats where messages came late behind one that is further back than what is read', async () => {
    const [first, minutes] = [NOW - 200 * MINUTE, 93]
    const at = (offset: number, minute: number, id: number) => ({ offset, micros: first + minute * MINUTE, id })
    const partition = { earliest: 0, latest: 6, messages: [at(0, 0, 2), at(1, -1, 0), at(3, -1, 1), at(5, 92, 1)] }
    const begin = await beginOf(partition, 5, { minutes, rowsPerPartition: 2, nowMicros: NOW })
    // To the millisecond a window after the one it repeats, when the first message is held no more.
    for (const from of [0, begin!]) expect(repeatsFrom(partition, from, minutes, 2)).toEqual([])
  })

  it('gives the same repeats behind a message ahead of all others that is further back than what is read', async () => {
    // Whoever has read the first message knows its time; who begins behind it does not.
    const late = Array.from({ length: 40 }, (_, i) => ({ offset: i + 1, micros: NOW - (100 - i) * MINUTE, id: i % 7 }))
    const partition = { earliest: 0, latest: 41, messages: [{ offset: 0, micros: NOW - MINUTE, id: 9 }, ...late] }
    const begin = (await beginOf(partition, 38, { minutes: 5, rowsPerPartition: 8 }))!
    expect(begin).toBeGreaterThan(0)
    const [whole, again] = [0, begin].map(from => repeatsFrom(partition, from, 5, 8).filter(offset => offset >= 38))
    expect(again).toEqual(whole)
    // By its own clock each is seven minutes after the one it repeats.
    expect(whole).toEqual([])
  })

  it('is nothing without a window, at the beginning of the log, and of partitions that are new', async () => {
    expect(await beginOf(aMinuteEach(500), 500, { minutes: 0 })).toBe(500)
    expect(await beginOf(aMinuteEach(500), 0)).toBe(0)
    expect(await beginOf(aMinuteEach(500), 0, { starts: new Map() })).toBeUndefined()
  })

  it('ends also when the clock is far behind the messages, or far ahead of them', async () => {
    expect(await beginOf(aMinuteEach(100), 100, { nowMicros: 0 })).toBe(0)
    expect(await beginOf(aMinuteEach(100), 100, { nowMicros: NOW + 100 * 365 * 1440 * MINUTE })).toBeLessThanOrEqual(40)
  })
})
