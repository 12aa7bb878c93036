// One page of a replay: so many rows in event order, and a signed cursor that goes on behind them in the same snapshot.
import type { Handlers } from '../../contract/capability.ts'
import { emptyBatch, type ColumnBatch } from '../../contract/columns.ts'
import type { replay } from '../../contract/replay.ts'
import { TAIL_TABLES } from '../../contract/tables.ts'
import type { FileCounts } from '../lake/reads.ts'
import { joinRows } from './join-rows.ts'
import { nextTimeOf, takeRowsOf } from './merge.ts'
import { rangeOf, symbolsOf } from './questions.ts'
import type { RowSource } from './row-source.ts'
import { openReader } from './table-reader.ts'
import type { PagePlace, ReplayTools } from './tools.ts'

type Page = Handlers<typeof replay>['replay.read']

export function pageHandler(tools: ReplayTools): Page {
  const { reads, cursors, choiceOf, stateOf, metaOf } = tools
  return async function readPage({ cursor, ...question }, { signal }) {
    const startedMs = performance.now()
    const { data_type: table, batch_size: size, exchange } = question
    const range = rangeOf(tools, question)
    const symbols = symbolsOf(question)
    const choice = choiceOf(question)
    // Pages may be of different sizes; whatever else is asked makes other rows.
    const query = JSON.stringify([table, symbols?.toSorted(), exchange?.toUpperCase(), range, choice])
    const from = cursor === undefined ? undefined : cursors.open(cursor, query)
    const past = from ? { snapshot_id: from.snapshot } : question
    const at = await stateOf(reads, table, past, signal)
    const columns = TAIL_TABLES[table].columns.map(({ name }) => name)
    const source: RowSource = { table, at, order: 'event', instruments: { symbols, exchange }, columns }
    let files: FileCounts = { total: 0, pruned: 0, read: 0 }
    const onFiles = (found: FileCounts) => (files = found.read >= files.read ? found : files)
    const counting = { ...tools, onFiles }
    const reader = await openReader(counting, { source, range, firstRows: size + 1, readsAhead: false }, signal)
    if (from) reader.seek({ micros: from.micros, skip: from.skip })
    const parts: ColumnBatch[] = []
    let rows = 0
    while (rows < size) {
      const taken = await takeRowsOf([reader], { direction: 1, limit: size - rows }, signal)
      if (!taken) break
      parts.push(taken.parts[0]!.rows)
      rows += taken.count
    }
    const hasMore = rows === size && (await nextTimeOf([reader], 1, signal)) !== undefined
    const { micros, skip } = reader.place()
    const place = (snapshot: string): PagePlace => ({ snapshot, micros, skip })
    return {
      data: parts.length > 0 ? joinRows(parts) : emptyBatch(TAIL_TABLES[table].columns),
      query: metaOf({ at, files, rows, startedMs }),
      pagination: {
        limit: size,
        next_cursor: hasMore ? cursors.sign(place(at.snapshotId!), query) : null,
        has_more: hasMore,
      },
    }
  }
}
