// The writer's process while what it depends on is away, slow, or not what it was: it waits or says what to do, and in the
// end every message is in the tables once, as PyIceberg counts them and as the lake's own check finds them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lakeOutage } from '../faults/stream-lake.ts'
import { logReplaced, retentionOvertakes } from '../faults/stream-log.ts'
import { malformedMessages } from '../faults/stream-malformed.ts'
import { registryTrouble } from '../faults/stream-registry.ts'
import { needs } from '../support/needs.ts'
import { openStreamServers, type StreamServers } from '../support/stream-place.ts'

const needed = [needs('kafka'), needs('registry'), needs('pyiceberg')]
const lake = [needs('iceberg-rest'), needs('s3')]
const because = needed.map(one => one.because).join('')
const AS_PROMISED = { lost: 0, doubled: 0, complaints: [] }

describe.skipIf(needed.some(({ skip }) => skip))(
  `the writer's process and its servers${because}`,
  { timeout: 120_000 },
  () => {
    let servers: StreamServers
    beforeAll(async () => {
      servers = await openStreamServers()
    })
    afterAll(() => servers?.close())

    it('stops where retention has overtaken it, and goes on where it is told, without a row twice', async () => {
      expect(await retentionOvertakes(servers)).toMatchObject(AS_PROMISED)
    })

    it('stops at a topic made anew and at another cluster, and goes on where it is told', async () => {
      expect(await logReplaced(servers)).toMatchObject(AS_PROMISED)
    })

    it('sets aside a thousand messages in a hundred thousand, just those, which can be looked at and tried again', async () => {
      expect(await malformedMessages(servers, 100_000)).toMatchObject({ ...AS_PROMISED, rows: 98_000 })
    })

    it('waits for a registry that is away, fails or is slow, and replays what it did not know', async () => {
      expect(await registryTrouble(servers, 5_000)).toMatchObject(AS_PROMISED)
    })

    it.skipIf(lake.some(({ skip }) => skip))(
      `waits for a catalog and a store while the tail serves on${lake.map(one => one.because).join('')}`,
      async () => {
        expect(await lakeOutage(servers, { downMs: 5_000, halfOpenAfterMs: 1_000 })).toMatchObject(AS_PROMISED)
      },
    )
  },
)
