// What a replay is to the page: how it stands, and what one can do with it.
import type { StoreApi } from 'zustand/vanilla'
import type { SessionState } from '../../contract/replay-sessions.ts'
import type { ReplayEnd } from './bar-questions.ts'
import type { TimeSpan } from './exchange-day.ts'
import type { Instrument, Instruments } from './instruments.ts'
import type { K2Client, Link } from './link.ts'
import type { MomentStore } from './moment.ts'
import type { Past } from './past.ts'

export type Speed = SessionState['speed']
export const SPEEDS: readonly Speed[] = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1000, 'max']

export interface ReplayState {
  session?: SessionState
  /** What is replayed: a day as a rule. */
  span?: TimeSpan
  isOpening: boolean
  failure?: string
  /** Where a loop begins whose end has not been chosen yet. */
  loopFromMicros?: number
}

export interface ReplayContext {
  link: Link
  moment: MomentStore
  past: StoreApi<Past>
  instruments: Instruments
  instrument: () => Instrument | undefined
  /** How far a step by bar goes. */
  barLength: () => Control['interval']
  /** The day around a moment, by the exchange's own clock. */
  dayOf: (micros: number, exchange: string) => TimeSpan
}

export interface Replay {
  state: StoreApi<ReplayState>
  /** For questions that end at the clock; nothing while no session is open. */
  end: () => ReplayEnd | undefined
  /** The day around a moment, or the last one that has rows. */
  open: (aroundMicros?: number) => void
  toggle: () => void
  setSpeed: (speed: Speed) => void
  faster: (steps: number) => void
  /** Back where the count is below 0. */
  step: (unit: 'tick' | 'bar' | 'commit', count: number) => void
  seek: (micros: number) => void
  reverse: () => void
  /** Marks where a loop begins, then where it ends; then ends it. */
  markLoop: () => void
  /** To be called when another instrument was selected. */
  follow: () => void
  close: () => void
}

export type Control = Omit<Parameters<K2Client['replay.control']>[0], 'session'>
