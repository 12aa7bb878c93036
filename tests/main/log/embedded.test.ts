// The embedded log: what a reader gets is what was appended, in order, once; memory stays bounded; nothing is left behind.
import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createEmbeddedLog, type EmbeddedLogOptions } from '../../../src/main/log/embedded.ts'
import type { MessageLog, Produced, StartAt } from '../../../src/main/log/message-log.ts'
import { valueOf, type LogBatch } from '../../../src/main/market/log-batch.ts'
import { partitionOf } from '../../../src/main/market/partition.ts'

const TOPIC = 'market.equities.trades.asx'

async function openLog(partitions = 4, options: Partial<EmbeddedLogOptions> = {}): Promise<MessageLog> {
  const log = createEmbeddedLog({ maxBytes: 64e6, ...options })
  onTestFinished(() => log.close())
  await log.createTopics([{ name: TOPIC, partitions }])
  return log
}

function produced(messages: readonly (readonly [key: string, text: string])[], timestamps?: number[]): Produced {
  const values = messages.map(([, text]) => Buffer.from(text))
  const ends = new Uint32Array(values.length)
  values.reduce((end, value, i) => (ends[i] = end + value.length), 0)
  const keys = messages.map(([key]) => key)
  const times = timestamps && { timestamps: Float64Array.from(timestamps) }
  return { count: values.length, keys, values: Buffer.concat(values), ends, ...times }
}

const iterate = (batches: AsyncIterable<LogBatch>) => batches[Symbol.asyncIterator]()
const textsOf = (batch: LogBatch) => Array.from({ length: batch.count }, (_, i) => String(valueOf(batch, i)))

/** What a reader gets until so many messages have come, by partition. */
async function readTexts(log: MessageLog, count: number, from: (partition: number) => StartAt = () => 'earliest') {
  const texts = new Map<number, string[]>()
  let left = count
  if (left === 0) return texts
  for await (const batch of log.read({
    topics: [TOPIC],
    from: (_, partition) => from(partition),
    signal: new AbortController().signal,
  })) {
    texts.set(batch.partition, [...(texts.get(batch.partition) ?? []), ...textsOf(batch)])
    left -= batch.count
    if (left <= 0) break
  }
  return texts
}

describe('the embedded log', () => {
  it("puts a key's messages in the partition that Kafka's producers would, in order", async () => {
    const log = await openLog(16)
    const keys = ['BHP', 'RIO', 'CBA', 'BTCUSDT', 'über']
    const messages = Array.from({ length: 200 }, (_, i) => [keys[i % keys.length], `${i}`] as const)
    await log.append(TOPIC, produced(messages))
    const texts = await readTexts(log, 200)
    for (const key of keys) {
      const own = messages.filter(([name]) => name === key).map(([, text]) => text)
      const inPartition = texts.get(partitionOf(key, 16))!
      expect(inPartition.filter(text => own.some(known => known === text))).toEqual(own)
    }
  })

  it('gives back any messages, in any number of appends, whole and in the order of their partition', async () => {
    const message = fc.tuple(fc.constantFrom(...'abcde'), fc.string({ maxLength: 300 }))
    const property = fc.asyncProperty(
      fc.array(fc.array(message, { maxLength: 40 }), { maxLength: 12 }),
      async appends => {
        const log = createEmbeddedLog({ maxBytes: 64e6 })
        await log.createTopics([{ name: TOPIC, partitions: 3 }])
        for (const messages of appends) await log.append(TOPIC, produced(messages))
        const expected = new Map<number, string[]>()
        for (const [key, text] of appends.flat()) {
          const partition = partitionOf(key, 3)
          expected.set(partition, [...(expected.get(partition) ?? []), Buffer.from(text).toString()])
        }
        expect(await readTexts(log, appends.flat().length)).toEqual(expected)
        await log.close()
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })

  it('numbers the messages of a partition from 0 without gaps and says where the next read starts', async () => {
    const log = await openLog(1)
    await log.append(TOPIC, produced(Array.from({ length: 5000 }, (_, i) => ['BHP', `${i}`])))
    let next = 0
    for await (const batch of log.read({
      topics: [TOPIC],
      from: () => 'earliest',
      signal: new AbortController().signal,
    })) {
      expect(Array.from(batch.offsets)).toEqual(Array.from({ length: batch.count }, (_, i) => next + i))
      next += batch.count
      expect(batch.nextOffset).toBe(next)
      if (next === 5000) break
    }
  })

  it('stamps messages with its own clock where the producer gave no time', async () => {
    const log = await openLog(1, { now: () => 1_700_000_000_000_123 })
    await log.append(TOPIC, produced([['BHP', 'x']]))
    await log.append(TOPIC, produced([['BHP', 'y']], [5]))
    for await (const { timestamps } of log.read({
      topics: [TOPIC],
      from: () => 'earliest',
      signal: new AbortController().signal,
    })) {
      expect(Array.from(timestamps)).toEqual([1_700_000_000_000_123, 5])
      break
    }
  })

  it('reads on from an offset, from the oldest message, or from what comes after the call', async () => {
    const log = await openLog(1)
    await log.append(TOPIC, produced(['a', 'b', 'c', 'd'].map(text => ['BHP', text])))
    expect((await readTexts(log, 2, () => 2)).get(0)).toEqual(['c', 'd'])
    expect((await readTexts(log, 4)).get(0)).toEqual(['a', 'b', 'c', 'd'])
    const latest = iterate(log.read({ topics: [TOPIC], from: () => 'latest', signal: new AbortController().signal }))
    await log.append(TOPIC, produced([['BHP', 'e']]))
    expect(textsOf((await latest.next()).value as LogBatch)).toEqual(['e'])
    await latest.return?.()
  })

  it('wakes a reader that waits when something is appended', async () => {
    const log = await openLog()
    const reading = readTexts(log, 1)
    await setImmediate()
    await log.append(TOPIC, produced([['RIO', 'now']]))
    expect([...(await reading).values()]).toEqual([['now']])
  })

  it('gives every partition its turn while one has a large backlog', async () => {
    const log = await openLog(2)
    const [busy, quiet] = ['BHP', 'RIO', 'CBA', 'CSL'].reduce<string[]>(
      (found, key) => (found.some(known => partitionOf(known, 2) === partitionOf(key, 2)) ? found : [...found, key]),
      [],
    )
    await log.append(TOPIC, produced(Array.from({ length: 50_000 }, () => [busy, 'x'])))
    await log.append(TOPIC, produced([[quiet, 'y']]))
    let batches = 0
    for await (const batch of log.read({
      topics: [TOPIC],
      from: () => 'earliest',
      signal: new AbortController().signal,
    })) {
      batches++
      if (batch.partition === partitionOf(quiet, 2)) break
    }
    expect(batches).toBeLessThanOrEqual(2)
  })

  it('finds the first offset of each partition that is not older than a time', async () => {
    const log = await openLog(1)
    const times = [10, 20, 15, 30]
    for (const time of times) await log.append(TOPIC, produced([['BHP', 'x']], [time]))
    for (const [micros, offset] of [
      [0, 0],
      [10, 0],
      [11, 1],
      [20, 1],
      [25, 3],
      [31, 4],
    ] as const)
      expect((await log.offsetsAt(TOPIC, micros)).get(0)).toBe(offset)
  })
})

describe('retention of the embedded log', () => {
  const filler = Array.from({ length: 64 }, (_, i) => [`key ${i % 8}`, 'x'.repeat(100)] as const)

  it('keeps memory below its limit and removes the oldest, whichever partition it is in', async () => {
    let now = 0
    const log = await openLog(4, { maxBytes: 200_000, now: () => ++now })
    await log.append(TOPIC, produced([['quiet', 'early']]))
    for (let i = 0; i < 200; i++) await log.append(TOPIC, produced(filler))
    const ranges = await log.ranges(TOPIC)
    const held = ranges.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0)
    expect(ranges.reduce((sum, { latest }) => sum + latest, 0)).toBe(200 * 64 + 1)
    expect(held * 100).toBeLessThan(200_000)
    expect(held).toBeGreaterThan(500)
    expect(ranges[partitionOf('quiet', 4)].earliest).toBeGreaterThan(0)
  })

  it('tells a reader who comes too late what is still held, instead of skipping', async () => {
    const log = await openLog(1, { maxBytes: 50_000 })
    const reader = iterate(log.read({ topics: [TOPIC], from: () => 0, signal: new AbortController().signal }))
    for (let i = 0; i < 50; i++) await log.append(TOPIC, produced(filler))
    const [{ earliest, latest }] = await log.ranges(TOPIC)
    await expect(reader.next()).rejects.toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      details: { topic: TOPIC, partition: 0, offset: 0, earliest, latest },
    })
    await expect(readTexts(log, 1, () => latest + 1)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    expect((await readTexts(log, 1, () => earliest)).get(0)).not.toHaveLength(0)
  })

  it('keeps what is not in the tables, takes no more when that is all there is room for, and goes on when it is written', async () => {
    let written = 0
    const log = await openLog(2, {
      maxBytes: 100_000,
      heldFrom: (_, partition) => (partition === 0 ? written : Infinity),
    })
    const [held, other] = [0, 1].map(partition => filler.find(([key]) => partitionOf(key, 2) === partition)!)
    const many = (message: readonly [string, string]) => produced(Array.from({ length: 64 }, () => message))
    for (let i = 0; i < 8; i++) await log.append(TOPIC, many(held))
    for (let i = 0; i < 50; i++) await log.append(TOPIC, many(other))
    expect((await log.ranges(TOPIC))[0]).toEqual({ partition: 0, earliest: 0, latest: 8 * 64 })
    const refused = async () => {
      for (let i = 0; i < 50; i++) await log.append(TOPIC, many(held))
    }
    await expect(refused()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    const [before] = await log.ranges(TOPIC)
    expect(before.earliest).toBe(0)
    await expect(log.append(TOPIC, many(other))).rejects.toThrow('full of messages that are not in the tables yet')
    expect((await log.ranges(TOPIC))[0]).toEqual(before)
    written = before.latest
    for (let i = 0; i < 50; i++) await log.append(TOPIC, many(other))
    await expect(refused()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect((await log.ranges(TOPIC))[0].earliest).toBeGreaterThan(0)
  })

  it('has room for what is under way in many partitions', async () => {
    const written = new Map<number, number>()
    const log = await openLog(92, { maxBytes: 8e6, heldFrom: (_, partition) => written.get(partition) ?? 0 })
    for (let i = 0; i < 2_000; i++) {
      const text = 'x'.repeat(100)
      await log.append(TOPIC, produced(Array.from({ length: 64 }, (_, k) => [`key ${64 * i + k}`, text] as const)))
      if (i % 20 === 0) for (const { partition, latest } of await log.ranges(TOPIC)) written.set(partition, latest - 1)
    }
    expect((await log.ranges(TOPIC)).every(({ earliest }) => earliest > 0)).toBe(true)
  })

  it('leaves what a reader was given as it was', async () => {
    const log = await openLog(1, { maxBytes: 50_000 })
    await log.append(TOPIC, produced([['BHP', 'first']]))
    const reader = iterate(log.read({ topics: [TOPIC], from: () => 0, signal: new AbortController().signal }))
    const batch = (await reader.next()).value as LogBatch
    for (let i = 0; i < 50; i++) await log.append(TOPIC, produced(filler))
    expect(textsOf(batch)).toEqual(['first'])
    await reader.return?.()
  })
})

describe('a reader of the embedded log', () => {
  it('ends at once when aborted, waiting or not, and leaves no listener', async () => {
    const log = await openLog()
    const abort = new AbortController()
    let hasCleanedUp = false
    async function read() {
      try {
        for await (const batch of log.read({ topics: [TOPIC], from: () => 'earliest', signal: abort.signal }))
          expect(batch.count).toBe(1)
      } finally {
        hasCleanedUp = true
      }
    }
    const reading = read()
    await log.append(TOPIC, produced([['BHP', 'x']]))
    await setImmediate()
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1)
    abort.abort()
    await reading
    expect(hasCleanedUp).toBe(true)
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
  })

  it('leaves no listener when its owner stops early', async () => {
    const log = await openLog()
    const { signal } = new AbortController()
    await log.append(TOPIC, produced([['BHP', 'x']]))
    for await (const batch of log.read({ topics: [TOPIC], from: () => 'earliest', signal })) {
      expect(batch.count).toBe(1)
      break
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('ends when the log is closed', async () => {
    const log = await openLog()
    const reading = (async () => {
      for await (const batch of log.read({
        topics: [TOPIC],
        from: () => 'latest',
        signal: new AbortController().signal,
      }))
        return batch
      return 'ended'
    })()
    await setImmediate()
    await log.close()
    expect(await reading).toBe('ended')
  })
})

describe('the embedded log refuses', () => {
  it('a topic with another number of partitions, and creates none of the others', async () => {
    const log = await openLog(4)
    const specs = [
      { name: 'new', partitions: 1 },
      { name: TOPIC, partitions: 5 },
    ]
    await expect(log.createTopics(specs)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await log.topics()).toEqual([{ name: TOPIC, partitions: 4, epoch: '0' }])
    await log.createTopics([{ name: TOPIC, partitions: 4 }])
  })

  it('a topic that does not exist', async () => {
    const log = await openLog()
    await expect(log.append('no.such', produced([['a', 'b']]))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(() => log.read({ topics: ['no.such'], from: () => 0, signal: new AbortController().signal })).toThrow(
      'no topic no.such',
    )
  })

  it('a message above 1 MB and ends outside the bytes, and appends nothing of them', async () => {
    const log = await openLog()
    const large = produced([
      ['a', 'small'],
      ['a', 'x'.repeat(1024 * 1024 + 1)],
    ])
    await expect(log.append(TOPIC, large)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    const wrong = {
      ...produced([
        ['a', 'small'],
        ['a', 'small'],
      ]),
      ends: Uint32Array.of(5, 11),
    }
    await expect(log.append(TOPIC, wrong)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await expect(log.append(TOPIC, { ...wrong, count: 3 })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect((await log.ranges(TOPIC)).every(({ latest }) => latest === 0)).toBe(true)
  })

  it('everything once it is closed', async () => {
    const log = await openLog()
    await log.close()
    const refused = { code: 'UNAVAILABLE', retryable: false }
    await expect(log.append(TOPIC, produced([['a', 'b']]))).rejects.toMatchObject(refused)
    await expect(log.createTopics([{ name: 'late', partitions: 1 }])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('to be taken for another one', async () => {
    const [one, other] = [createEmbeddedLog({ maxBytes: 1e6 }), createEmbeddedLog({ maxBytes: 1e6 })]
    expect(await one.cluster()).not.toBe(await other.cluster())
    expect(await createEmbeddedLog({ maxBytes: 1e6, cluster: 'e1' }).cluster()).toBe('e1')
  })
})
