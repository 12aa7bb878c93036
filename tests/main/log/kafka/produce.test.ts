// What becomes of messages that wait or are on their way when the partitions of their topic change. Brokers here answer
// when a test says so, and what it says; how it goes with real ones is in the live tests.
import { describe, expect, it, onTestFinished } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import type { Cluster } from '../../../../src/main/log/kafka/cluster.ts'
import { KAFKA } from '../../../../src/main/log/kafka/errors.ts'
import type { Link } from '../../../../src/main/log/kafka/link.ts'
import { createProducing } from '../../../../src/main/log/kafka/produce.ts'
import type { ProduceAnswer } from '../../../../src/main/log/kafka/produce-requests.ts'
import { PRODUCER_AT, SEQUENCE_AT } from '../../../../src/main/log/kafka/record-batch.ts'
import type { KafkaRequest } from '../../../../src/main/log/kafka/request.ts'
import { readWire, writeWire } from '../../../../src/main/log/kafka/wire.ts'
import { partitionOf } from '../../../../src/main/market/partition.ts'
import { numbered, produced, type Sent } from '../../../support/kafka-log.ts'
import { decode, messagesOf } from './batches.ts'

interface Batch {
  partition: number
  texts: (string | null)[]
  producer: bigint
  sequence: number
}

interface Request {
  node: number
  batches: Batch[]
  answer: (code: number) => void
  lose: () => void
}

/** Every request waits in `requests` for the test to answer it; `leaders` are by partition. */
function openProducing(id: string, leaders: number[]) {
  const topic = { id, leaders }
  const requests: Request[] = []
  const closing = new AbortController()
  let producers = 0n
  const refuse = () => Promise.reject(new Error('Nothing of that kind is to be asked.'))
  const send = (node: number, request: KafkaRequest<unknown>) =>
    new Promise<ProduceAnswer[]>((resolve, reject) => {
      const batches = batchesOf(request)
      requests.push({
        node,
        batches,
        answer: code => resolve(batches.map(({ partition }) => ({ topic: 't', partition, code }))),
        lose: () => reject(new Failure('UNAVAILABLE', 'cut off', { retryable: true })),
      })
    })
  const cluster: Cluster = {
    access: { clientId: 'test', ssl: false, answerMs: 1000 },
    signal: closing.signal,
    say: () => {},
    address: () => '127.0.0.1:1',
    link: refuse,
    anyLink: () =>
      Promise.resolve({
        send: () => Promise.resolve({ code: 0, identity: { id: ++producers, epoch: 0 } }),
      } as unknown as Link),
    send: send as Cluster['send'],
    metadata: refuse,
    topic: name => {
      const partitions = topic.leaders.map((leader, partition) => ({ code: 0, partition, leader }))
      return Promise.resolve({ code: 0, name, id: topic.id, isInternal: false, partitions })
    },
    close: () => closing.abort(),
  }
  const producing = createProducing(cluster, { nowMs: () => 0, deliverMs: 10_000 })
  onTestFinished(() => closing.abort())
  async function next(node = 1): Promise<Request> {
    await expect.poll(() => requests.some(request => request.node === node)).toBe(true)
    const found = requests.findIndex(request => request.node === node)
    return requests.splice(found, 1)[0]
  }
  /** Acknowledges all until there were so many messages. */
  async function write(messages: number, node?: number): Promise<Batch[]> {
    const written: Batch[] = []
    while (textsOf(written).length < messages) {
      const { batches, answer } = await next(node)
      answer(KAFKA.NONE)
      written.push(...batches)
    }
    return written
  }
  return {
    append: (messages: Sent[]) => producing.append('t', produced(messages)),
    /** From now on; under another id it is another topic. */
    change: (id: string, leaders: number[]) => Object.assign(topic, { id, leaders }),
    next,
    write,
  }
}

function batchesOf(request: KafkaRequest<unknown>): Batch[] {
  const writer = writeWire()
  request.encode(writer)
  const reader = readWire(writer.finish())
  reader.string()
  reader.int16()
  reader.int32()
  return reader
    .array(() => {
      reader.string()
      return reader.array(() => {
        const [partition, records] = [reader.int32(), reader.bytes()]
        const [producer, sequence] = [records.readBigInt64BE(PRODUCER_AT), records.readInt32BE(SEQUENCE_AT)]
        return { partition, texts: messagesOf(decode(records)).map(({ text }) => text), producer, sequence }
      })
    })
    .flat()
}

const textsOf = (batches: readonly Batch[]) => batches.flatMap(({ texts }) => texts)
const textsIn = (batches: readonly Batch[], partition: number) =>
  textsOf(batches.filter(batch => batch.partition === partition))
/** The messages whose keys belong to this one of so many partitions. */
const partOf = (messages: readonly Sent[], partition: number, count: number) =>
  messages.filter(({ key }) => partitionOf(key, count) === partition)
const expectSame = (texts: readonly (string | null)[], messages: readonly Sent[]) =>
  expect([...texts].sort()).toEqual(messages.map(({ text }) => text).sort())

const first = numbered(28)
const second = numbered(28, 28)

describe('a batch', () => {
  it('is in one request at a time, also when another broker leads its partition before that is answered', async () => {
    const { append, change, next, write } = openProducing('one', [1, 2])
    const appending = [append(first)]
    const [onItsWay, lost] = [await next(1), await next(2)]
    change('one', [2, 2])
    lost.lose()
    appending.push(append(second))
    const again = await next(2)
    expect(again.batches).toEqual(lost.batches)
    onItsWay.answer(KAFKA.NONE)
    again.answer(KAFKA.NONE)
    expectSame(textsOf(await write(28, 2)), second)
    await Promise.all(appending)
  })
})

describe('a topic that was made anew with fewer partitions', () => {
  const ofTheFourth = partOf(first, 3, 4)

  it('gets what waited in the partitions that its keys belong to now, each message once and in order', async () => {
    const { append, change, next, write } = openProducing('one', [1, 1, 1, 1])
    const appending = [append(first)]
    const lost = await next()
    expectSame(textsIn(lost.batches, 3), ofTheFourth)
    appending.push(append(second))
    change('two', [1, 1, 1])
    lost.lose()
    const written = await write(56)
    await Promise.all(appending)
    expectSame(textsOf(written), [...first, ...second])
    // Nobody knows whether these were written, so they stay what they were.
    const again = written.filter(
      ({ sequence, partition }) => sequence === 0 && textsIn(lost.batches, partition).length > 0,
    )
    expect(again.toSorted((a, b) => a.partition - b.partition)).toEqual(lost.batches.slice(0, -1))
    const others = written.filter(batch => !again.includes(batch))
    for (const partition of [0, 1, 2])
      expectSame(textsIn(others, partition), partOf([...ofTheFourth, ...second], partition, 3))
    for (const { key } of ofTheFourth) {
      const own = [...first, ...second].filter(message => message.key === key).map(({ text }) => text)
      expect(textsOf(others).filter(text => own.includes(text))).toEqual(own)
    }
  })

  it.each([
    ['acknowledged', KAFKA.NONE],
    ['refused', KAFKA.UNKNOWN_TOPIC_OR_PARTITION],
  ])('leaves a batch that is on its way alone until it is %s', async (_, code) => {
    const { append, change, next, write } = openProducing('one', [1, 1, 1, 2])
    const appending = [append(first)]
    const [lost, onItsWay] = [await next(1), await next(2)]
    appending.push(append(second))
    change('two', [1, 1, 1])
    lost.lose()
    const written = await write(56 - ofTheFourth.length)
    expectSame([...textsOf(written), ...textsOf(onItsWay.batches)], [...first, ...second])
    onItsWay.answer(code)
    if (code !== KAFKA.NONE) {
      const moved = await write(ofTheFourth.length)
      for (const partition of [0, 1, 2]) expectSame(textsIn(moved, partition), partOf(ofTheFourth, partition, 3))
    }
    await Promise.all(appending)
  })

  it('is written under a new producer where it has more of them later', async () => {
    const { append, change, next, write } = openProducing('one', [1, 1, 1, 1])
    const producers: bigint[] = []
    for (const [id, leaders] of [
      ['two', [1, 1, 1]],
      ['three', [1, 1, 1, 1]],
    ] as const) {
      const appending = append(first)
      const { batches, answer } = await next()
      producers.push(batches.at(-1)!.producer)
      change(id, [...leaders])
      answer(KAFKA.UNKNOWN_TOPIC_OR_PARTITION)
      await write(28)
      await appending
    }
    void append(second)
    const { batches } = await next()
    expect(batches.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
    expect(producers).not.toContain(batches[3].producer)
  })

  it('is not believed in under the same id: its broker had not heard yet of the others', async () => {
    const { append, change, next, write } = openProducing('one', [1, 1, 1, 1])
    const appending = append(first)
    const lost = await next()
    change('one', [1, 1, 1])
    lost.lose()
    const written = await write(28)
    await appending
    expect(written.toSorted((a, b) => a.partition - b.partition)).toEqual(lost.batches)
  })
})
