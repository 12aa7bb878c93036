// A log that is not the one it was: messages removed before they were read, a topic made anew, another cluster.
import { startKafka } from '../support/kafka-broker.ts'
import { deleteTopic, removeUpTo } from '../support/kafka-admin.ts'
import { openKafkaLog } from '../../src/main/log/kafka.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { valueOf } from '../../src/main/market/log-batch.ts'
import { openFeed } from '../support/stream-feed.ts'
import { openStreamPlace, type StreamPlace, type StreamServers } from '../support/stream-place.ts'
import { judgeStream, type Verdict } from '../support/stream-verdict.ts'
import { untilCommitted, untilState } from '../support/stream-wait.ts'
import type { WriterChild } from '../support/writer-child.ts'

const MESSAGES = 3_000
const PARTITIONS = 4
const REMOVED = 60
const OTHER_CLUSTER = 'q1Sh-9_ISia_zwGINzRvyQ'

/** Of one partition, what comes next is removed; another one is set back to its begin although nothing is missing there. */
export async function retentionOvertakes(servers: StreamServers): Promise<Verdict> {
  const place = await openStreamPlace(servers, { name: 'retention', tables: ['trades'], partitions: PARTITIONS })
  try {
    const [{ topic }] = place.topics
    const { log, feed } = place
    await feed.produce(MESSAGES)
    const first = await place.startWriter()
    await untilCommitted(place, first)
    await first.close()
    const from = (await log.ranges(topic))[0].latest
    await feed.produce(MESSAGES)
    const removed = await numbersIn(log, topic, from, from + REMOVED)
    await removeUpTo(servers.broker.bootstrap, topic, 0, from + REMOVED)

    const refused = await place.startWriter()
    const complaints = await refusal(refused, /retention has removed.*k2 ingest offsets set \S+ 0 earliest/)
    await refused.client['offsets.set']({ topic, partition: 0, to: 'earliest' })
    await refused.client['offsets.set']({ topic, partition: 1, to: 'earliest' })
    await refused.close()

    complaints.push(...(await goOn(place)))
    const verdict = await judgeStream(place, { gaps: false, removed })
    return { ...verdict, complaints: [...complaints, ...verdict.complaints] }
  } finally {
    await place.close()
  }
}

/** While it is being written, and then its whole cluster. */
export async function logReplaced(servers: StreamServers): Promise<Verdict> {
  const place = await openStreamPlace(servers, { name: 'replaced', tables: ['trades'], partitions: PARTITIONS })
  try {
    const [{ topic }] = place.topics
    await place.feed.produce(MESSAGES)
    const first = await place.startWriter()
    await untilCommitted(place, first)
    await deleteTopic(servers.broker.bootstrap, topic)
    await place.log.createTopics([{ name: topic, partitions: PARTITIONS }])
    await place.feed.produce(MESSAGES)
    const complaints = await refusal(first, /was deleted and made anew.*k2 ingest offsets set/)
    await first.close()
    const refused = await place.startWriter()
    complaints.push(...(await refusal(refused, /was deleted and made anew.*k2 ingest offsets set/)))
    await toEarliest(refused, topic)
    await refused.close()
    complaints.push(...(await goOn(place)))

    const other = await startKafka({ clusterId: OTHER_CLUSTER })
    place.scope.add(other.close)
    const log = openKafkaLog({ brokers: [other.bootstrap] })
    place.scope.add(() => log.close())
    await log.createTopics([{ name: topic, partitions: PARTITIONS }])
    const moved = { ...place, log, feed: openFeed(log, place.topics, { from: place.feed.tried() }) }
    await moved.feed.produce(MESSAGES)
    const elsewhere = { K2_KAFKA_BROKERS: other.bootstrap }
    const lost = await place.startWriter({}, elsewhere)
    complaints.push(...(await refusal(lost, /is in another cluster now.*k2 ingest offsets set/)))
    await toEarliest(lost, topic)
    await lost.close()
    complaints.push(...(await goOn(moved, elsewhere)))
    const verdict = await judgeStream(moved, { lives: 3 })
    return { ...verdict, complaints: [...complaints, ...verdict.complaints] }
  } finally {
    await place.close()
  }
}

async function refusal(writer: WriterChild, words: RegExp): Promise<string[]> {
  const { why } = await untilState(writer, 'stopped')
  return words.test(why ?? '') ? [] : [`it stopped because ${why}`]
}

async function toEarliest(writer: WriterChild, topic: string): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++)
    await writer.client['offsets.set']({ topic, partition, to: 'earliest' })
}

async function goOn(place: StreamPlace, changes?: Record<string, string>): Promise<string[]> {
  const writer = await place.startWriter({}, changes)
  await untilCommitted(place, writer)
  return writer.close()
}

/** Of messages in partition 0; a repeat has the number of another one, which is not taken away with it. */
async function numbersIn(log: MessageLog, topic: string, from: number, to: number): Promise<Set<number>> {
  const numbers = new Set<number>()
  const reading = new AbortController()
  const start = (_: string, partition: number) => (partition === 0 ? from : 'latest')
  for await (const batch of log.read({ topics: [topic], from: start, signal: reading.signal })) {
    if (batch.partition !== 0) continue
    for (let i = 0; i < batch.count; i++) {
      if (batch.offsets[i] >= to) continue
      const text = valueOf(batch, i)!.toString('latin1')
      const number = Number((/:S\d+:(\d+)/.exec(text) ?? /not a row (\d+)/.exec(text))![1])
      numbers.add(number)
    }
    if (batch.nextOffset >= to) break
  }
  reading.abort()
  return numbers
}
