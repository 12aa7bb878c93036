// Follows the tail across reconnects: goes on after the last row it took, and says so where rows are missing between.
import type { ColumnBatch } from '../../contract/columns.ts'
import type { Failure } from '../../contract/failure.ts'
import type { TailTable } from '../../contract/tables.ts'
import { pause, type Link } from './link.ts'
import { whileConnected } from './poll.ts'

export interface TailRequest {
  data_type: TailTable
  symbols?: string[]
  exchange?: string
  /** Rows from before now to begin with. */
  backlog: number
}

export interface TailReader {
  take(rows: ColumnBatch, newestAtMs: number): void
  /** Rows that the tail dropped before this reader took them. */
  missed(rows: number): void
  /** The place to go on from is gone (a new log, or away for too long): how many rows lie between nobody knows. */
  lostPlace(): void
  /** Nothing more comes for now, and why; undefined when rows come again. */
  stalled(why: string | undefined): void
}

const RETRY_MS = 1000

export function followTail(link: Link, request: TailRequest, reader: TailReader): () => void {
  let cursor: string | undefined
  return whileConnected(link, async (client, signal) => {
    const { backlog, ...what } = request
    while (!signal.aborted) {
      try {
        const from = cursor === undefined ? { backlog } : { after: cursor }
        for await (const batch of client['tail.follow']({ ...what, ...from }, { signal })) {
          cursor = batch.cursor
          reader.take(batch.rows, Date.parse(batch.newest_at))
          if (batch.missed > 0) reader.missed(batch.missed)
        }
      } catch (error) {
        const { code, message } = error as Failure
        if (signal.aborted) return
        if (cursor !== undefined && (code === 'OFFSET_OUT_OF_RANGE' || code === 'INVALID_INPUT')) {
          cursor = undefined
          reader.lostPlace()
          continue
        }
        reader.stalled(message)
      }
      await pause(RETRY_MS, signal)
    }
  })
}
