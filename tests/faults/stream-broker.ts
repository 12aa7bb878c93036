// A broker killed and started again while messages come in and are written.
import { setTimeout as sleep } from 'node:timers/promises'
import { openStreamPlace, type StreamServers } from '../support/stream-place.ts'
import { judgeStream, type Verdict } from '../support/stream-verdict.ts'
import { untilCommitted } from '../support/stream-wait.ts'
import type { Random } from './random.ts'

/** Small lots, so that one is nearly always under way. */
const LOT = 200
const PAUSE_MS = 10
const MOST_UP_MS = 2_000
const MOST_DOWN_MS = 1_000

export interface BrokerOptions {
  restarts: number
  random: Random
  onRestart?: (n: number) => void
}

export async function restartBroker(
  servers: StreamServers,
  { restarts, random, onRestart }: BrokerOptions,
): Promise<Verdict & { doubtful: number }> {
  const place = await openStreamPlace(servers, { name: 'broker' })
  const { feed, topics } = place
  let isOver = false
  try {
    const writer = await place.startWriter({ halfOpenAfterMs: 1_000 })
    await writer.started
    const producing = (async () => {
      while (!isOver) {
        await feed.produce(LOT)
        await sleep(PAUSE_MS)
      }
    })()
    for (let n = 1; n <= restarts; n++) {
      await sleep(500 + random(MOST_UP_MS))
      await servers.broker.stop()
      await sleep(random(MOST_DOWN_MS))
      await servers.broker.restart()
      onRestart?.(n)
    }
    await sleep(1_000)
    isOver = true
    await producing
    await untilCommitted(place, writer)
    const unfinished = await writer.close()
    const verdict = await judgeStream(place)
    const doubtful = topics.flatMap(({ topic }) => feed.doubtful(topic)).reduce((sum, [from, to]) => sum + to - from, 0)
    return { ...verdict, doubtful, complaints: [...verdict.complaints, ...unfinished] }
  } finally {
    isOver = true
    await place.close()
  }
}
