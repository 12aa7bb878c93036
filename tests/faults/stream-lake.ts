// A catalog and a store that are away for a while: the tail serves on, the writer waits and then writes what it held.
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../src/main/config/load-config.ts'
import { placeHere } from '../../src/main/host/place-here.ts'
import { liveContract, startLive, type LiveOptions } from '../../src/main/processes/live.ts'
import { openScope } from '../support/scope.ts'
import { symbolOf } from '../support/stream-feed.ts'
import { openStreamPlace, type StreamPlace, type StreamServers } from '../support/stream-place.ts'
import { judgeStream, type Verdict } from '../support/stream-verdict.ts'
import { untilCommitted, untilState, waitFor } from '../support/stream-wait.ts'
import type { WriterChild } from '../support/writer-child.ts'
import { openS3Lake } from './s3-lake.ts'

const LOT = 300
const PAUSE_MS = 200
/** It answers late; half a minute is waited for that before it counts as away. */
const SLOW = 'slow catalog'
/** From the log into the tail, on a machine that does much else. */
const TAIL_WITHIN_MS = 5_000

export interface LakeOutageOptions {
  downMs: number
  /** A try again after so long; the product's own when left out. */
  halfOpenAfterMs?: number
}

export async function lakeOutage(
  servers: StreamServers,
  { downMs, halfOpenAfterMs }: LakeOutageOptions,
): Promise<Verdict> {
  const scope = openScope()
  let isOver = false
  try {
    const { store, proxy, lake } = await openS3Lake(scope)
    const place = await openStreamPlace(servers, {
      name: 'outage',
      feed: { startMicros: (Date.now() - 60_000) * 1000 },
      lake,
    })
    scope.add(place.close)
    // What it says of messages that cannot be read is many lines.
    const options: LiveOptions = { config: loadConfig({ env: { ...place.env, K2_LOG_LEVEL: 'error' } }) }
    const live = placeHere(liveContract, given => startLive(given as LiveOptions), options)
    scope.add(() => live.close(AbortSignal.timeout(10_000)))
    const tail = await live.client()
    const writer = await place.startWriter({ halfOpenAfterMs })
    await place.feed.produce(LOT)
    await untilCommitted(place, writer)
    const producing = (async () => {
      while (!isOver) {
        await place.feed.produce(LOT)
        await sleep(PAUSE_MS)
      }
    })()
    const complaints: string[] = []
    const outages: { what: string; begin: () => Promise<void> | void; end: () => Promise<void> | void }[] = [
      { what: 'catalog', begin: proxy.refuse, end: proxy.resume },
      { what: 'store', begin: store.kill, end: store.restart },
      { what: SLOW, begin: proxy.hang, end: proxy.resume },
    ]
    for (const { what, begin, end } of outages) {
      await begin()
      const untilMs = performance.now() + downMs
      if (what !== SLOW) complaints.push(...(await waitsFor(writer, what)))
      while (performance.now() < untilMs) {
        complaints.push(...(await tailServes(place, tail)).map(complaint => `${what} away: ${complaint}`))
        await sleep(1_000)
      }
      await end()
      await untilCommitted(place, writer)
    }
    isOver = true
    await producing
    await untilCommitted(place, writer)
    const unfinished = await writer.close()
    const verdict = await judgeStream(place)
    return { ...verdict, complaints: [...complaints, ...unfinished, ...verdict.complaints] }
  } finally {
    isOver = true
    await scope.close()
  }
}

async function waitsFor(writer: WriterChild, what: string): Promise<string[]> {
  const { why } = await untilState(writer, 'waiting')
  return why ? [] : [`${what} away: it does not say why it waits`]
}

type Live = Awaited<ReturnType<ReturnType<typeof placeHere<typeof liveContract>>['client']>>

/** What was put into the log just now is what the tail has newest. */
async function tailServes(place: StreamPlace, tail: Live): Promise<string[]> {
  const number = place.feed.tried() - 5
  const asked = { symbol: symbolOf(number), exchange: 'OUTAGE', window_minutes: 60, limit: 5 }
  try {
    await waitFor(`trade ${number} in the tail`, async () => {
      const { data } = await tail['trades.recent'](asked)
      const ids = data.columns.trade_id
      const words = ids && 'words' in ids ? (ids.words as string[]) : []
      return words.some(word => Number(word) >= number) ? true : undefined
    }, TAIL_WITHIN_MS) // prettier-ignore
    return []
  } catch (error) {
    return [String(error)]
  }
}
