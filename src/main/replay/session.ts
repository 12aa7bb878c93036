// One session: a tape, a clock that plays it at a speed, and one reader who gets its rows. Whoever is slow to read holds
// the clock; without a reader it stands.
import type { Handlers } from '../../contract/capability.ts'
import { timestampText } from '../../contract/columns.ts'
import { Failure } from '../../contract/failure.ts'
import type { replaySessions, SessionState } from '../../contract/replay-sessions.ts'
import { REPLAYED } from '../../contract/replay-sessions.ts'
import { emptyBatch } from '../../contract/columns.ts'
import { heldMs, msUntil, shownAt, type Pace, type Speed, type Ticker } from './pace.ts'
import type { Tape, TapeRows } from './tape.ts'
import type { Direction } from './table-reader.ts'

type Followed = Handlers<typeof replaySessions>['replay.follow'] extends (...given: never[]) => AsyncIterable<infer B>
  ? B
  : never

export interface SessionOptions {
  tape: Tape
  ticker: Ticker
  speed: Speed
  batchSize: number
  goesLive: boolean
}

/** What `state` says of the clock; the rest is known to whoever opened it. */
export type ClockState = Pick<
  SessionState,
  | 'state'
  | 'stage'
  | 'clock'
  | 'visible_until'
  | 'direction'
  | 'speed'
  | 'rows'
  | 'late'
  | 'turns'
  | 'checksum'
  | 'loop'
  | 'why'
>

export interface Session {
  state: () => ClockState
  visibleUntil: () => number
  follow: (after: string | undefined, signal: AbortSignal) => AsyncGenerator<Followed>
  isFollowed: () => boolean
  play: (speed?: Speed) => Promise<void>
  pause: () => Promise<void>
  setSpeed: (speed: Speed) => Promise<void>
  reverse: () => Promise<void>
  seek: (micros: number, signal?: AbortSignal) => Promise<void>
  /** So many rows on, or back where it is negative. */
  stepRows: (count: number, signal?: AbortSignal) => Promise<void>
  /** All rows up to a time, on or back. */
  stepTo: (micros: number, signal?: AbortSignal) => Promise<void>
  loop: (loop: { fromMicros: number; toMicros: number } | undefined, signal?: AbortSignal) => Promise<void>
  jumpToLive: (signal?: AbortSignal) => Promise<void>
  clockMicros: () => number
  close: () => void
}

interface Burst {
  direction: Direction
  left: number
  toMicros?: number
  done: () => void
}

const POLL_MS = 100
const RETRY_MS = 1_000
const LONG_MS = 60_000
/** How long a step waits for its rows to be taken by the reader. */
const STEP_MS = 2_000

export function createSession({ tape, ticker, batchSize, goesLive, ...options }: SessionOptions): Session {
  let state: 'paused' | 'playing' | 'ended' = 'paused'
  const start = tape.range?.fromMicros ?? tape.visibleUntil()
  let pace: Pace = { atMs: ticker.nowMs(), micros: start, speed: options.speed, direction: 1 }
  let loop: { fromMicros: number; toMicros: number } | undefined
  let hasLooped = false
  let burst: Burst | undefined
  let follower: symbol | undefined
  /** Of the row played last. */
  let lastMicros = start
  let why: string | null = null
  let isClosed = false
  let wake = new AbortController()
  let turn: Promise<unknown> = Promise.resolve()

  /** One at a time: the tape has one place. */
  function exclusively<T>(work: () => Promise<T> | T): Promise<T> {
    const mine = turn.then(work, work)
    turn = mine.catch(() => {})
    return mine
  }

  function ring(): void {
    wake.abort()
    wake = new AbortController()
  }

  function clockMicros(): number {
    if (state !== 'playing' || !follower) return pace.micros
    const shown = shownAt(paceNow(), ticker.nowMs())
    // The clock does not pass a row that is still to be played.
    return pace.direction === 1 ? Math.min(shown, Math.max(pace.micros, tape.nextMicros())) : Math.max(shown, start)
  }

  /** What is live is played as it comes: the clock shows the last of it, and its speed is for the tables. */
  function paceNow(): Pace {
    return tape.stage() === 'live' ? { ...pace, speed: 'max' } : pace
  }

  function setClock(micros: number): void {
    pace = { ...pace, atMs: ticker.nowMs(), micros: notAhead(micros) }
  }

  /** Nobody knows yet that nothing will happen before a moment which is still to come. */
  function notAhead(micros: number): number {
    return tape.stage() === 'live' ? Math.min(micros, tape.nowMicros()) : micros
  }

  async function change(work: () => Promise<void> | void): Promise<void> {
    // Whoever waits for rows sees the change at once.
    ring()
    await exclusively(async () => {
      burst?.done()
      burst = undefined
      await work()
    })
    ring()
  }

  function batchOf(taken: TapeRows | undefined): Followed {
    const { turns, direction, missed } = tape.counts()
    return {
      trades: taken?.rows.trades ?? emptyBatch(REPLAYED.trades.columns),
      quotes: taken?.rows.quotes ?? emptyBatch(REPLAYED.quotes.columns),
      clock: timestampText(clockMicros()),
      state,
      cursor: tape.cursor(),
      turns,
      direction: direction === 1 ? 'forward' : 'backward',
      missed,
    }
  }

  type Next = { batch: Followed } | { waitMs: number }

  async function playBurst(signal: AbortSignal): Promise<Next> {
    const { direction, left, toMicros, done } = burst!
    const taken = await tape.take({ direction, limit: Math.min(left, batchSize), toMicros }, signal)
    if (taken) {
      burst!.left -= taken.count
      setClock(taken.lastMicros)
      if (burst!.left > 0) return { batch: batchOf(taken) }
    }
    burst = undefined
    if (toMicros !== undefined) {
      setClock(toMicros)
      tape.passTo(notAhead(toMicros))
    }
    done()
    return taken ? { batch: batchOf(taken) } : { waitMs: 0 }
  }

  async function playNext(signal: AbortSignal): Promise<Next> {
    if (burst) return playBurst(signal)
    if (state !== 'playing') return { waitMs: LONG_MS }
    const { direction } = pace
    const stage = tape.stage()
    const next = await tape.nextTime(direction, signal).finally(() => {
      // Between the tables and what is live there is nothing to wait for, even where the live view cannot be asked yet.
      if (tape.stage() !== stage) setClock(tape.visibleUntil())
    })
    const { speed } = paceNow()
    const edge = loop && (direction === 1 ? loop.toMicros : loop.fromMicros)
    const isBehind = next !== undefined && edge !== undefined && (direction === 1 ? next >= edge : next < edge)
    if (loop && (next === undefined || isBehind)) return playAgain(edge!, signal)
    if (next === undefined) {
      if (goesLive || tape.stage() === 'live') return { waitMs: POLL_MS }
      setClock(direction === 1 ? Math.max(pace.micros, lastMicros) : Math.min(pace.micros, lastMicros))
      state = 'ended'
      return { batch: batchOf(undefined) }
    }
    const early = msUntil(paceNow(), next, ticker.nowMs())
    if (early > 0) return { waitMs: early }
    const shown = shownAt(paceNow(), ticker.nowMs())
    const due = speed === 'max' ? undefined : direction === 1 ? Math.max(next, shown) + 1 : Math.min(next, shown)
    const toMicros = nearer(direction, edge, due)
    const taken = await tape.take({ direction, limit: batchSize, toMicros }, signal)
    if (taken) lastMicros = taken.lastMicros
    if (taken && speed === 'max') setClock(taken.lastMicros)
    hasLooped = false
    return { batch: batchOf(taken) }
  }

  async function playAgain(edge: number, signal: AbortSignal): Promise<Next> {
    const early = msUntil(pace, edge, ticker.nowMs())
    if (early > 0) return { waitMs: early }
    if (hasLooped) {
      state = 'paused'
      why = 'There is no row in the loop.'
      return { batch: batchOf(undefined) }
    }
    const from = pace.direction === 1 ? loop!.fromMicros : loop!.toMicros
    await tape.seek(from, signal)
    setClock(from)
    hasLooped = true
    return { waitMs: 0 }
  }

  async function step(wanted: Omit<Burst, 'done'>, signal?: AbortSignal): Promise<void> {
    let finished = Promise.resolve()
    await change(async () => {
      state = 'paused'
      why = null
      setClock(clockMicros())
      if (follower) {
        finished = new Promise(done => (burst = { ...wanted, done }))
        return
      }
      // Nobody to give the rows to: the clock goes all the same.
      if (wanted.toMicros !== undefined) {
        await tape.seek(wanted.toMicros, signal)
        return setClock(wanted.toMicros)
      }
      for (let { left } = wanted; left > 0;) {
        const taken = await tape.take({ direction: wanted.direction, limit: Math.min(left, batchSize) }, signal)
        if (!taken) return
        left -= taken.count
        setClock(taken.lastMicros)
      }
    })
    const late = new AbortController()
    await Promise.race([finished, ticker.wait(STEP_MS, late.signal)])
    late.abort()
  }

  async function* follow(after: string | undefined, signal: AbortSignal): AsyncGenerator<Followed> {
    const me = Symbol('follower')
    await change(async () => {
      // First, as whoever is refused takes nobody's place.
      if (after !== undefined) await tape.seekCursor(after, signal)
      setClock(after === undefined ? clockMicros() : tape.visibleUntil())
      follower = me
      // It ended with rows on their way that this reader never got.
      if (after !== undefined && state === 'ended') state = 'playing'
    })
    try {
      // How it stands, before anything moves.
      yield batchOf(undefined)
      while (!signal.aborted && follower === me && !isClosed) {
        const heard = wake.signal
        // Asked again in its turn: another reader may have come to a place meanwhile, whose rows are not this one's.
        const playOwn = () => (follower === me ? playNext(signal) : { waitMs: 0 })
        const next = await exclusively<Next>(playOwn).catch((error: unknown) => {
          if (!(error instanceof Failure) || error.code !== 'UNAVAILABLE') throw error
          why = error.message
          return { waitMs: RETRY_MS }
        })
        if ('batch' in next) {
          const givenAtMs = ticker.nowMs()
          yield next.batch
          pace.atMs += heldMs(ticker.nowMs() - givenAtMs)
        } else if (next.waitMs > 0) await ticker.wait(next.waitMs, AbortSignal.any([signal, heard]))
      }
    } finally {
      if (follower === me) {
        pace = { ...pace, micros: clockMicros(), atMs: ticker.nowMs() }
        follower = undefined
        burst?.done()
        burst = undefined
      }
    }
  }

  return {
    state() {
      const { rows, late, missed, turns, checksum } = tape.counts()
      const text = missed > 0 ? `${missed} messages were in no table and no longer in the live view.` : null
      return {
        state,
        stage: tape.stage(),
        clock: timestampText(clockMicros()),
        visible_until: timestampText(tape.visibleUntil()),
        direction: pace.direction === 1 ? 'forward' : 'backward',
        speed: pace.speed,
        rows,
        late,
        turns,
        checksum,
        loop: loop ? { from: timestampText(loop.fromMicros), to: timestampText(loop.toMicros) } : null,
        why: why ?? text,
      }
    },
    visibleUntil: () => tape.visibleUntil(),
    clockMicros,
    follow,
    isFollowed: () => follower !== undefined,
    play: speed =>
      change(() => {
        setClock(clockMicros())
        if (speed !== undefined) pace.speed = speed
        state = 'playing'
        why = null
      }),
    pause: () =>
      change(() => {
        setClock(clockMicros())
        state = 'paused'
      }),
    setSpeed: speed =>
      change(() => {
        setClock(clockMicros())
        pace.speed = speed
      }),
    reverse: () =>
      change(() => {
        setClock(clockMicros())
        pace.direction = pace.direction === 1 ? -1 : 1
        if (state === 'ended') state = 'playing'
      }),
    seek: (micros, signal) =>
      change(async () => {
        await tape.seek(micros, signal)
        setClock(micros)
        if (state === 'ended') state = 'paused'
        why = null
      }),
    stepRows: (count, signal) => step({ direction: count < 0 ? -1 : 1, left: Math.abs(count) }, signal),
    async stepTo(micros, signal) {
      await step({ direction: micros < clockMicros() ? -1 : 1, left: Infinity, toMicros: micros }, signal)
    },
    loop: (wanted, signal) =>
      change(async () => {
        loop = wanted
        hasLooped = false
        if (!wanted) return
        await tape.seek(wanted.fromMicros, signal)
        setClock(wanted.fromMicros)
        if (state === 'ended') state = 'paused'
      }),
    jumpToLive: signal =>
      change(async () => {
        await tape.jumpToLive(signal)
        setClock(tape.visibleUntil())
        pace.direction = 1
        loop = undefined
        state = 'playing'
        why = null
      }),
    close() {
      isClosed = true
      ring()
      burst?.done()
      void exclusively(() => tape.close())
    },
  }
}

/** The end that is come to first. */
function nearer(direction: Direction, a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return direction === 1 ? Math.min(a, b) : Math.max(a, b)
}
