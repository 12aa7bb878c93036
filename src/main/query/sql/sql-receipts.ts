// Receipts of statements: the state of each table that was read, by which the same rows can be had again. Rows come in any
// order where the statement does not say one, so the hash is of their lines sorted; what a limit has cut off is left to
// chance then, so such an answer has no receipt.
import { Failure } from '../../../contract/failure.ts'
import type { Receipt } from '../../../contract/fields.ts'
import { sqlQuery } from '../../../contract/receipts.ts'
import { unfit, type AnswerAgain } from '../receipts/again.ts'
import { hashRows } from '../receipts/hash-rows.ts'
import type { SqlTools } from './open-statement.ts'
import { readStatement, type SqlRows } from './run-statement.ts'
import { sqlMeta } from './sql-meta.ts'

const NAME = 'sql.run'

/** Null where something is missing that will be there another time, or where rows were told apart one by one. */
export async function sqlReceipt(
  question: { sql: string; params: unknown[]; limit: number },
  { batch, hasMore, pins, live, at }: SqlRows,
): Promise<Receipt | null> {
  if (hasMore)
    throw new Failure(
      'INVALID_INPUT',
      `The statement has more than ${question.limit} rows, and which of them come first is not said for good: raise limit, or put ORDER BY and LIMIT in it.`,
    )
  if (live.some(({ why, mayRepeat }) => why !== null || mayRepeat)) return null
  const input = { sql: question.sql, params: question.params, limit: question.limit, tables: pins }
  return {
    snapshot: at?.snapshotId ?? null,
    offsets: Object.values(pins).flatMap(({ to = [] }) => to),
    query: { name: NAME, input },
    hash: await hashRows(batch, { isInOrder: false }),
  }
}

export function sqlAgain(tools: SqlTools): AnswerAgain {
  return async (receipt, { signal }) => {
    const startedMs = performance.now()
    const asked = sqlQuery.safeParse(receipt.query.input)
    if (!asked.success) throw unfit(NAME)
    const { limit, tables, ...question } = asked.data
    const read = await tools.pool.run(
      lease => readStatement(tools, { ...question, pinned: tables }, limit, lease),
      signal,
    )
    const meta = sqlMeta(tools, read, read.batch.rowCount, startedMs)
    const hash = await hashRows(read.batch, { isInOrder: false })
    return { data: read.batch, query: { ...meta, columns: [...read.columns] }, hash }
  }
}
