// What is done to a table, each with the rows before and after it: to let any file operation of it fail.
import type { Duck } from '../../src/main/duck/open-duck.ts'
import type { Lake } from '../../src/main/lake/lake.ts'
import { loadFile } from '../../src/main/lake/load/load-file.ts'
import { compactTable } from '../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../src/main/lake/maintain/expire-snapshots.ts'
import { rollBack } from '../../src/main/lake/travel/roll-back.ts'
import { tagSnapshot } from '../../src/main/lake/travel/tag-snapshot.ts'
import { composeLake, emptyState, type LakeState } from './compose-lake.ts'
import { append, readRows, tradesBatch } from './lake.ts'

export const ROWS = 30
export const ONLY_HEAD = { keep: [{ everyMs: 1e15, forMs: 1e15 }], most: 2_000 }

export interface Operation {
  name: string
  run: (lake: Lake) => Promise<unknown>
  /** It is several commits, each of which leaves the rows what they are, and may end between two of them. */
  inSteps?: boolean
}

const appendMore: Operation = {
  name: 'append',
  run: lake => append(lake, tradesBatch(ROWS, 10, { symbols: 2 }), { specId: 0 }),
}

export const OPERATIONS: readonly Operation[] = [
  appendMore,
  {
    name: 'load',
    async run(lake) {
      const load = await loadFile(lake, 'trades', { name: 'a.csv', contentHash: 'ab'.repeat(32) }, false)
      if ('alreadyLoaded' in load) return
      try {
        await load.append(tradesBatch(ROWS, 10, { symbols: 2 }))
        await load.commit('ab'.repeat(32))
      } catch (error) {
        await load.abort()
        throw error
      }
    },
  },
  { name: 'compact', inSteps: true, run: lake => compactTable(lake, lake.table('trades'), { minFiles: 2 }) },
  { name: 'expire', inSteps: true, run: lake => expireSnapshots(lake.table('trades'), { retention: ONLY_HEAD }) },
  {
    name: 'rollback',
    async run(lake) {
      const { metadata } = await lake.table('trades').load()
      await rollBack(lake.table('trades'), metadata.snapshots[1]['snapshot-id'])
    },
  },
  { name: 'tag', run: lake => tagSnapshot(lake.table('trades'), 'close') },
]

/** Small commits on two days, of which the first ones have been compacted: there is something to do for everyone. */
export async function smallTable(duck: Duck): Promise<LakeState> {
  const state = emptyState()
  const lake = composeLake({ io: state.files, rows: state.rows, duck })
  await lake.init()
  const ten = (i: number) => append(lake, tradesBatch(i * 10, 10, { symbols: 2, perDay: 20 }), { specId: 0 })
  await ten(0)
  await compactTable(lake, lake.table('trades'), { minFiles: 1 })
  await ten(1)
  await ten(2)
  return state
}

/** What anybody can see of the table: its rows, and how many snapshots and tags it has. */
export async function viewOf(lake: Lake): Promise<{ rows: number[]; snapshots: number; tags: number; head: string }> {
  const { metadata } = await lake.table('trades').load()
  const rows = await readRows(lake)
  return {
    rows: rows.map(row => Number(row.source_sequence)),
    snapshots: metadata.snapshots.length,
    tags: Object.keys(metadata.refs).length - 1,
    head: metadata.refs.main['snapshot-id'],
  }
}

export function reopened({ files, rows }: LakeState, duck: Duck): Lake {
  return composeLake({ io: files, rows, duck })
}
