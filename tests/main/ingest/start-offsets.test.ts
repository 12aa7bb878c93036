import { describe, expect, it } from 'vitest'
import { startOffsets, type StartOptions } from '../../../src/main/ingest/start-offsets.ts'
import { windowStarts } from '../../../src/main/ingest/window-starts.ts'
import { plainProduced } from '../../support/plain-intake.ts'
import { memoryLog, TRADES } from '../../support/writer.ts'

const life = { cluster: 'c', epoch: 'e', topic: TRADES }
const range = (partition: number, earliest: number, latest: number) => ({ partition, earliest, latest })
const start = (next: Record<string, number>, changes: Partial<StartOptions> = {}) =>
  startOffsets({
    vector: [{ ...life, next }],
    cluster: 'c',
    topics: [{ topic: TRADES, epoch: 'e', ranges: [range(0, 5, 100), range(1, 0, 0)] }],
    ...changes,
  }).get(TRADES)
const refusal = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return error
  }
}

describe('where a table goes on', () => {
  it('is what it says, to the offset, from the first that is held to the end', () => {
    expect(start({ 0: 5 })).toEqual(new Map([[0, 5]]))
    expect(start({ 0: 100, 1: 0 })).toEqual(
      new Map([
        [0, 100],
        [1, 0],
      ]),
    )
  })

  it('is not named for partitions and topics that it says nothing of', () => {
    expect(start({ 0: 7 })?.has(1)).toBe(false)
    expect(start({}, { vector: [] })).toEqual(new Map())
  })

  it('is refused beyond the end of the log, which is not the same log then', () => {
    expect(refusal(() => start({ 0: 101 }))).toMatchObject({
      code: 'LOG_RESET',
      details: { topic: TRADES, partition: 0, offset: 101, latest: 100 },
      message: expect.stringContaining(`k2 ingest offsets set ${TRADES} 0`) as string,
    })
    expect(refusal(() => start({ 7: 1 }))).toMatchObject({ code: 'LOG_RESET' })
  })

  it.each([
    ['another cluster', { cluster: 'other' }],
    ['a topic made anew', { topics: [{ topic: TRADES, epoch: 'f', ranges: [range(0, 0, 100)] }] }],
  ])('is refused in %s, even where the offset exists', (_, changes) => {
    expect(refusal(() => start({ 0: 50 }, changes))).toMatchObject({
      code: 'LOG_RESET',
      message: expect.stringContaining('k2 ingest offsets set') as string,
    })
  })

  it('is refused before what the log still holds, and says how much is lost', () => {
    expect(refusal(() => start({ 0: 2 }))).toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining('up to 3 messages') as string,
    })
  })
})

describe('what has to be read again at the start', () => {
  const MINUTE = 60e6
  const now = Date.UTC(2026, 10, 21, 10) * 1000
  const message = { id: 'a', symbol: 'A', seq: 1 }

  /** One partition with a message a minute, the last one `ageMinutes` before now. */
  async function windows(count: number, begin: number, options: Partial<Parameters<typeof windowStarts>[0]> = {}) {
    const log = await memoryLog([TRADES], 1)
    const times = (i: number) => now - (count - i + 30) * MINUTE
    await log.append(TRADES, plainProduced(Array(count).fill(message), times))
    const ranges = await log.ranges(TRADES)
    const starts = new Map([[0, begin]])
    const all = { log, topic: TRADES, ranges, starts, minutes: 60, rowsPerPartition: 1000, nowMicros: now, ...options }
    return (await windowStarts(all)).get(0)!
  }

  it('begins a window before the last message that the table has, or earlier', async () => {
    const at = await windows(500, 500)
    expect(at).toBeLessThanOrEqual(500 - 60)
    expect(at).toBeGreaterThan(500 - 60 - 64)
  })

  it('goes back to it from a start far behind the end of the log', async () => {
    const at = await windows(2000, 700)
    expect(at).toBeLessThanOrEqual(700 - 60)
  })

  it('is all that the window holds where a message is of a time that is still to come', async () => {
    const log = await memoryLog([TRADES], 1)
    const times = (i: number) => (i === 480 ? now + 365 * 1440 * MINUTE : now - (500 - i + 30) * MINUTE)
    await log.append(TRADES, plainProduced(Array(500).fill(message), times))
    const ranges = await log.ranges(TRADES)
    const options = { log, topic: TRADES, ranges, minutes: 60, rowsPerPartition: 100, nowMicros: now }
    expect((await windowStarts({ ...options, starts: new Map([[0, 500]]) })).get(0)).toBe(300)
    expect((await windowStarts({ ...options, starts: new Map([[0, 480]]) })).get(0)).toBeGreaterThan(300)
  })

  it('goes no further back than the messages that the window holds', async () => {
    expect(await windows(500, 500, { rowsPerPartition: 10 })).toBe(480)
  })

  it('is nothing without a window, at the beginning of the log, and of partitions that are new', async () => {
    expect(await windows(500, 500, { minutes: 0 })).toBe(500)
    expect(await windows(500, 0)).toBe(0)
    expect(await windows(500, 0, { starts: new Map() })).toBeUndefined()
  })

  it('ends also when the clock is far behind the messages, or far ahead of them', async () => {
    expect(await windows(100, 100, { nowMicros: 0 })).toBe(0)
    expect(await windows(100, 100, { nowMicros: now + 40 * 365 * 1440 * MINUTE })).toBeLessThanOrEqual(40)
  })
})
