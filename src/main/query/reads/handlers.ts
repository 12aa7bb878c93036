// Reads of the tables: the share of the contract that answers with their rows.
import type { Context, Handlers } from '../../../contract/capability.ts'
import type { reads as readsContract } from '../../../contract/reads.ts'
import type { TableId } from '../../../contract/tables.ts'
import { createCursors } from '../cursor.ts'
import { lakeMeta, type QueryTools } from '../tools.ts'
import { createAnswerCache } from './answer-cache.ts'
import { askedRows, textOf, type AskedRows, type ReadInput } from './asked-rows.ts'
import { weigh, type Weighed } from './weigh.ts'
import { readPage, type CursorPlace, type PageInput, type PageTools } from './page.ts'
import { readRows, type FoundRows } from './read-rows.ts'

export interface ReadOptions {
  /** What cursors are signed with. */
  cursorKey: Buffer
  /** Of answers that are kept to be given again. */
  cacheBytes?: number
  /** Sees whether an answer was kept; for metrics. */
  onLook?: (look: { hits: number; misses: number }) => void
}

const CACHE_BYTES = 64_000_000

export function readHandlers(
  tools: QueryTools,
  options: ReadOptions,
): Omit<Handlers<typeof readsContract>, 'dates.range'> {
  const { cursorKey, cacheBytes: maxBytes = CACHE_BYTES, onLook } = options
  const answers = createAnswerCache<FoundRows & Weighed>({ maxBytes, onLook })
  const pages: PageTools = {
    reads: tools.reads,
    cursors: createCursors<CursorPlace>(cursorKey, 'rows'),
    read: (at, asked, part, signal) =>
      answers.get(
        JSON.stringify([at.snapshotId, textOf(asked), part]),
        async stop => weigh(await readRows(tools, at, asked, part, stop)),
        signal,
      ),
  }

  async function rows(table: TableId, input: ReadInput & PageInput, { signal }: Context) {
    const startedMs = performance.now()
    const asked: AskedRows = askedRows(table, input)
    const { at, batch, files, nextCursor } = await readPage(pages, asked, input, signal)
    const { limit, offset } = input
    return {
      data: batch,
      query: lakeMeta(tools, { at, files, rows: batch.rowCount, startedMs }),
      pagination: {
        limit,
        ...(offset !== undefined && { offset }),
        next_cursor: nextCursor,
        has_more: nextCursor !== null,
      },
    }
  }

  return {
    'trades.list': (input, context) => rows('trades', input, context),
    'quotes.list': (input, context) => rows('quotes', input, context),
    'trades.query': (input, context) => rows('trades', input, context),
    'quotes.query': (input, context) => rows('quotes', input, context),
    'snapshots.query': ({ id, table, ...input }, context) => rows(table, { ...input, snapshot_id: id }, context),
  }
}
