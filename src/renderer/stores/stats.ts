// What the tail holds and how fast it fills, asked for every second.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { K2Client, Link } from './link.ts'
import { poll } from './poll.ts'

export type Stats = Awaited<ReturnType<K2Client['stats.get']>>
export interface StatsState {
  stats?: Stats
}

const EVERY_MS = 1000

export function pollStats(link: Link): { state: StoreApi<StatsState>; close(): void } {
  const state = createStore<StatsState>(() => ({}))
  const close = poll(link, EVERY_MS, async (client, signal) => {
    state.setState({ stats: await client['stats.get']({}, { signal }) })
  })
  return { state, close }
}
