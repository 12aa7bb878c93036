// The simulated market: whether it runs, how fast, and the two things one can do to it.
import { createStore, type StoreApi } from 'zustand/vanilla'
import { DEMO_RATE, type DemoStatus } from '../../contract/demo.ts'
import type { K2Client, Link } from './link.ts'
import { poll } from './poll.ts'

export interface DemoState {
  status?: DemoStatus
  /** What the last wish of the person ran into. */
  failure?: string
  isBusy: boolean
}

export interface Demo {
  state: StoreApi<DemoState>
  /** Starts it, or changes its rate while it runs; messages a second. */
  run(rate?: number): Promise<void>
  stop(): Promise<void>
  close(): void
}

const EVERY_MS = 1000

export function watchDemo(link: Link): Demo {
  const state = createStore<DemoState>(() => ({ isBusy: false }))
  const close = poll(link, EVERY_MS, async (client, signal) => {
    const status = await client['demo.status']({}, { signal })
    if (!state.getState().isBusy) state.setState({ status })
  })

  async function wish(ask: (client: K2Client) => Promise<DemoStatus>): Promise<void> {
    const { client } = link.store.getState()
    if (!client) return state.setState({ failure: 'K2 is not connected; try again when it is.' })
    state.setState({ isBusy: true, failure: undefined })
    try {
      state.setState({ status: await ask(client) })
    } catch (failure) {
      state.setState({ failure: (failure as Error).message })
    } finally {
      state.setState({ isBusy: false })
    }
  }
  return {
    state,
    run(rate) {
      const { status } = state.getState()
      const known = status?.running ? { seed: status.seed, speed: status.speed, rate: status.rate } : {}
      return wish(client => client['demo.start']({ ...known, ...(rate !== undefined && { rate: limitRate(rate) }) }))
    },
    stop: () => wish(client => client['demo.stop']({})),
    close,
  }
}

export function limitRate(rate: number): number {
  return Math.min(DEMO_RATE.max, Math.max(DEMO_RATE.min, Math.round(rate)))
}
