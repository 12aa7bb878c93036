// The writer's process on a real broker with a real registry, killed, doubled, frozen and set back in time: every message
// is in the tables once, as PyIceberg counts them and as the lake's own check finds them.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { randomOf } from '../faults/random.ts'
import { restartBroker } from '../faults/stream-broker.ts'
import { KILLS, killWriter } from '../faults/stream-kills.ts'
import { clockBack, secondWriter, zombieWriter } from '../faults/stream-writers.ts'
import { needs } from '../support/needs.ts'
import { openStreamPlace, openStreamServers, type StreamServers } from '../support/stream-place.ts'
import { judgeStream } from '../support/stream-verdict.ts'
import { untilCommitted } from '../support/stream-wait.ts'

const needed = [needs('kafka'), needs('registry'), needs('pyiceberg')]
const skip = needed.some(one => one.skip)
const because = needed.map(one => one.because).join('')
const SEED = Date.now() % 1_000_000
const random = randomOf(SEED)
const AS_PROMISED = { lost: 0, doubled: 0, complaints: [] }

describe.skipIf(skip)(`the writer's process, seed ${SEED}${because}`, { timeout: 120_000 }, () => {
  let servers: StreamServers
  beforeAll(async () => {
    servers = await openStreamServers()
  })
  afterAll(() => servers?.close())

  it('would not pass with a row lost and one doubled behind its back', async () => {
    const place = await openStreamPlace(servers, { name: 'judged', tables: ['trades'] })
    onTestFinished(() => place.close())
    await place.feed.produce(500)
    const writer = await place.startWriter()
    await untilCommitted(place, writer)
    expect(await writer.close()).toEqual([])
    expect(await judgeStream(place)).toEqual({ ...AS_PROMISED, produced: 500, rows: 498 })
    const tamper = (question: string, id: string, more: object = {}) => {
      const filter = [{ column: 'trade_id', op: '=', value: id }]
      return servers.judge.ask(question, { catalog: place.catalog, table: 'market_data.trades', filter, ...more })
    }
    await tamper('delete_rows', '41')
    await tamper('append_copies', '42', { changes: {} })
    const { complaints, ...counts } = await judgeStream(place)
    expect(counts).toEqual({ produced: 500, rows: 498, lost: 1, doubled: 1 })
    expect(complaints.length).toBeGreaterThanOrEqual(3)
  })

  it('loses and doubles nothing when it is killed at three steps', async () => {
    const left = [...KILLS]
    const kills = Array.from({ length: 3 }, () => left.splice(random(left.length), 1)[0])
    const verdict = await killWriter(servers, { kills, messages: 4_000, random })
    expect(verdict, kills.join(', ')).toMatchObject({ ...AS_PROMISED, killedAtStep: 3 })
    expect(verdict.produced).toBeGreaterThanOrEqual(24_000)
  })

  it('loses and doubles nothing when the broker is killed twice under load', async () => {
    expect(await restartBroker(servers, { restarts: 2, random })).toMatchObject({ ...AS_PROMISED, doubtful: 0 })
  })

  it('leaves the topics to another writer, takes them up when that one dies, or refuses to start beside it', async () => {
    expect(await secondWriter(servers)).toMatchObject(AS_PROMISED)
  })

  it('changes nothing any more when it was taken for dead before a commit and another one has written', async () => {
    expect(await zombieWriter(servers, 3_000)).toMatchObject(AS_PROMISED)
  })

  it('loses and doubles nothing when its clock goes back a day, and its snapshots stay in order', async () => {
    expect(await clockBack(servers, 1)).toMatchObject(AS_PROMISED)
  })
})
