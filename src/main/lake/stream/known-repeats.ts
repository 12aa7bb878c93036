// Rows that repeat, to the letter, another one of their partition that came within the window. A message that was set aside
// was no repeat of anything then, and nothing was a repeat of it.
import { cellOf, type ColumnBatch } from '../../../contract/columns.ts'
import { TAIL_TABLES, type TableId, type TailTable } from '../../../contract/tables.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import type { Lake } from '../lake.ts'
import { leaveOut, rowsThere, textsOf } from './known-rows.ts'

/** What a repeat has of its own: its place in the log, an id that says the place, and when it was taken in. */
const ITS_OWN = new Set(['message_id', '_offset', 'ingestion_timestamp'])

/** Of trades and quotes: those that are neither in the table nor earlier in the batch, and how many are. */
export async function leaveOutRepeats(
  lake: Lake,
  id: TableId,
  { metadata, batch, windowMicros }: { metadata: TableMetadata; batch: ColumnBatch; windowMicros: number },
  signal?: AbortSignal,
): Promise<{ batch: ColumnBatch; known: number }> {
  if (batch.rowCount === 0 || windowMicros === 0 || !Object.hasOwn(TAIL_TABLES, id)) return { batch, known: 0 }
  const names = TAIL_TABLES[id as TailTable].columns.map(({ name }) => name)
  const content = names.filter(name => !ITS_OWN.has(name))
  /** By content, when each came. */
  const there = new Map<string, number[]>()
  const contents = textsOf(batch, content)
  const filter = [
    { column: 'exchange_timestamp', op: 'in' as const, values: timesIn(batch) },
    { column: 'symbol', op: 'in' as const, values: wordsIn(batch, 'symbol') },
  ]
  const columns = [...content, 'ingestion_timestamp']
  for await (const found of rowsThere(lake, id, { metadata, filter, columns }, signal))
    textsOf(found, content).forEach((text, row) => note(text, takenInAt(found, row)))

  function note(text: string, micros: number): void {
    const known = there.get(text)
    if (known) known.push(micros)
    else there.set(text, [micros])
  }

  return leaveOut(batch, row => {
    const micros = takenInAt(batch, row)
    const isRepeat = there.get(contents[row])?.some(other => Math.abs(micros - other) < windowMicros) ?? false
    if (!isRepeat) note(contents[row], micros)
    return isRepeat
  })
}

function takenInAt({ columns }: ColumnBatch, row: number): number {
  return Number(columns.ingestion_timestamp.values[row])
}

function timesIn({ columns }: ColumnBatch): bigint[] {
  return [...new Set(Array.from(columns.exchange_timestamp.values as ArrayLike<number | bigint>, BigInt))]
}

function wordsIn({ rowCount, columns }: ColumnBatch, name: string): string[] {
  return [...new Set(Array.from({ length: rowCount }, (_, row) => cellOf(columns[name], row) as string))]
}
