// Rows that were loaded from files were all taken in when they were loaded: replayed by that they would come in no order
// that means anything.
import { Failure } from '../../contract/failure.ts'
import { readBatch } from '../duck/read-batch.ts'
import { filterOf, type ReadTools, type RowSource, type TimeRange } from './row-source.ts'

export async function refuseLoadTimes(
  { reads, pool }: ReadTools,
  sources: readonly RowSource[],
  range: TimeRange,
  caller?: AbortSignal,
): Promise<void> {
  for (const source of sources) {
    const filter = [...filterOf(source, range), { column: '_offset', op: 'is null' } as const]
    if ((await reads.plan(source.at, { filter }, caller)).length === 0) continue
    const anyLoaded = await pool.run(async ({ connection, signal }) => {
      const rows = await reads.open(source.at, { filter, columns: ['_offset'] }, connection, signal)
      try {
        const sql = `SELECT "_offset" FROM (${rows.sql(['_offset'])}) LIMIT 1`
        return (await readBatch(connection, sql, signal)).rowCount > 0
      } catch (error) {
        throw await rows.blame(error)
      } finally {
        rows.release()
      }
    }, caller)
    if (!anyLoaded) continue
    const what = `Some ${source.table} of this range were loaded from files, and when they were loaded is all that is known of their arrival.`
    throw new Failure('INVALID_INPUT', `${what} Replay them with order=event, or choose a range without them.`, {
      details: [{ field: 'order', problem: 'arrival is not known of all rows' }],
    })
  }
}
