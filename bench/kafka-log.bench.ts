// Kafka as the log, on a real broker beside it on the same machine: how fast messages are written and read, what CPU one
// takes, and how long one is on its way from a producer to a reader.
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaLog } from '../src/main/log/kafka.ts'
import type { MessageLog, Produced } from '../src/main/log/message-log.ts'
import { findKafka, startKafka } from '../tests/support/kafka-broker.ts'
import type { Figure } from './figure.ts'

const TOPIC = 'trades'
const PARTITIONS = 16
const MESSAGES = 2_000_000
const LOT = 10_000
const LOTS_AT_ONCE = 4
/** As a trade in Avro is. */
const VALUE_BYTES = 124
const SYMBOLS = 500
const ROUNDS = 5
const PROBES = 1000
/** Until the broker has opened its files and both sides have compiled what they run. */
const WARM_UP_PROBES = 200
const PROBE_LOT = 25
/** 25 messages every 5 ms are 5,000 a second. */
const PROBE_PAUSE_MS = 5

export async function run(): Promise<Figure[]> {
  const { missing } = findKafka()
  if (missing !== undefined) return [{ name: `not measured: ${missing}`, value: 0, unit: '' }]
  const broker = await startKafka()
  const log = openKafkaLog({ brokers: [broker.bootstrap] })
  try {
    await log.createTopics([
      { name: TOPIC, partitions: PARTITIONS },
      { name: 'probes', partitions: 4 },
    ])
    return [...(await measureWriting(log)), ...(await measureReading(log)), ...(await measureDelay(log))]
  } finally {
    await log.close()
    await broker.close()
  }
}

/** Half of a value is text that comes again, half is not. */
function lotOf(count: number): Produced {
  const values = new Uint8Array(count * VALUE_BYTES)
  let seed = 2026
  for (let i = 0; i < values.length; i++) {
    seed = (seed * 48_271) % 2_147_483_647
    values[i] = i % VALUE_BYTES < VALUE_BYTES / 2 ? 65 + ((i % VALUE_BYTES) % 26) : seed % 256
  }
  const keys = Array.from({ length: count }, (_, i) => `S${(i * 7919) % SYMBOLS}`)
  return { count, keys, values, ends: Uint32Array.from(keys, (_, i) => (i + 1) * VALUE_BYTES) }
}

interface Cost {
  perSecond: number
  cpuMicros: number
}

async function costOf(messages: number, work: () => Promise<void>): Promise<Cost> {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: (messages * 1000) / (performance.now() - begun), cpuMicros: (user + system) / messages }
}

async function measureWriting(log: MessageLog): Promise<Figure[]> {
  const lot = lotOf(LOT)
  const { perSecond, cpuMicros } = await costOf(MESSAGES, async () => {
    const waiting: Promise<void>[] = []
    for (let sent = 0; sent < MESSAGES; sent += LOT) {
      waiting.push(log.append(TOPIC, lot))
      if (waiting.length === LOTS_AT_ONCE) await waiting.shift()
    }
    await Promise.all(waiting)
  })
  return [
    { name: 'written, acknowledged by all', value: perSecond, unit: '/s', target: '≥ 200,000' },
    { name: 'CPU of a message written', value: cpuMicros, unit: 'µs' },
  ]
}

async function measureReading(log: MessageLog): Promise<Figure[]> {
  const costs: Cost[] = []
  for (let round = 0; round < ROUNDS; round++)
    costs.push(
      await costOf(MESSAGES, async () => {
        let left = MESSAGES
        const { signal } = new AbortController()
        for await (const { count } of log.read({ topics: [TOPIC], from: () => 'earliest', signal }))
          if ((left -= count) <= 0) break
      }),
    )
  const least = Math.min(...costs.map(({ cpuMicros }) => cpuMicros))
  const most = Math.max(...costs.map(({ perSecond }) => perSecond))
  return [
    { name: 'read into columns, best of five', value: most, unit: '/s', target: '≥ 4,000,000' },
    { name: 'CPU of a message read, best of five', value: least, unit: 'µs', target: '≤ 0.25' },
  ]
}

async function measureDelay(log: MessageLog): Promise<Figure[]> {
  const stopping = new AbortController()
  const lot = lotOf(PROBE_LOT)
  let delays: number[] = []
  let appends: number[] = []
  const settled = async (probes: number) => {
    while (delays.length < probes * PROBE_LOT || appends.length < probes) await sleep(10)
  }
  const reading = (async () => {
    for await (const { count, timestamps } of log.read({
      topics: ['probes'],
      from: () => 'earliest',
      signal: stopping.signal,
    })) {
      const now = Date.now() * 1000
      for (let i = 0; i < count; i++) delays.push((now - timestamps[i]) / 1000)
    }
  })()
  for (let probe = -WARM_UP_PROBES; probe < PROBES; probe++) {
    if (probe === 0) {
      await settled(WARM_UP_PROBES)
      delays = []
      appends = []
    }
    const begun = performance.now()
    void log.append('probes', lot).then(() => appends.push(performance.now() - begun))
    await sleep(PROBE_PAUSE_MS)
  }
  await settled(PROBES)
  stopping.abort()
  await reading
  return [
    { name: 'from append to reader at 5,000/s, p99', value: p99(delays), unit: 'ms', target: '≤ 50' },
    { name: 'append acknowledged at 5,000/s, p99', value: p99(appends), unit: 'ms', target: '≤ 100' },
  ]
}

const p99 = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.99)]
