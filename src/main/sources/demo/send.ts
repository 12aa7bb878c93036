// Slices of the market on their way into the log: a few at a time, so that a log with round trips holds up nothing else.
import { setTimeout } from 'node:timers/promises'
import { Failure } from '../../../contract/failure.ts'
import { createBell } from '../../base/bell.ts'
import type { MessageLog } from '../../log/message-log.ts'
import { clearBatch, producedOf, type MessageBatch } from '../message-batch.ts'
import type { TopicBatch, TopicBatches } from './topic-batches.ts'

export interface Sender {
  /** Batches to fill, all empty; waits while as many as there may be are on their way. Fails as the log failed. */
  next: () => Promise<TopicBatches>
  send: (batches: TopicBatches) => void
  /** Why the log takes nothing just now. */
  trouble: () => Error | undefined
  /** Until nothing is on its way. */
  settled: () => Promise<void>
}

const MOST_ON_THE_WAY = 3
const RETRY_MS = 1000

export function createSender(
  log: MessageLog,
  create: () => TopicBatches,
  onSent: (messages: number) => void,
  stopping: AbortSignal,
): Sender {
  const free = Array.from({ length: MOST_ON_THE_WAY }, create)
  const freed = createBell()
  const onTheWay = new Set<Promise<void>>()
  const never = new AbortController().signal
  let failure: { cause: unknown } | undefined
  let trouble: Failure | undefined

  async function sendAll(batches: TopicBatches): Promise<void> {
    let left = batches.all.filter(hasAny)
    try {
      while (left.length > 0) {
        left = await sendSome(left)
        if (left.length === 0 || stopping.aborted) break
        // Brokers come back, a full log is written away. Until then these few slices wait, and the market skips what it cannot send.
        await setTimeout(RETRY_MS, undefined, { signal: stopping }).catch(() => {})
      }
    } catch (cause) {
      failure ??= { cause }
    }
    batches.all.forEach(clearBatch)
    free.push(batches)
    freed.ring()
  }

  /** Gives those that are to be tried again. */
  async function sendSome(batches: readonly TopicBatch[]): Promise<TopicBatch[]> {
    const left: TopicBatch[] = []
    // All of them, as the log may read a batch until its append has ended.
    const results = await Promise.allSettled(
      batches.map(async batch => {
        try {
          await log.append(batch.topic, producedOf(batch))
          onSent(batch.values.count)
          trouble = undefined
        } catch (error) {
          if (!(error instanceof Failure && error.retryable)) throw error
          trouble = error
          left.push(batch)
        }
      }),
    )
    for (const result of results) if (result.status === 'rejected') throw result.reason
    return left
  }

  return {
    async next() {
      while (free.length === 0) await freed.wait(never)
      if (failure) throw failure.cause
      return free.pop()!
    },
    send(batches) {
      const sending = sendAll(batches).finally(() => onTheWay.delete(sending))
      onTheWay.add(sending)
    },
    trouble: () => trouble,
    async settled() {
      await Promise.all(onTheWay)
      if (failure) throw failure.cause
    },
  }
}

function hasAny({ values }: MessageBatch): boolean {
  return values.count > 0
}
