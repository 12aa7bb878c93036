// What becomes of messages that wait or are on their way when the partitions of their topic change. Brokers here answer when
// a test says so, and what it says; how it goes with real ones is in the live tests.
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
