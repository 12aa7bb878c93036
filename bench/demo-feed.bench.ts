// What the simulated market costs: made and encoded without a clock, then at its full rate into the embedded log.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { createEmbeddedLog } from '../src/main/log/embedded.ts'
import { instruments } from '../src/main/sources/demo/arrivals.ts'
import { createMessageColumns } from '../src/main/sources/demo/columns.ts'
import { startDemoFeed } from '../src/main/sources/demo/feed.ts'
import { createMarket, fillMessages } from '../src/main/sources/demo/market.ts'
import { createTopicBatches } from '../src/main/sources/demo/topic-batches.ts'
import { clearBatch } from '../src/main/sources/message-batch.ts'
import type { Figure } from './figure.ts'

const MESSAGES = 1_000_000
const ROUNDS = 3
const FULL_RATE = 200_000
const FEED_MS = 4000

export async function run(): Promise<Figure[]> {
  const rounds = Array.from({ length: ROUNDS }, produce).sort((a, b) => a.elapsedMs - b.elapsedMs)
  const { elapsedMs, fillMs, bytes } = rounds[Math.floor(ROUNDS / 2)]
  const perMessage = (ms: number) => (ms * 1000) / MESSAGES
  return [
    { name: 'made and encoded', value: MESSAGES / (elapsedMs / 1000), unit: 'messages/s', target: '≥ 400,000' },
    {
      name: 'a message',
      value: perMessage(elapsedMs),
      unit: 'µs',
      target: '≤ 2.5',
      detail: `${perMessage(fillMs).toFixed(2)} µs made, ${perMessage(elapsedMs - fillMs).toFixed(2)} µs encoded, ${(bytes / MESSAGES).toFixed(0)} bytes`,
    },
    ...(await feedAtFullRate()),
  ]
}

function produce(): { elapsedMs: number; fillMs: number; bytes: number } {
  const market = createMarket({ seed: 2026, startMicros: Date.now() * 1000, density: FULL_RATE })
  const columns = createMessageColumns(256)
  const batches = createTopicBatches(instruments)
  const started = performance.now()
  let fillMs = 0
  let bytes = 0
  for (let count = 0; count < MESSAGES;) {
    const before = performance.now()
    count += fillMessages(market, columns)
    fillMs += performance.now() - before
    batches.encode(columns)
    for (const batch of batches.all) {
      bytes += batch.values.length
      clearBatch(batch)
    }
  }
  return { elapsedMs: performance.now() - started, fillMs, bytes }
}

async function feedAtFullRate(): Promise<Figure[]> {
  const log = createEmbeddedLog({ maxBytes: 128e6 })
  const feed = await startDemoFeed(log, { seed: 2026, rate: FULL_RATE, speed: 1 })
  await setTimeout(500)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const cpuBefore = process.cpuUsage()
  const before = { messages: feed.status().messages, ms: performance.now() }
  delay.enable()
  await setTimeout(FEED_MS)
  delay.disable()
  const cpu = process.cpuUsage(cpuBefore)
  const elapsedMs = performance.now() - before.ms
  const kept = ((feed.status().messages - before.messages) / elapsedMs) * 1000
  await feed.stop()
  await log.close()
  return [
    {
      name: `into the log at ${FULL_RATE.toLocaleString('en')}/s`,
      value: kept,
      unit: 'messages/s',
      target: '≥ 198,000',
    },
    { name: 'processor time meanwhile', value: (cpu.user + cpu.system) / 10 / elapsedMs, unit: '% of a core' },
    { name: "event loop's delay p99 meanwhile", value: delay.percentile(99) / 1e6, unit: 'ms', target: '≤ 16' },
  ]
}
