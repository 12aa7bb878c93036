// Waiting for what a writer does: until the tables have what the log has, until it says a state, until it fails.
import { setTimeout as sleep } from 'node:timers/promises'
import type { WriterStatus } from '../../src/contract/writer.ts'
import type { StreamPlace } from './stream-place.ts'
import type { WriterChild } from './writer-child.ts'

const LOOK_MS = 50
const GIVE_UP_MS = 120_000

export async function waitFor<T>(what: string, look: () => Promise<T | undefined>, giveUpMs = GIVE_UP_MS): Promise<T> {
  const deadline = performance.now() + giveUpMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`In vain it was waited for ${what}.`)
    await sleep(LOOK_MS)
  }
}

/** Until every partition is committed up to where the log ends now. */
export async function untilCommitted({ log, topics }: StreamPlace, writer: WriterChild): Promise<void> {
  const ends = new Map<string, number>()
  for (const { topic } of topics)
    for (const { partition, latest } of await log.ranges(topic)) ends.set(`${topic} ${partition}`, latest)
  await writer.started
  let said: WriterStatus | undefined
  await waitFor('all to be committed', async () => {
    said = await writer.client['ingest.status']({})
    if (said.state === 'stopped') throw new Error(`The writer stopped: ${said.why}\n${writer.complaint()}`)
    const behind = new Map(ends)
    for (const { topic, partition, committed_offset: offset } of said.topics)
      if (Number(offset) >= ends.get(`${topic} ${partition}`)!) behind.delete(`${topic} ${partition}`)
    return behind.size === 0 ? true : undefined
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(said)}\n${writer.complaint()}`, { cause: error })
  })
}

export async function untilState(writer: WriterChild, ...states: WriterStatus['state'][]): Promise<WriterStatus> {
  await writer.started
  return waitFor(`the state ${states.join(' or ')}`, async () => {
    const status = await writer.client['ingest.status']({})
    return states.includes(status.state) ? status : undefined
  })
}
