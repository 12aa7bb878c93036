// Messages whose record in the journal was damaged: how many they were in each partition, so that those after them keep their
// offsets. Told only where nothing speaks against it: the lengths agree, and every key belongs where its message was put.
//   u32 topic · u32 partitions that follow · u32 partition and u32 messages of each · what is left of the damaged one
import { partitionOf } from '../market/partition.ts'
import type { EmbeddedMemory } from './embedded-memory.ts'
import { skipTo } from './embedded-partition.ts'
import { messageColumnsFit, readMessages, RECORD } from './embedded-record.ts'
import type { JournalRecord } from './journal-record.ts'

const HEAD = 8
const PAIR = 8

/** What takes the place of such a record, of the same size; nothing when it cannot be told what it held. */
export function lostRecordOf({ topics }: EmbeddedMemory, damaged: JournalRecord): JournalRecord | undefined {
  if (damaged.type !== RECORD.messages || !messageColumnsFit(damaged)) return undefined
  const { topic: number, count, partitionAt, keyAt } = readMessages(damaged)
  const topic = [...topics.values()].at(number)
  if (!topic) return undefined
  const counts = new Map<number, number>()
  for (let i = 0; i < count; i++) {
    const partition = partitionAt(i)
    if (partition !== partitionOf(Buffer.from(keyAt(i)).toString(), topic.partitions.length)) return undefined
    counts.set(partition, (counts.get(partition) ?? 0) + 1)
  }
  const payload = Buffer.from(damaged.payload)
  payload.writeUInt32LE(number, 0)
  payload.writeUInt32LE(counts.size, 4)
  let at = HEAD
  for (const [partition, messages] of counts) {
    payload.writeUInt32LE(partition, at)
    payload.writeUInt32LE(messages, at + 4)
    at += PAIR
  }
  return { type: RECORD.lost, payload }
}

/** Whoever read none of these must not jump over them: what came before is let go as well. */
export function skipLost(memory: EmbeddedMemory, { payload }: JournalRecord): void {
  memory.dropMessages()
  const { partitions } = [...memory.topics.values()][payload.readUInt32LE(0)]
  for (let i = 0; i < payload.readUInt32LE(4); i++) {
    const partition = partitions[payload.readUInt32LE(HEAD + PAIR * i)]
    skipTo(partition, partition.next + payload.readUInt32LE(HEAD + PAIR * i + 4))
  }
}
