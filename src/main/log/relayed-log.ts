// The log of another process, as a MessageLog here. When that process dies, reads end UNAVAILABLE: they are opened again
// from where their reader is, and nothing is lost, as the log and its offsets are there again.
import type { Client } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { LogBatch } from '../market/log-batch.ts'
import type { MessageLog, ReadOptions, StartAt } from './message-log.ts'
import { unpackBatches } from './pack-batches.ts'
import type { logContract } from './relay-contract.ts'

/** What crosses at once: enough that the crossing costs little a message, not so much that a process is held up by it. */
const MESSAGE_BYTES = { least: 16 * 1024, most: 256 * 1024 }
/** Messages on their way between the two, with a process in the middle that hands them on. */
const ON_THE_WAY = 8

export function relayedLog(client: () => Promise<Client<typeof logContract>>): MessageLog {
  const closing = new AbortController()

  async function* read(options: ReadOptions): AsyncGenerator<LogBatch> {
    const { topics, from, signal, maxBytesAhead = Infinity, onTrouble } = options
    const ended = AbortSignal.any([signal, closing.signal])
    try {
      const log = await client()
      const starts = await startsOf(log, topics, from)
      // On a quiet topic nothing else says that the log is there again.
      onTrouble?.(undefined)
      const bytes = Math.floor(maxBytesAhead / ON_THE_WAY)
      const maxBytes = Math.max(MESSAGE_BYTES.least, Math.min(MESSAGE_BYTES.most, bytes))
      for await (const packed of log['log.read']({ from: starts, maxBytes }, { signal: ended }))
        for (const batch of unpackBatches(packed)) {
          yield batch
          if (ended.aborted) return
        }
    } catch (error) {
      if (!ended.aborted) throw error
    }
  }

  return {
    kind: 'embedded',
    cluster: async () => (await client())['log.cluster']({}),
    topics: async () => (await client())['log.topics']({}),
    async createTopics(specs) {
      await (await client())['log.createTopics']({ specs: [...specs] })
    },
    async append(topic, messages) {
      const { count, keys, values, ends, tombstones, timestamps } = messages
      const last = count === 0 ? 0 : ends[count - 1]
      // Arrays of their own, as some ports copy all of the memory that an array is a part of.
      const own = {
        count,
        keys: keys.slice(0, count),
        // Not its own `slice`, which is a view if this is a Buffer.
        values: Uint8Array.prototype.slice.call(values, 0, last),
        ends: ends.slice(0, count),
        ...(tombstones && { tombstones: tombstones.slice(0, count) }),
        ...(timestamps && { timestamps: timestamps.slice(0, count) }),
      }
      await (await client())['log.append']({ topic, messages: own })
    },
    ranges: async topic => (await client())['log.ranges']({ topic }),
    offsetsAt: async (topic, micros) => (await client())['log.offsetsAt']({ topic, micros }),
    read,
    async noteProgress(group, topic, next) {
      await (await client())['log.noteProgress']({ group, topic, next })
    },
    async close() {
      closing.abort()
    },
  }
}

/** Its reader's answers, which cannot cross themselves. */
async function startsOf(
  log: Client<typeof logContract>,
  names: readonly string[],
  from: ReadOptions['from'],
): Promise<Map<string, StartAt[]>> {
  const known = new Map((await log['log.topics']({})).map(({ name, partitions }) => [name, partitions]))
  return new Map(
    names.map(name => {
      const partitions = known.get(name)
      if (partitions === undefined) throw new Failure('NOT_FOUND', `There is no topic ${name}; create it first.`)
      return [name, Array.from({ length: partitions }, (_, partition) => from(name, partition))]
    }),
  )
}
