// Connected for good: again after every end, each time later, and on a fresh connection before the exchange ends an old
// one, the two overlapping so that nothing falls between them.
import { createBell } from '../../base/bell.ts'
import { backoffMs, sleepUnlessAborted } from '../../base/retry.ts'
import { openConnection, type Connection, type Ended } from './connection.ts'
import { addressOf, subscribeRest } from './streams.ts'

export interface Timing {
  silenceMs: number
  quietMs: number
  handshakeMs: number
  /** Between attempts: the first, doubling up to the most. */
  firstRetryMs: number
  mostRetryMs: number
  /** A connection that lasted so long ends a row of failures. */
  stableMs: number
  /** The exchange ends a connection after 24 hours. */
  rotateMs: number
  overlapMs: number
}

export const TIMING: Timing = {
  silenceMs: 45_000,
  quietMs: 300_000,
  handshakeMs: 10_000,
  firstRetryMs: 1000,
  mostRetryMs: 60_000,
  stableMs: 300_000,
  rotateMs: 23 * 3600_000,
  overlapMs: 2000,
}

export interface StayConnectedOptions {
  /** Base address of the stream. */
  base: string
  streams: readonly string[]
  ca?: string
  timing: Timing
  onText: (text: string) => void
  onConnected: () => void
  /** Before the wait for the next attempt. */
  onEnded: (ended: Ended, waitMs: number) => void
  /** A fresh connection has taken the place of one that still lived. */
  onRotated: () => void
  /** Resolves when messages can be taken; until then nothing is connected. */
  whenRoom: (signal: AbortSignal) => Promise<void>
  signal: AbortSignal
}

export interface Link {
  /** A fresh connection in the place of this one, which the exchange is about to close. */
  rotateNow: () => void
  /** Ends the connection; the next one is made when there is room. */
  leave: () => void
  /** Resolves when the signal has aborted and nothing is connected any more. */
  ended: Promise<void>
}

interface Live {
  connection: Connection
  openedMs: number
  rotateInMs: number
}

/** Those of many who began together are not to be made anew together. */
const ROTATE_SPREAD = 0.05

export function stayConnected(options: StayConnectedOptions): Link {
  const { base, streams, ca, timing, onText, signal } = options
  const rotation = createBell()
  let failures = 0
  let current: Live | undefined
  /** Asked for, perhaps before anybody waited for it. */
  let isRotationDue = false

  async function open(): Promise<Live | Ended> {
    const connection = openConnection({ url: addressOf(base, streams), ca, ...timing, onText })
    const leave = () => connection.close()
    signal.addEventListener('abort', leave, { once: true })
    void connection.ended.then(() => signal.removeEventListener('abort', leave))
    const ended = await connection.opened
    if (ended) return ended
    await subscribeRest(connection, streams, signal)
    const rotateInMs = timing.rotateMs * (1 - Math.random() * ROTATE_SPREAD)
    return { connection, openedMs: performance.now(), rotateInMs }
  }

  async function waitAfter(ended: Ended): Promise<void> {
    const waitMs = backoffMs(++failures, timing.firstRetryMs, timing.mostRetryMs)
    options.onEnded(ended, waitMs)
    await sleepUnlessAborted(waitMs, signal).catch(() => {})
  }

  /** How it ended; nothing when it is to be replaced. */
  async function live({ connection, rotateInMs }: Live): Promise<Ended | undefined> {
    // Not AbortSignal.timeout: Node loses one that is part of AbortSignal.any when memory is collected.
    const due = new AbortController()
    const timer = setTimeout(() => due.abort(), Math.ceil(rotateInMs))
    try {
      if (isRotationDue) return undefined
      return await Promise.race([connection.ended, rotation.wait(due.signal).then(() => undefined)])
    } finally {
      isRotationDue = false
      clearTimeout(timer)
      due.abort()
    }
  }

  async function replace(old: Live): Promise<void> {
    const next = await open()
    if ('reason' in next) {
      old.rotateInMs = backoffMs(++failures, timing.firstRetryMs, timing.mostRetryMs)
      return
    }
    options.onRotated()
    current = next
    await Promise.race([old.connection.ended, sleepUnlessAborted(timing.overlapMs, signal).catch(() => {})])
    old.connection.close()
    await old.connection.ended
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (current) {
        const ended = await live(current)
        if (!ended) {
          await replace(current)
          continue
        }
        if (performance.now() - current.openedMs > timing.stableMs) failures = 0
        current = undefined
        if (!signal.aborted) await waitAfter(ended)
        continue
      }
      await options.whenRoom(signal)
      if (signal.aborted) return
      const opened = await open()
      if ('reason' in opened) {
        if (!signal.aborted) await waitAfter(opened)
        continue
      }
      current = opened
      options.onConnected()
    }
    current?.connection.close()
    await current?.connection.ended
  }

  return {
    rotateNow() {
      isRotationDue = true
      rotation.ring()
    },
    leave: () => current?.connection.close(),
    ended: run(),
  }
}
