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
  /** After a refusal; twice as long after each further one in a row, up to the most. */
  retryMs?: { first: number; most: number }
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
const RETRY_MS = { first: 250, most: 10_000 }
/** What waits in memory for the disk, until nothing more is to be put. */
const MOST_PENDING_BYTES = 32 * 1024 * 1024

const NO_ANSWER =
  'The log has not answered for a while. What comes meanwhile is kept on the disk and goes to the log when it answers: nothing is lost.'

type Sending = Promise<'taken' | 'refused'>

export function createOutbox({ append, spill, ...options }: OutboxOptions): Outbox {
  const { patienceMs = PATIENCE_MS, retryMs = RETRY_MS, onSpilled = () => {}, onTrouble = () => {} } = options
  const pending = new Map<string, MessageBatch>()
  const [came, spilled] = [createBell(), createBell()]
  const closing = new AbortController()
  /** By number on the disk: sent before it was put there, and not answered yet. */
  const unanswered = new Map<number, Sending>()
  /** Of those who wait until what was put before they asked is settled. */
  const settling: (() => void)[] = []
  let isDiskFull = false
  let lost = 0
  /** Each of its own, so that one that goes on is not taken for over when another is. */
  const troubles: Partial<Record<'log' | 'put' | 'drain', Error>> = {}
  let told: Error | undefined
  let failure: Error | undefined

  const retryAfterMs = (refusals: number) => backoffMs(refusals, retryMs.first, retryMs.most)

  function note(where: keyof typeof troubles, trouble: Error | undefined): void {
    if (trouble && !isTransient(trouble)) failure ??= trouble
    troubles[where] = trouble
    const next = failure ?? troubles.put ?? troubles.drain ?? troubles.log
    if (next?.message === told?.message) return
    told = next
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
        note('log', undefined)
        return 'taken' as const
      },
      (error: unknown) => {
        note('log', error as Error)
        return 'refused' as const
      },
    )
  }

  /** The batch's number on the disk; nothing when that does not take it. */
  async function tryPut(topic: string, messages: Produced): Promise<number | undefined> {
    let number: number | undefined
    let trouble: Error | undefined
    try {
      number = await spill.put(topic, messages)
    } catch (error) {
      trouble = error as Error
    }
    isDiskFull = number === undefined
    note('put', trouble)
    return number
  }

  /**
   * Waits until there is room on the disk, or the log has taken it: whoever fills the batches was told to stop by then.
   * With nothing on the disk before it, it goes to the log again too.
   */
  async function putOnDisk(topic: string, batch: MessageBatch, sent?: Sending): Promise<void> {
    const { count } = batch.values
    let sending = sent
    let failures = 0
    let sendAgainAt = 0
    for (;;) {
      const number = await tryPut(topic, producedOf(batch))
      if (number !== undefined) {
        if (sending) unanswered.set(number, sending)
        onSpilled(count)
        return spilled.ring()
      }
      await sleepUnlessAborted(GATHER_MS)
      if (spill.count() === 0 && !failure && performance.now() >= sendAgainAt)
        sending ??= send(topic, producedOf(batch))
      const outcome = sending && (await firstOf(sending, 0))
      if (outcome === 'taken') {
        isDiskFull = false
        return note('put', undefined)
      }
      if (outcome === 'refused') {
        sending = undefined
        sendAgainAt = performance.now() + retryAfterMs(++failures)
      }
      if (closing.signal.aborted) return void (lost += count)
    }
  }

  async function sendPending(): Promise<void> {
    const sent = takePending().map(([topic, batch]) => ({ topic, batch, sending: send(topic, producedOf(batch)) }))
    const deadline = performance.now() + patienceMs
    for (const { topic, batch, sending } of sent) {
      const outcome = await firstOf(sending, deadline - performance.now())
      if (outcome === 'late') note('log', new Failure('UNAVAILABLE', NO_ANSWER))
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
      const isDone = await passOn().then(
        outcome => {
          note('drain', undefined)
          return outcome !== 'refused'
        },
        (error: unknown) => {
          note('drain', error as Error)
          return false
        },
      )
      if (isDone) failures = 0
      else await sleepUnlessAborted(retryAfterMs(++failures), closing.signal).catch(() => {})
    }
  }

  /** The oldest batch on the disk; waits for one. */
  async function passOn(): Promise<'taken' | 'refused' | 'aborted' | 'none'> {
    const batch = await spill.first()
    if (!batch) {
      note('drain', undefined)
      await spilled.wait(closing.signal)
      return 'none'
    }
    const sending = unanswered.get(batch.number) ?? send(batch.topic, batch.messages)
    // Until it is dropped, so that a disk that fails at that does not make it go to the log twice.
    unanswered.set(batch.number, sending)
    const outcome = await Promise.race([sending, aborted])
    if (outcome === 'taken') await spill.drop()
    unanswered.delete(batch.number)
    return outcome
  }

  const aborted = new Promise<'aborted'>(resolve =>
    closing.signal.addEventListener('abort', () => resolve('aborted'), { once: true }),
  )
  const running = Promise.all([takeIn(), drain()])

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
