// How soon a message that is produced is seen in the tail, and how soon the log has taken it: with the live half in a
// process of its own, as main starts it, and whoever follows the tail in this one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../src/main/config/load-config.ts'
import type { Environment } from '../../src/main/config/setting.ts'
import { forkEngine } from '../../src/main/host/fork.ts'
import { supervise } from '../../src/main/host/supervise.ts'
import { liveContract, type LiveOptions } from '../../src/main/processes/live.ts'
import type { MessageLog } from '../../src/main/log/message-log.ts'
import { createTradeFeed } from './stream-trades.ts'

export interface TailDelays {
  /** From just before a message is handed to the producer until its row is here. */
  seenMs: number[]
  /** Until all replicas have it. */
  producedMs: number[]
}

export interface TailDelayOptions {
  environment: Environment
  log: MessageLog
  topic: string
  schemaId: number
  built: string
}

const LOT = 25
/** 25 messages every 5 ms are 5,000 a second. */
const PAUSE_MS = 5
const SECONDS = 10
/** The compiler's. */
const WARM_UP_LOTS = 400
const MOST_WAIT_MS = 10_000

export async function measureTailDelay({ environment, log, topic, schemaId, built }: TailDelayOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'k2-bench-'))
  const config = loadConfig({ env: { K2_PROFILE: folder, K2_LOG_LEVEL: 'warn', ...environment } })
  const options: LiveOptions = { config }
  const live = supervise({
    name: 'live',
    contract: liveContract,
    start: () => forkEngine(join(built, 'live-process.cjs')),
    options,
  })
  const ending = new AbortController()
  try {
    const lots = (SECONDS * 1000) / PAUSE_MS + WARM_UP_LOTS
    const client = await live.client()
    const seenAt = new Float64Array(lots * LOT)
    let seen = 0
    const following = (async () => {
      for await (const { rows } of client['tail.follow']({}, { signal: ending.signal })) {
        const now = performance.now()
        for (let i = 0; i < rows.rowCount && seen < seenAt.length; i++) seenAt[seen++] = now
      }
    })()
    following.catch(() => {}) // it is ended by its signal
    await sleep(1000)
    const feed = createTradeFeed({ trades: lots * LOT, schemaId })
    const delays: TailDelays = { seenMs: [], producedMs: [] }
    const handedAt: number[] = []
    const begun = performance.now()
    for (let lot = 0; lot < lots; lot++) {
      const at = performance.now()
      handedAt.push(at)
      const { values, ends, ...rest } = feed.next(LOT)
      // Copied, as any number of them may be under way.
      const appended = log.append(topic, { ...rest, values: Buffer.from(values), ends: ends.slice() })
      void appended.then(() => lot >= WARM_UP_LOTS && delays.producedMs.push(performance.now() - at))
      await sleep(Math.max(0, begun + (lot + 1) * PAUSE_MS - performance.now()))
    }
    for (const until = performance.now() + MOST_WAIT_MS; seen < seenAt.length && performance.now() < until;)
      await sleep(10)
    if (seen < seenAt.length) throw new Error(`${seen} of ${seenAt.length} messages came into the tail.`)
    // Rows of one lot may overtake those of another by a partition; in order of both, none is told too good by much.
    for (let i = WARM_UP_LOTS * LOT; i < seen; i++) delays.seenMs.push(seenAt[i] - handedAt[Math.floor(i / LOT)])
    return delays
  } finally {
    ending.abort()
    await live.close(AbortSignal.timeout(5_000))
    rmSync(folder, { recursive: true, force: true })
  }
}
