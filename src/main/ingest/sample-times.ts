// When some of the rows of a flush happened at the exchange: enough to tell how long rows take from there into the table.
import type { ColumnBatch } from '../../contract/columns.ts'

export interface TopicTimes {
  topic: string
  exchangeMicros: readonly number[]
}

/** Of one flush and topic: all of a small one, and of a large one the first and others at even distances. */
const MOST_SAMPLES = 20

/** Nothing of a table whose rows have no such time. */
export function sampleTimes({ rowCount, columns }: ColumnBatch): number[] {
  if (!('exchange_timestamp' in columns)) return []
  const { values } = columns.exchange_timestamp
  const step = Math.max(1, rowCount / MOST_SAMPLES)
  const samples: number[] = []
  for (let at = 0; at < rowCount; at += step) samples.push(Number(values[Math.floor(at)]))
  return samples
}
