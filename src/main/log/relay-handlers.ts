// The log's own side of being asked from another process.
import type { Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { LogBatch } from '../market/log-batch.ts'
import type { MessageLog } from './message-log.ts'
import { packBatches } from './pack-batches.ts'
import type { logContract } from './relay-contract.ts'

/** A batch waits so long for others to cross with it. Who writes to tables every few seconds does not mind. */
const GATHER_MS = 20
const LATE = Symbol('late')

export function relayLogHandlers(log: MessageLog): Handlers<typeof logContract> {
  return {
    'log.cluster': () => log.cluster(),
    'log.topics': () => log.topics(),
    async 'log.createTopics'({ specs }) {
      await log.createTopics(specs)
      return {}
    },
    async 'log.append'({ topic, messages }) {
      await log.append(topic, messages)
      return {}
    },
    'log.ranges': ({ topic }) => log.ranges(topic),
    'log.offsetsAt': ({ topic, micros }) => log.offsetsAt(topic, micros),
    async *'log.read'({ from, maxBytes }, { signal }) {
      const batches = log.read({
        topics: [...from.keys()],
        from: (topic, partition) => from.get(topic)?.[partition] ?? 'earliest',
        signal,
      })
      for await (const gathered of gather(batches, maxBytes)) yield packBatches(gathered)
      // Its reader did not ask for an end: the log was closed under it.
      if (!signal.aborted) throw new Failure('UNAVAILABLE', 'The log was closed while it was read.')
    },
    async 'log.noteProgress'({ group, topic, next }) {
      await log.noteProgress(group, topic, next)
      return {}
    },
  }
}

/** What comes within GATHER_MS of the first, together; sooner when it is so many bytes. One batch is read ahead, at most. */
export async function* gather(batches: AsyncIterable<LogBatch>, maxBytes: number): AsyncGenerator<LogBatch[]> {
  const iterator = batches[Symbol.asyncIterator]()
  let coming: Promise<IteratorResult<LogBatch>> | undefined
  try {
    for (;;) {
      const first = await (coming ?? iterator.next())
      coming = undefined
      if (first.done) return
      const gathered = [first.value]
      let bytes = sizeOf(first.value)
      const late = lateAfter(GATHER_MS)
      try {
        while (bytes < maxBytes) {
          coming = iterator.next()
          const next = await Promise.race([coming, late.promise])
          if (next === LATE) break
          if (next.done) break
          coming = undefined
          gathered.push(next.value)
          bytes += sizeOf(next.value)
        }
      } finally {
        late.clear()
      }
      yield gathered
    }
  } finally {
    // Not waited for: a reader that waits for messages returns when its signal aborts, which is about to happen.
    void iterator.return?.().catch(() => {})
  }
}

const COLUMN_BYTES = 32
const sizeOf = ({ bytes, count }: LogBatch) => bytes.length + count * COLUMN_BYTES

function lateAfter(ms: number): { promise: Promise<typeof LATE>; clear: () => void } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<typeof LATE>(resolve => (timer = setTimeout(resolve, ms, LATE)))
  return { promise, clear: () => clearTimeout(timer) }
}
