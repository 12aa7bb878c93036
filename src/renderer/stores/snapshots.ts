// The snapshots of trades: what one can go back to, and how far the tables are behind what arrives.
import { createStore, type StoreApi } from 'zustand/vanilla'
import { timestampMicros } from '../../contract/columns.ts'
import type { K2Client, Link } from './link.ts'
import { poll } from './poll.ts'

type Row = Awaited<ReturnType<K2Client['snapshots.list']>>['data'][number]

export interface Snapshot {
  id: string
  /** Microseconds since 1970. */
  committedMicros: number
  /** Every record up to here is in it; undefined where nobody says. */
  throughMicros?: number
  operation: Row['operation']
  rows: number | null
  added: number
  /** Names that keep it. */
  tags: string[]
}

export interface SnapshotsState {
  /** Newest first; undefined until the first answer. */
  list?: Snapshot[]
  failure?: string
}

const EVERY_MS = 4000
/** A few minutes of a busy writer's commits; what is further back is reached by its time, or by its name. */
const LISTED = 200

export function pollSnapshots(link: Link): { state: StoreApi<SnapshotsState>; close: () => void } {
  const state = createStore<SnapshotsState>(() => ({}))
  /** What the list is of: a snapshot does not change, but gets names and loses them. */
  let listed = ''
  const close = poll(
    link,
    EVERY_MS,
    async (client, signal) => {
      const { data } = await client['snapshots.list']({ table: 'trades', limit: LISTED }, { signal })
      const { list } = state.getState()
      const before = listed
      listed = JSON.stringify(data.map(({ snapshot_id, refs }) => [snapshot_id, refs]))
      state.setState({ list: listed === before ? list : data.map(snapshotOf), failure: undefined })
    },
    failure => state.setState({ failure: failure.message }),
  )
  return { state, close }
}

function snapshotOf(row: Row): Snapshot {
  return {
    id: row.snapshot_id,
    committedMicros: timestampMicros(row.committed_at),
    throughMicros: row.valid_through === null ? undefined : timestampMicros(row.valid_through),
    operation: row.operation,
    rows: row.total_rows,
    added: row.added_rows,
    tags: row.refs.filter(ref => ref !== 'main'),
  }
}
