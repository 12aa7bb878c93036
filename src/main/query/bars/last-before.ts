// The row that was in force when a range began: the last one before it, read backward piece by piece.
import { OFF_MARKET } from '../blocks/blocks.ts'
import { filterOf } from '../blocks/read-block.ts'
import type { ColumnBatch } from '../../../contract/columns.ts'
import { viewRows } from '../../../contract/take-rows.ts'
import type { TableAt } from '../../lake/reads.ts'
import { backward, spanOf, type BarsTools } from './read-bars.ts'
import { windowsOf } from './windows.ts'

export interface Before {
  at: TableAt
  symbol: string
  exchange: string
  /** Exclusive. */
  endMicros: number
  columns: readonly string[]
  /** How far back, at the most. */
  startMicros?: number
  /** Rows that are in no file yet, in the total order. */
  fresh?: ColumnBatch
}

/** A batch of that one row; nothing where there is none. Off-market trades are passed over when that column is asked. */
export async function lastBefore(
  { reads, blocks }: BarsTools,
  question: Before,
  signal?: AbortSignal,
): Promise<ColumnBatch | undefined> {
  const { at, symbol } = question
  const filter = filterOf({ ...question, symbols: [symbol] })
  const spans = [...(await reads.spans(at, { filter }, 'exchange_timestamp', signal)), ...spanOf(question.fresh)]
  for (const { start, end } of backward(spans, question, windowsOf('1h', 'UTC'), 1)) {
    const { runs } = await blocks.read({ ...question, startMicros: start, endMicros: end }, signal)
    for (const run of runs.toReversed()) {
      const left = OFF_MARKET in run.columns ? run.columns[OFF_MARKET].values : undefined
      let row = run.rowCount - 1
      while (row >= 0 && left && Number(left[row]) === 1) row--
      if (row >= 0) return viewRows(run, row, row + 1)
    }
  }
  return undefined
}
