// What the embedded log holds for the tables, over a restart and in its files.
import { expect, it, onTestFinished } from 'vitest'
import type { HeldFrom } from '../../../src/main/log/embedded-memory.ts'
import { createEmbeddedLog } from '../../../src/main/log/embedded.ts'
import type { MessageLog } from '../../../src/main/log/message-log.ts'
import { produced, readAll } from '../../support/log-messages.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

const TOPIC = 'market.equities.trades.asx'
const MANY = produced(Array.from({ length: 100 }, (_, i) => [`key ${i % 8}`, `${i} ${'x'.repeat(50)}`] as const))

function openLog(folder: string, heldFrom: HeldFrom): MessageLog {
  const log = createEmbeddedLog({ maxBytes: 400_000, folder, heldFrom })
  onTestFinished(() => log.close())
  return log
}

async function openWithTopic(folder: string, heldFrom: HeldFrom): Promise<MessageLog> {
  const log = openLog(folder, heldFrom)
  await log.createTopics([{ name: TOPIC, partitions: 3 }])
  return log
}

async function fill(log: MessageLog, topic: string): Promise<void> {
  for (let i = 0; i < 2_000; i++) await log.append(topic, MANY)
}

const whole = async (log: MessageLog) => ({ ranges: await log.ranges(TOPIC), all: await readAll(log, TOPIC) })

it('is there again after a log that was full of it was closed, before anybody has said what is written', async () => {
  const folder = makeTempFolder()
  const first = await openWithTopic(folder, () => 0)
  await expect(fill(first, TOPIC)).rejects.toThrow(`most of them of ${TOPIC}`)
  const before = await whole(first)
  expect(before.ranges.map(({ earliest }) => earliest)).toEqual([0, 0, 0])
  await first.close()
  const said: { heldFrom?: number } = {}
  const again = openLog(folder, () => said.heldFrom)
  expect(await whole(again)).toEqual(before)
  await expect(fill(again, TOPIC)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  said.heldFrom = Infinity
  await fill(again, TOPIC)
})

it('keeps its files, whatever other topics have: rather than too many no more is taken', async () => {
  const [folder, other] = [makeTempFolder(), 'market.equities.quotes.asx']
  const heldFrom = (topic: string) => (topic === TOPIC ? 0 : Infinity)
  const first = await openWithTopic(folder, heldFrom)
  await first.createTopics([{ name: other, partitions: 3 }])
  await first.append(TOPIC, MANY)
  const held = await first.ranges(TOPIC)
  await expect(fill(first, other)).rejects.toThrow(`most of them of ${TOPIC}`)
  await first.close()
  const again = openLog(folder, () => undefined)
  expect(await again.ranges(TOPIC)).toEqual(held)
  expect(held.every(({ earliest }) => earliest === 0)).toBe(true)
})
