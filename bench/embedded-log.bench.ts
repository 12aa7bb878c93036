// The embedded log in a folder and across processes: what a journal costs, what reading it back takes, what main pays for
// handing another process' log on. In CPU time, as that is what the other processes lose.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { forkEngine } from '../src/main/host/fork.ts'
import { relayTo } from '../src/main/host/relay.ts'
import { supervise } from '../src/main/host/supervise.ts'
import { createEmbeddedLog } from '../src/main/log/embedded.ts'
import type { MessageLog, Produced } from '../src/main/log/message-log.ts'
import { logContract } from '../src/main/log/relay-contract.ts'
import { relayedLog } from '../src/main/log/relayed-log.ts'
import { createDispatch } from '../src/main/wire/dispatch.ts'
import { readerContract } from '../tests/support/log-reader-contract.ts'
import type { Figure } from './figure.ts'

const TOPIC = 'market.equities.trades.asx'
const PARTITIONS = 30
const SYMBOLS = 500
const VALUE_BYTES = 150
const FULL_BYTES = 256e6
const APPENDED = 1_000_000
const RELAYED = 400_000
const RELAYED_PER_SECOND = 100_000

export async function run(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'k2-bench-'))
  try {
    return [
      await measureAppending('in memory only'),
      await measureAppending('with a journal, 100 an append', join(folder, 'a'), 100, '≤ 1 µs'),
      await measureAppending('with a journal, 20 an append', join(folder, 'b'), 20),
      await measureReopening(join(folder, 'c')),
      ...(await measureRelaying(join(folder, 'd'))),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function sampleMessages(count: number): Produced {
  return {
    count,
    keys: Array.from({ length: count }, (_, i) => `S${String(i % SYMBOLS).padStart(3, '0')}`),
    values: Buffer.alloc(count * VALUE_BYTES, 7),
    ends: Uint32Array.from({ length: count }, (_, i) => (i + 1) * VALUE_BYTES),
  }
}

async function openLog(folder?: string, maxBytes = FULL_BYTES): Promise<MessageLog> {
  const log = createEmbeddedLog({ maxBytes, folder })
  await log.createTopics([{ name: TOPIC, partitions: PARTITIONS }])
  return log
}

async function appendMany(log: MessageLog, count: number, messages: Produced): Promise<void> {
  for (let sent = 0; sent < count; sent += messages.count) await log.append(TOPIC, messages)
}

async function measureAppending(name: string, folder?: string, batch = 100, target?: string): Promise<Figure> {
  const log = await openLog(folder)
  const messages = sampleMessages(batch)
  await appendMany(log, APPENDED / 10, messages)
  const { cpuMs } = await cpuOf(() => appendMany(log, APPENDED, messages))
  await log.close()
  return { name: `a message appended ${name}, CPU`, value: (cpuMs * 1000) / APPENDED, unit: 'µs', target }
}

async function measureReopening(folder: string): Promise<Figure> {
  const log = await openLog(folder)
  await appendMany(log, (FULL_BYTES / VALUE_BYTES) * 1.2, sampleMessages(1000))
  await log.close()
  const { cpuMs, result } = await cpuOf(() => openLog(folder))
  const held = (await result.ranges(TOPIC)).reduce((sum, { earliest, latest }) => sum + latest - earliest, 0)
  await result.close()
  return { name: 'a full log read back at the start, CPU', value: cpuMs, unit: 'ms', detail: `${held} messages` }
}

async function measureRelaying(folder: string): Promise<Figure[]> {
  const start = (name: string) => () =>
    forkEngine(join(import.meta.dirname, '../tests/support', name), {}, ['--import', 'tsx'])
  const live = supervise({
    name: 'live',
    contract: logContract,
    start: start('log-engine.ts'),
    options: { folder, maxBytes: 2 * FULL_BYTES },
  })
  const offers = createDispatch(logContract, relayTo(logContract, live))
  const reader = supervise({
    name: 'reader',
    contract: readerContract,
    start: start('log-reader-engine.ts'),
    options: {},
    offers,
  })
  try {
    const log = relayedLog(() => live.client())
    await log.createTopics([{ name: TOPIC, partitions: PARTITIONS }])
    const client = await reader.client()
    const send = () => appendAtRate(log, sampleMessages(200))
    // What sending costs main, which sends from here only in this benchmark, is taken off.
    const sending = await cpuOf(send)
    const backlog = await cpuOf(() => client['reader.count']({ topic: TOPIC, count: RELAYED }))
    const reading = client['reader.count']({ topic: TOPIC, count: 2 * RELAYED })
    await sleep(2_000)
    const flow = await cpuOf(async () => {
      await send()
      await reading
    })
    const perSecond = RELAYED / (backlog.result.elapsedMs / 1000)
    return [
      { name: 'a backlog handed on', value: perSecond, unit: '/s', target: '≥ 100,000' },
      {
        name: 'its cost to main, a message, CPU',
        value: (backlog.cpuMs * 1000) / RELAYED,
        unit: 'µs',
        target: '≤ 2 µs',
      },
      {
        name: `a flow of ${RELAYED_PER_SECOND} messages/s handed on, a message in main, CPU`,
        value: ((flow.cpuMs - sending.cpuMs) * 1000) / RELAYED,
        unit: 'µs',
        target: '≤ 2 µs',
      },
    ]
  } finally {
    await reader.close(AbortSignal.timeout(5_000))
    await live.close(AbortSignal.timeout(5_000))
  }
}

async function appendAtRate(log: MessageLog, messages: Produced): Promise<void> {
  const started = performance.now()
  for (let sent = 0; sent < RELAYED; sent += messages.count) {
    await log.append(TOPIC, messages)
    const aheadMs = ((sent + messages.count) / RELAYED_PER_SECOND) * 1000 - (performance.now() - started)
    if (aheadMs > 2) await sleep(aheadMs)
  }
}

async function cpuOf<T>(work: () => Promise<T>): Promise<{ cpuMs: number; result: T }> {
  const before = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1000, result }
}
