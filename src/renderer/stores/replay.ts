// A day played again: a session of the selected instrument, trades and quotes on one clock, which every pane follows.
import { createStore } from 'zustand/vanilla'
import { timestampMicros, timestampText } from '../../contract/columns.ts'
import type { SessionState } from '../../contract/replay-sessions.ts'
import type { Instrument } from './instruments.ts'
import { pause, type K2Client } from './link.ts'
import { createReplayRows, type ReplayRows } from './replay-rows.ts'
import { SPEEDS, type Control, type Replay, type ReplayContext, type ReplayState } from './replay-state.ts'
import { firstRowIn, lastRowOf } from './replay-span.ts'

const PLAYING_EVERY_MS = 200
const PAUSED_EVERY_MS = 500
const RETRY_MS = 1000

export function createReplay(context: ReplayContext): Replay {
  const { link, moment, past, instruments } = context
  const state = createStore<ReplayState>(() => ({ isOpening: false }))
  let running: { over: AbortController; instrument: Instrument; rows?: ReplayRows } | undefined
  let asked: Promise<unknown> = Promise.resolve()

  function open(aroundMicros?: number): void {
    const instrument = context.instrument()
    const { client } = link.store.getState()
    stop()
    if (moment.state.getState().mode !== 'replay') moment.goReplay()
    if (!instrument || !client)
      return fail(instrument ? 'K2 is not connected; try again when it is.' : 'Pick a symbol first.')
    const over = new AbortController()
    running = { over, instrument }
    state.setState({ isOpening: true, failure: undefined, session: undefined, loopFromMicros: undefined })
    run(client, instrument, aroundMicros, over.signal).catch((failure: Error) => {
      if (!over.signal.aborted) fail(failure.message)
    })
  }

  function fail(failure: string): void {
    state.setState({ isOpening: false, failure })
  }

  async function run(client: K2Client, instrument: Instrument, around: number | undefined, signal: AbortSignal) {
    const { symbol, exchange } = instrument
    const near = around ?? (await lastRowOf(client, instrument, signal))
    if (near === undefined) return fail(`There are no rows of ${instrument.name} in the tables yet.`)
    const day = context.dayOf(near, exchange)
    const first = await firstRowIn(client, instrument, day, signal)
    if (first === undefined) state.setState({ span: day })
    if (first === undefined) return fail(`There are no rows of ${instrument.name} on this day: choose another.`)
    const span = { ...day, fromMicros: first }
    const session = await client['replay.open'](
      {
        data_types: ['trades', 'quotes'],
        symbols: [symbol],
        exchange,
        start_time: timestampText(span.fromMicros),
        end_time: timestampText(span.toMicros),
      },
      { signal },
    )
    if (signal.aborted) return void client['replay.close']({ session: session.session }).catch(() => {})
    signal.addEventListener('abort', () => void client['replay.close']({ session: session.session }).catch(() => {}))
    state.setState({ isOpening: false, span })
    take(session)
    moment.goReplay(session.session)
    if (around !== undefined && around > timestampMicros(session.visible_until))
      await tell({ action: 'seek', to: timestampText(around) })
    void watch(client, session.session, signal)
    await followRows(client, session.session, instrument, signal)
  }

  async function followRows(client: K2Client, session: string, instrument: Instrument, signal: AbortSignal) {
    const rows = createReplayRows({
      client,
      session,
      instrument,
      instruments,
      show: (trades, quotes) => past.setState({ trades, quotes }),
      failed: fail,
    })
    running!.rows = rows
    signal.addEventListener('abort', () => rows.close())
    rows.turned(state.getState().session!.turns)
    let after: string | undefined
    while (!signal.aborted) {
      try {
        for await (const batch of client['replay.follow'](
          { session, ...(after !== undefined && { after }) },
          { signal },
        )) {
          after = batch.cursor
          if (batch.clock !== null) moment.clockMicros = timestampMicros(batch.clock)
          rows.take(batch)
        }
      } catch (failure) {
        if (signal.aborted) return
        fail((failure as Error).message)
      }
      if (!link.store.getState().client || link.store.getState().client !== client) return
      await pause(RETRY_MS, signal)
    }
  }

  /** Clock, counts and checksum, as often as they are worth looking at. */
  async function watch(client: K2Client, session: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isPlaying = state.getState().session?.state === 'playing'
      await pause(isPlaying ? PLAYING_EVERY_MS : PAUSED_EVERY_MS, signal)
      if (signal.aborted) return
      await client['replay.state']({ session }, { signal }).then(take, (failure: Error) => {
        if (!signal.aborted) fail(failure.message)
      })
    }
  }

  function take(session: SessionState): void {
    state.setState({ session, failure: session.why ?? undefined })
    if (session.clock !== null) moment.clockMicros = timestampMicros(session.clock)
    running?.rows?.turned(session.turns)
  }

  /** One after the other, so that two quick keys are two steps: what depends on how it stands is made when its turn comes. */
  function tell(command: Control | ((now: SessionState) => Control)): Promise<void> {
    const told = asked.then(async () => {
      const { session } = state.getState()
      const { client } = link.store.getState()
      if (!session || !client || !running) return
      const { signal } = running.over
      const wish = typeof command === 'function' ? command(session) : command
      try {
        take(await client['replay.control']({ session: session.session, ...wish }, { signal }))
      } catch (failure) {
        if (!signal.aborted) fail((failure as Error).message)
      }
    })
    asked = told
    return told
  }

  let target: number | undefined
  let isSeeking = false
  /** A hand on the slider asks for many moments; the last one counts. */
  async function seekTargets(): Promise<void> {
    isSeeking = true
    while (target !== undefined) {
      const to = timestampText(target)
      target = undefined
      await tell({ action: 'seek', to })
    }
    isSeeking = false
  }

  function seek(to: number): void {
    target = to
    if (!isSeeking) void seekTargets()
  }

  function stop(): void {
    running?.over.abort()
    running = undefined
    asked = Promise.resolve()
  }

  const unsubscribe = moment.state.subscribe(({ mode }, before) => {
    if (mode === before.mode) return
    if (mode === 'replay' && !running) open(before.mode === 'as_of' ? before.atMicros : undefined)
    if (mode === 'replay') return
    stop()
    state.setState({ isOpening: false }, true)
  })

  // The session outlives the connection, its reader does not.
  let client = link.store.getState().client
  const unlink = link.store.subscribe(next => {
    if (next.client === client) return
    client = next.client
    if (client && running) open(moment.clockMicros)
  })

  return {
    state,
    end() {
      const { session } = state.getState()
      if (!session || moment.state.getState().mode !== 'replay') return undefined
      return { untilMicros: timestampMicros(session.visible_until), snapshotId: session.snapshots.trades ?? undefined }
    },
    open,
    toggle() {
      const { session } = state.getState()
      if (!session) return
      if (session.state === 'ended' && session.start_time !== null)
        void tell({ action: 'seek', to: session.start_time })
      void tell(now => ({ action: now.state === 'playing' ? 'pause' : 'play' }))
    },
    setSpeed: speed => void tell({ action: 'speed', speed }),
    faster(steps) {
      void tell(({ speed }) => {
        const at = Math.max(0, SPEEDS.indexOf(speed)) + steps
        return { action: 'speed', speed: SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))] }
      })
    },
    step: (unit, count) => void tell({ action: 'step', unit, count, interval: context.barLength() }),
    seek,
    reverse: () => void tell({ action: 'reverse' }),
    markLoop() {
      const { session, loopFromMicros } = state.getState()
      if (!session?.clock) return
      if (session.loop) return void tell({ action: 'loop' })
      const now = timestampMicros(session.clock)
      if (loopFromMicros === undefined || now <= loopFromMicros) return state.setState({ loopFromMicros: now })
      state.setState({ loopFromMicros: undefined })
      void tell({ action: 'loop', from: timestampText(loopFromMicros), to: timestampText(now) })
    },
    follow() {
      const instrument = context.instrument()
      if (moment.state.getState().mode !== 'replay' || !instrument || running?.instrument === instrument) return
      open(moment.clockMicros)
    },
    close() {
      unsubscribe()
      unlink()
      stop()
    },
  }
}
