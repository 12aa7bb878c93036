// Which moment the page shows: now, a moment as it was known then, or the clock of a replay. Every pane follows it.
import { createStore, type StoreApi } from 'zustand/vanilla'
import { timestampText } from '../../contract/columns.ts'

export type Moment = { mode: 'live' } | AsOf | { mode: 'replay'; session?: string }

export interface AsOf {
  mode: 'as_of'
  /** What had been committed by then; microseconds since 1970. */
  atMicros: number
  /** Of trades; where one was picked, it rather than the moment is asked for. */
  snapshotId?: string
  /** As it was picked: "Snapshot 8123…", the name of a tag, or nothing for a time. */
  label?: string
}

export interface MomentStore {
  state: StoreApi<Moment>
  /** Where the playhead stands outside live, microseconds since 1970. Not in the state, as it changes with every batch. */
  clockMicros?: number
  goLive: () => void
  goAsOf: (atMicros: number, which?: Pick<AsOf, 'snapshotId' | 'label'>) => void
  /** Without a session while one is being opened. */
  goReplay: (session?: string) => void
}

export function createMoment(): MomentStore {
  const state = createStore<Moment>(() => ({ mode: 'live' }))
  const store: MomentStore = {
    state,
    goLive: () => go({ mode: 'live' }),
    goAsOf: (atMicros, which = {}) => go({ mode: 'as_of', atMicros, ...which }, atMicros),
    goReplay: session => {
      const { mode } = state.getState()
      go(
        session === undefined ? { mode: 'replay' } : { mode: 'replay', session },
        mode === 'replay' ? store.clockMicros : undefined,
      )
    },
  }
  function go(moment: Moment, clockMicros?: number): void {
    store.clockMicros = clockMicros
    state.setState(moment, true)
  }
  return store
}

/** Which state of the tables a question is about; that of now where it says nothing. */
export interface PastState {
  snapshot_id?: string
  as_of?: string
  replay_session?: string
}

/** What a question about the tables is asked with, so that it is answered as of this moment. */
export function pastStateOf(moment: Moment): PastState {
  if (moment.mode === 'replay') return moment.session === undefined ? {} : { replay_session: moment.session }
  if (moment.mode === 'live') return {}
  if (moment.snapshotId !== undefined) return { snapshot_id: moment.snapshotId }
  return { as_of: timestampText(moment.atMicros) }
}
