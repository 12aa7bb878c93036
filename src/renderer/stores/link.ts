// The connection to K2: opens it, watches it, opens it again, and hands the current client to the other stores.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Client } from '../../contract/capability.ts'
import { connectClient } from '../../contract/client.ts'
import { contract, type K2 } from '../../contract/index.ts'
import { Failure } from '../../contract/failure.ts'
import type { Port } from '../../contract/messages.ts'

export type K2Client = Client<K2>
export type About = Awaited<ReturnType<K2Client['system.about']>>

export interface LinkState {
  /** `connecting` only before the first connection; from then on what was shown stays, and `lost` says since when. */
  state: 'connecting' | 'connected' | 'lost'
  client?: K2Client
  /** Of the last connection; undefined until there has been one. */
  about?: About
  /** Milliseconds since 1970. */
  lostAtMs?: number
  retryAtMs?: number
  why?: string
  /** K2 answers, but was started anew since this page was opened: only its new address helps. */
  isSignedOut?: boolean
}

export interface Link {
  store: StoreApi<LinkState>
  /** Tries now instead of at the next turn. */
  reconnect(): void
  close(): void
}

export interface LinkTimes {
  /** How long the first answer, and each sign of life after it, may take. */
  answerMs: number
  checkEveryMs: number
  backoffMs: readonly number[]
}

const TIMES: LinkTimes = { answerMs: 8000, checkEveryMs: 4000, backoffMs: [250, 500, 1000, 2000, 4000] }

export function createLink(open: () => Promise<Port>, times: LinkTimes = TIMES): Link {
  const store = createStore<LinkState>(() => ({ state: 'connecting' }))
  const closing = new AbortController()
  let impatient = new AbortController()
  let failures = 0

  void keepConnected()
  return { store, reconnect: () => impatient.abort(), close: () => closing.abort() }

  async function keepConnected(): Promise<void> {
    while (!closing.signal.aborted) {
      let isSignedOut = false
      const why = await connectOnce().catch((failure: Error) => {
        isSignedOut = failure instanceof Failure && failure.code === 'UNAUTHORIZED'
        return failure.message
      })
      if (closing.signal.aborted) return
      const waitMs = times.backoffMs[Math.min(failures++, times.backoffMs.length - 1)]
      const nowMs = Date.now()
      store.setState(({ lostAtMs }) => ({
        state: 'lost',
        client: undefined,
        why,
        isSignedOut,
        lostAtMs: lostAtMs ?? nowMs,
        retryAtMs: nowMs + waitMs,
      }))
      impatient = new AbortController()
      await pause(waitMs, AbortSignal.any([impatient.signal, closing.signal]))
    }
  }

  /** Resolves with the reason when the connection is gone. */
  async function connectOnce(): Promise<string> {
    const port = await open()
    const gone = new AbortController()
    port.onClose(() => gone.abort())
    const over = AbortSignal.any([gone.signal, closing.signal])
    try {
      const client = connectClient(contract, port)
      const about = await withinAnswerTime(signal => client['system.about']({}, { signal }))
      failures = 0
      store.setState({ state: 'connected', client, about, why: undefined, lostAtMs: undefined, retryAtMs: undefined })
      return await untilSilent(client, over)
    } finally {
      port.close()
    }
  }

  /** A connection can stay open while nobody answers: a frozen process, a laptop that slept. */
  async function untilSilent(client: K2Client, over: AbortSignal): Promise<string> {
    for (;;) {
      await pause(times.checkEveryMs, over)
      if (over.aborted) return 'The connection to K2 closed.'
      await withinAnswerTime(signal => client['system.live']({}, { signal }))
    }
  }

  async function withinAnswerTime<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(times.answerMs)
    return ask(signal).catch((failure: unknown) => {
      throw signal.aborted ? new Error(`K2 has not answered for ${times.answerMs / 1000} s.`) : failure
    })
  }
}

/** Resolves after this time, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
