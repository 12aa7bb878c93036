// More than one writer on the same topics: one beside another, and one that was taken for dead and wakes up.
import { openStreamPlace, type StreamServers } from '../support/stream-place.ts'
import { judgeStream, type Verdict } from '../support/stream-verdict.ts'
import { untilCommitted, untilState, waitFor } from '../support/stream-wait.ts'

const MESSAGES = 3_000

/** One writes and one follows; the follower takes over when the writer is killed. One that must not follow fails. */
export async function secondWriter(servers: StreamServers): Promise<Verdict> {
  const place = await openStreamPlace(servers, { name: 'second' })
  try {
    const first = await place.startWriter()
    await place.feed.produce(MESSAGES)
    await untilCommitted(place, first)
    const second = await place.startWriter()
    const strict = await place.startWriter({}, { K2_WRITER: 'on' })
    const complaints: string[] = []
    const { why } = await untilState(second, 'following')
    const refused = await untilState(strict, 'stopped')
    if (!/writes market\./.test(why ?? '')) complaints.push(`the second one follows because ${why}`)
    if (!/writes market\..*Nothing was written here/.test(refused.why ?? ''))
      complaints.push(`the strict one stopped because ${refused.why}`)
    await place.feed.produce(MESSAGES)
    await untilCommitted(place, first)
    first.signal('SIGKILL')
    await first.ended
    await place.feed.produce(MESSAGES)
    await untilCommitted(place, second)
    const unfinished = [...(await second.close()), ...(await strict.close())]
    const verdict = await judgeStream(place)
    return { ...verdict, complaints: [...verdict.complaints, ...complaints, ...unfinished] }
  } finally {
    await place.close()
  }
}

/** It stands still just before a commit until its lease is over and another one has written; then it goes on. */
export async function zombieWriter(servers: StreamServers, staleMs: number): Promise<Verdict> {
  const leaseTimes = { staleMs, renewEveryMs: staleMs / 3 }
  const place = await openStreamPlace(servers, { name: 'zombie', tables: ['trades'] })
  try {
    const complaints: string[] = []
    await place.feed.produce(MESSAGES)
    const zombie = await place.startWriter({ leaseTimes, at: { step: 'committing', nth: 2, signal: 'SIGSTOP' } })
    await waitFor('a first commit', async () => {
      const { commits } = await zombie.client['ingest.status']({}).catch(() => ({ commits: 0 }))
      return commits > 0 ? true : undefined
    })
    await place.feed.produce(MESSAGES)
    const heir = await place.startWriter({ leaseTimes })
    await untilCommitted(place, heir)
    const snapshots = async () => (await place.servers.judge.ask<{ id: string }[]>('snapshots', table)).length
    const table = { catalog: place.catalog, table: 'market_data.trades' }
    const before = await snapshots()
    zombie.signal('SIGCONT')
    const { why } = await untilState(zombie, 'following')
    const after = await snapshots()
    if (after !== before) complaints.push(`the zombie added ${after - before} snapshots`)
    if (!why) complaints.push('the zombie does not say why it follows')
    await place.feed.produce(MESSAGES)
    await untilCommitted(place, heir)
    const unfinished = [...(await zombie.close()).filter(text => !/rows were not committed/.test(text)), ...(await heir.close())] // prettier-ignore
    const verdict = await judgeStream(place)
    return { ...verdict, complaints: [...verdict.complaints, ...complaints, ...unfinished] }
  } finally {
    await place.close()
  }
}

/** The clock of the writer goes back a day while it writes, and once more while it does not run. */
export async function clockBack(servers: StreamServers, rounds: number): Promise<Verdict> {
  const place = await openStreamPlace(servers, { name: 'clock' })
  try {
    const complaints: string[] = []
    for (let round = 0; round < rounds; round++) {
      const writer = await place.startWriter()
      await writer.started
      for (let step = 0; step < 3; step++) {
        await place.feed.produce(MESSAGES)
        await untilCommitted(place, writer)
        if (step === 0) writer.signal('SIGUSR2')
      }
      complaints.push(...(await writer.close()))
    }
    const table = { catalog: place.catalog, table: 'market_data.trades' }
    const snapshots = await place.servers.judge.ask<{ sequence: number; timestamp_ms: number }[]>('snapshots', table)
    for (const [i, { sequence, timestamp_ms: time }] of snapshots.entries()) {
      const before = snapshots[i - 1]
      if (before && (sequence <= before.sequence || time < before.timestamp_ms))
        complaints.push(`snapshot ${sequence} of ${time} comes after ${before.sequence} of ${before.timestamp_ms}`)
    }
    const verdict = await judgeStream(place)
    return { ...verdict, complaints: [...verdict.complaints, ...complaints] }
  } finally {
    await place.close()
  }
}
