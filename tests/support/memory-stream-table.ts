// Tables as a stream sees them, on memory: rows that are committed with how far the log is, and a fault wherever a test wants one.
import { rowsOf, type Row } from '../../src/contract/columns.ts'
import { Failure } from '../../src/contract/failure.ts'
import type { TableId } from '../../src/contract/tables.ts'
import type { LastSequence, StagedRows, StreamTable } from '../../src/main/market/stream-table.ts'
import { knowsLives, moveOffsets, restrictTo, sameOffsets } from '../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../src/main/market/topic-offsets.ts'

export type TableOperation = 'offsets' | 'stage' | 'commit' | 'lastSequences'
/** Before it is done, or after: a commit of which nobody hears how it ended is `lost` there. */
export type TableFault = { before: Error } | { after: Error }

export interface MemoryCommit {
  rows: Row[]
  to: OffsetVector
  validThroughMicros: number | undefined
}

export interface MemoryStreamTable extends StreamTable {
  rows: () => Row[]
  vector: () => OffsetVector
  /** As another writer, or `k2 ingest offsets set`, would. */
  setVector: (vector: OffsetVector) => void
  commits: () => readonly MemoryCommit[]
  /** Of rows staged and neither committed nor taken away again. */
  stray: () => number
}

export function lost(): Failure {
  return new Failure('UNAVAILABLE', 'It is not known whether the commit landed.', { details: { outcome: 'unknown' } })
}

export function memoryStreamTable(
  id: TableId,
  fault: (operation: TableOperation, table: TableId) => TableFault | undefined | Promise<TableFault | undefined> = () =>
    undefined,
): MemoryStreamTable {
  const commits: MemoryCommit[] = []
  const staged = new Map<StagedRows, Row[]>()
  let vector: OffsetVector = []

  async function run<T>(operation: TableOperation, work: () => T): Promise<T> {
    const met = await fault(operation, id)
    if (met && 'before' in met) throw met.before
    const result = work()
    if (met) throw met.after
    return result
  }

  return {
    id,
    offsets: () => run('offsets', () => vector),
    stage: batches =>
      run('stage', () => {
        const rows = batches.flatMap(rowsOf)
        const mine = { rows: rows.length, discard: async () => void staged.delete(mine) }
        staged.set(mine, rows)
        return mine
      }),
    commit: ({ staged: given, offsets: { from, to }, validThroughMicros }) =>
      run('commit', () => {
        if (!sameOffsets(restrictTo(to, vector), restrictTo(to, from)) || !knowsLives(from, to, vector))
          throw new Failure('FENCED', `Another writer has moved on the same partitions of ${id}.`)
        const rows = given.flatMap(part => staged.get(part)!)
        for (const part of given) staged.delete(part)
        vector = moveOffsets(vector, to)
        commits.push({ rows, to, validThroughMicros })
        return { snapshotId: String(commits.length) }
      }),
    lastSequences: topic =>
      run('lastSequences', () => {
        const highest = new Map<string, LastSequence>()
        for (const row of commits.flatMap(({ rows }) => rows)) {
          if (row._topic !== topic) continue
          const [partition, symbol] = [Number(row._partition), row.symbol as string]
          const sequence = BigInt(row.source_sequence as string)
          const name = `${partition} ${symbol}`
          if (sequence > (highest.get(name)?.sequence ?? -1n))
            highest.set(name, { partition, symbol, exchange: 'ASX', sequence, exchangeMicros: 0 })
        }
        return [...highest.values()]
      }),
    rows: () => commits.flatMap(({ rows }) => rows),
    vector: () => vector,
    setVector: next => void (vector = next),
    commits: () => commits,
    stray: () => staged.size,
  }
}
