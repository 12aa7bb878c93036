// Replays of one fixed row, for the doors to be judged without engines.
import type { Handlers } from '../../src/contract/capability.ts'
import type { ColumnBatch } from '../../src/contract/columns.ts'
import type { QueryMeta } from '../../src/contract/fields.ts'
import { REPLAYED, type replaySessions, type SessionState } from '../../src/contract/replay-sessions.ts'
import type { replay } from '../../src/contract/replay.ts'
import { TAIL_TABLES, type TableSpec } from '../../src/contract/tables.ts'

export function plainReplay(
  at: string,
  query: QueryMeta,
  oneRow: (table: TableSpec) => ColumnBatch,
): Handlers<typeof replay & typeof replaySessions> {
  const state = (session: string): SessionState => ({
    session,
    state: 'paused',
    stage: 'lake',
    clock: at,
    visible_until: at,
    direction: 'forward',
    speed: 1,
    order: 'event',
    start_time: at,
    end_time: at,
    rows: 1,
    late: 0,
    turns: 0,
    checksum: '0123456789abcdef',
    loop: null,
    snapshots: { trades: '1' },
    why: null,
  })
  return {
    'replay.read': ({ data_type, batch_size }) => ({
      data: oneRow(TAIL_TABLES[data_type]),
      query,
      pagination: { limit: batch_size, next_cursor: null, has_more: false },
    }),
    async *'replay.play'({ data_type }) {
      yield { rows: oneRow(TAIL_TABLES[data_type]), clock: at }
    },
    'replay.open': () => state('00000000-0000-4000-8000-000000000000'),
    'replay.control': ({ session }) => state(session),
    async *'replay.follow'() {
      const [trades, quotes] = [oneRow(REPLAYED.trades), oneRow(REPLAYED.quotes)]
      yield { trades, quotes, clock: at, state: 'paused', cursor: '1:1', turns: 0, direction: 'forward', missed: 0 }
    },
    'replay.state': ({ session }) => state(session),
    'replay.close': ({ session }) => ({ session, closed: true }),
  }
}
