// The rows of a statement as a file. Parquet is written by DuckDB, with the exact types of the columns, to a file that is
// then handed on and removed.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FileFormat } from '../../../contract/sql.ts'
import { interruptible } from '../../duck/run-sql.ts'
import { quoteText } from '../../duck/quote.ts'
import { atMost } from '../export/at-most.ts'
import { exportRows } from '../export/export-rows.ts'
import type { Lease } from '../pool.ts'
import { openStatement, type SqlQuestion, type SqlTools } from './open-statement.ts'
import { withoutEnd } from './parse-sql.ts'
import { closeAfter, heeded, streamStatement } from './run-statement.ts'
import { AS_PARQUET, readFileBytes } from '../export/parquet-file.ts'

interface Wanted {
  question: SqlQuestion
  limit: number | undefined
  format: FileFormat
}

export async function* exportStatement(
  tools: SqlTools,
  { question, limit, format }: Wanted,
  lease: Lease,
): AsyncGenerator<Uint8Array, void> {
  if (format === 'parquet') {
    yield* exportParquet(tools, question, limit, lease)
    return
  }
  const { columns, batches } = await streamStatement(tools, question, lease)
  yield* exportRows(limit === undefined ? batches : atMost(batches, limit), columns, format)
}

let written = 0

async function* exportParquet(
  tools: SqlTools,
  question: SqlQuestion,
  limit: number | undefined,
  { connection: parser, signal }: Lease,
): AsyncGenerator<Uint8Array, void> {
  const { tempFolder } = tools.sandbox
  mkdirSync(tempFolder, { recursive: true })
  const file = join(tempFolder, `rows-${process.pid}-${++written}.parquet`)
  const around = {
    before: limit === undefined ? 'COPY (' : 'COPY (FROM (',
    // On a line of its own, as a statement may end in a comment.
    after: `\n${limit === undefined ? '' : `) LIMIT ${limit}`}) TO ${quoteText(file)} (${AS_PARQUET})`,
    file,
  }
  try {
    const unended = { ...question, sql: withoutEnd(question.sql) }
    const open = await openStatement(unended, { tools, parser, signal, around, wantsAllColumns: true })
    const copying = interruptible(open.connection, signal, () => open.statement.run())
    try {
      await heeded(copying, signal)
    } catch (error) {
      throw await open.explain(error)
    } finally {
      closeAfter(copying, open)
    }
    yield* readFileBytes(file, signal)
  } finally {
    rmSync(file, { force: true })
  }
}
