// Between a source that does not wait and a log that may be away: messages go to the log as they come, and to the disk
// while it does not take them. What is on the disk goes to the log before anything that came later.
import { Failure } from '../../../contract/failure.ts'
import { createBell } from '../../base/bell.ts'
import { backoffMs, isTransient, sleepUnlessAborted } from '../../base/retry.ts'
import { clearBatch, createMessageBatch, producedOf, type MessageBatch } from '../message-batch.ts'
import type { Produced } from '../../log/message-log.ts'
import type { Spill } from './spill.ts'

export interface OutboxOptions {
  /** Waits for the log's receipt. */
  append: (topic: string, messages: Produced) => Promise<void>
  spill: Spill
  /** So long a batch may be on its way before it, and what comes after it, is put on the disk. */
  patienceMs?: number
  onSpilled?: (messages: number) => void
  /** Why the log does not take messages; nothing when it does again. */
  onTrouble?: (trouble: Error | undefined) => void
}

export interface Outbox {
  /** Where a topic's next messages are put; ring afterwards. */
  batchOf: (topic: string) => MessageBatch
  ring: () => void
  /** Neither the log nor the disk takes more just now: nothing more should be put. */
  isFull: () => boolean
  /** Resolves when all that was put until now is in the log or on the disk, and when it is closed. */
  settled: () => Promise<void>
  /** The log refuses for good; what was put is on the disk. */
  failure: () => Error | undefined
  /** Hands on what is held, to the disk where the log does not take it. */
  close: () => Promise<{ onDisk: number; lost: number }>
}

const PATIENCE_MS = 1000
/** While messages go to the disk, each write waits for some to come together. */
const GATHER_MS = 50
const FIRST_RETRY_MS = 250
const MOST_RETRY_MS = 10_000
/** What waits in memory for the disk, until nothing more is to be put. */
const MOST_PENDING_BYTES = 32 * 1024 * 1024

const NO_ANSWER =
  'The log has not answered for a while. What comes meanwhile is kept on the disk and goes to the log when it answers: nothing is lost.'

type Sending = Promise<'taken' | 'refused'>

export function createOutbox({ append, spill, patienceMs = PATIENCE_MS, ...options }: OutboxOptions): Outbox {
  const { onSpilled = () => {}, onTrouble = () => {} } = options
  const pending = new Map<string, MessageBatch>()
  const [came, spilled] = [createBell(), createBell()]
  const closing = new AbortController()
  /** By number on the disk: sent before it was put there, and not answered yet. */
  const unanswered = new Map<number, Sending>()
  /** Of those who wait until what was put before they asked is settled. */
  const settling: (() => void)[] = []
  let isDiskFull = false
  let lost = 0
  let trouble: Error | undefined
  let failure: Error | undefined

  function note(next: Error | undefined): void {
    if (next && !isTransient(next)) failure ??= next
    if (next?.message === trouble?.message) return
    trouble = next
    onTrouble(next)
  }

  function takePending(): [string, MessageBatch][] {
    const taken = [...pending].filter(([, { values }]) => values.count > 0)
    for (const [topic] of taken) pending.delete(topic)
    return taken
  }

  function send(topic: string, messages: Produced): Sending {
    return append(topic, messages).then(
      () => {
        note(undefined)
        return 'taken' as const
      },
      (error: unknown) => {
        note(error as Error)
        return 'refused' as const
      },
    )
  }

  /** Waits until there is room: whoever fills the batches was told to stop by then. */
  async function putOnDisk(topic: string, batch: MessageBatch, sending?: Sending): Promise<void> {
    const { count } = batch.values
    for (;;) {
      const number = await spill.put(topic, producedOf(batch)).catch(note)
      isDiskFull = number === undefined
      if (number !== undefined) {
        if (sending) unanswered.set(number, sending)
        onSpilled(count)
        return spilled.ring()
      }
      await sleepUnlessAborted(GATHER_MS)
      if (sending && (await firstOf(sending, 0)) === 'taken') return
      if (closing.signal.aborted) return void (lost += count)
    }
  }

  async function sendPending(): Promise<void> {
    const sent = takePending().map(([topic, batch]) => ({ topic, batch, sending: send(topic, producedOf(batch)) }))
    const deadline = performance.now() + patienceMs
    for (const { topic, batch, sending } of sent) {
      const outcome = await firstOf(sending, deadline - performance.now())
      if (outcome === 'late') note(new Failure('UNAVAILABLE', NO_ANSWER))
      if (outcome !== 'taken') await putOnDisk(topic, batch, outcome === 'late' ? sending : undefined)
      else if (!pending.has(topic)) {
        clearBatch(batch)
        pending.set(topic, batch)
      }
    }
  }

  async function takeIn(): Promise<void> {
    for (;;) {
      const waiting = settling.splice(0)
      const isIdle = ![...pending.values()].some(({ values }) => values.count > 0)
      if (!isIdle && spill.count() === 0 && !failure) {
        await sendPending()
      } else if (!isIdle) {
        await sleepUnlessAborted(GATHER_MS, closing.signal).catch(() => {})
        for (const [topic, batch] of takePending()) await putOnDisk(topic, batch)
      }
      for (const settle of waiting) settle()
      if (isIdle && closing.signal.aborted) return
      if (isIdle) await came.wait(closing.signal)
    }
  }

  /** From the disk into the log, the oldest first, for as long as it takes. */
  async function drain(): Promise<void> {
    let failures = 0
    while (!closing.signal.aborted && !failure) {
      const batch = await spill.first()
      if (!batch) {
        await spilled.wait(closing.signal)
        continue
      }
      const sending = unanswered.get(batch.number) ?? send(batch.topic, batch.messages)
      unanswered.delete(batch.number)
      const outcome = await Promise.race([sending, aborted])
      if (outcome === 'taken') {
        failures = 0
        await spill.drop()
      } else if (outcome === 'refused') {
        await sleepUnlessAborted(backoffMs(++failures, FIRST_RETRY_MS, MOST_RETRY_MS), closing.signal).catch(() => {})
      }
    }
  }

  const aborted = new Promise<'aborted'>(resolve =>
    closing.signal.addEventListener('abort', () => resolve('aborted'), { once: true }),
  )
  const running = Promise.all([takeIn(), drain().catch(note)])

  return {
    batchOf(topic) {
      const batch = pending.get(topic) ?? createMessageBatch()
      pending.set(topic, batch)
      return batch
    },
    ring: () => came.ring(),
    isFull: () =>
      isDiskFull || [...pending.values()].reduce((sum, { values }) => sum + values.length, 0) > MOST_PENDING_BYTES,
    settled() {
      if (closing.signal.aborted) return Promise.resolve()
      return new Promise(resolve => {
        settling.push(resolve)
        came.ring()
      })
    },
    failure: () => failure,
    async close() {
      closing.abort()
      await running
      for (const settle of settling) settle()
      const onDisk = spill.count()
      await spill.close()
      return { onDisk, lost }
    },
  }
}

async function firstOf(sending: Sending, waitMs: number): Promise<'taken' | 'refused' | 'late'> {
  const answered = new AbortController()
  const late = sleepUnlessAborted(Math.max(waitMs, 0), answered.signal).then(
    () => 'late' as const,
    () => 'late' as const,
  )
  const outcome = await Promise.race([sending, late])
  answered.abort()
  return outcome
}
