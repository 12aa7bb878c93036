// A process killed at any moment while it writes to the embedded log loses nothing that anybody was told is there.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import { partitionOf } from '../../../src/main/market/partition.ts'
import { readAll, type ReadMessage } from '../../support/log-messages.ts'
import {
  KILLED_LOG_BYTES,
  KILLED_PARTITIONS,
  KILLED_TOPIC,
  messageAt,
  startLogProcess,
} from '../../support/log-process.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const ROUNDS = 20
const MOST_IN_FLIGHT = 400

/** Where the first so many messages of all are, each in the order of its partition. */
function expectedMessages(count: number): Pick<ReadMessage, 'partition' | 'offset' | 'key' | 'text'>[] {
  const next = Array.from({ length: KILLED_PARTITIONS }, () => 0)
  return Array.from({ length: count }, (_, number) => {
    const [key, text] = messageAt(number)
    const partition = partitionOf(key, KILLED_PARTITIONS)
    return { partition, offset: next[partition]++, key, text }
  }).sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

it(
  'holds every message that was taken, with its offset, and whole appends only, however often it is killed',
  { timeout: 180_000 },
  async () => {
    const folder = makeTempFolder()
    let count = 0
    let cluster: string | undefined
    for (let round = 0; round < ROUNDS; round++) {
      const writer = startLogProcess(folder, count)
      await writer.running
      await sleep(Math.random() * 40)
      writer.kill()
      const { taken, complaint } = await writer.ended
      expect(complaint).toBe('')
      const warnings: string[] = []
      const log = createEmbeddedLog({ maxBytes: KILLED_LOG_BYTES, folder, onWarning: why => warnings.push(why) })
      const found = await readAll(log, KILLED_TOPIC)
      const known = await log.cluster()
      await log.close()
      expect(warnings).toEqual([])
      expect(known).toBe((cluster ??= known))
      expect(taken).toBeGreaterThan(count)
      // One append may have been written that the process could not tell of any more.
      expect(found.length).toBeGreaterThanOrEqual(taken)
      expect(found.length).toBeLessThanOrEqual(taken + MOST_IN_FLIGHT)
      count = found.length
      expect(found.map(({ partition, offset, key, text }) => ({ partition, offset, key, text }))).toEqual(
        expectedMessages(count),
      )
    }
  },
)
