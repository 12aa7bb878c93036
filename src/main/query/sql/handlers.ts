// SQL as capabilities.
import type { Handlers } from '../../../contract/capability.ts'
import type { results } from '../../../contract/results.ts'
import type { sql } from '../../../contract/sql.ts'
import type { AnswerAgain } from '../receipts/again.ts'
import { openResults, type ResultLimits } from '../results/handlers.ts'
import { createSpillFolder } from '../spill-folder.ts'
import type { QueryTools } from '../tools.ts'
import { exportStatement } from './export-statement.ts'
import type { SqlTools } from './open-statement.ts'
import type { SeenIn } from '../moments.ts'
import { createSandboxes } from './sandboxes.ts'
import { readStatement } from './run-statement.ts'
import { sqlMeta } from './sql-meta.ts'
import { sqlAgain, sqlReceipt } from './sql-receipts.ts'

export interface SqlOptions {
  /** Of all queries; one statement may have a quarter of it. */
  memoryMb: number
  /** Shared with other processes. */
  tempFolder: string
  seenIn: SeenIn
  /** Others than usual. */
  results?: Partial<ResultLimits>
}

export interface Sql {
  handlers: Handlers<typeof sql & typeof results>
  /** For receipts, by the name of the query. */
  again: Record<'sql.run', AnswerAgain>
  close: () => void
}

const LEAST_MB = 64
const THREADS = 2
/** Most of what is held is on disk. */
const HELD_PER_MEMORY = 2

export function openSql(tools: QueryTools, options: SqlOptions): Sql {
  const folder = createSpillFolder(options.tempFolder)
  const memoryMb = Math.max(LEAST_MB, Math.floor(options.memoryMb / 4))
  const { seenIn } = options
  const sandbox = { memoryMb, threads: THREADS, tempFolder: folder.path }
  const sandboxes = createSandboxes(sandbox)
  const sqlTools: SqlTools = { ...tools, seenIn, sandbox, openSandbox: sandboxes.open }
  const held = openResults(sqlTools, { mostBytes: options.memoryMb * HELD_PER_MEMORY * 1_000_000, ...options.results })
  return {
    handlers: { ...handlersOf(sqlTools), ...held.handlers },
    again: { 'sql.run': sqlAgain(sqlTools) },
    close() {
      held.close()
      sandboxes.close()
      folder.remove()
    },
  }
}

function handlersOf(tools: SqlTools): Handlers<typeof sql> {
  const { pool } = tools
  return {
    async 'sql.run'({ limit, ...question }, { signal }) {
      const startedMs = performance.now()
      const read = await pool.run(lease => readStatement(tools, question, limit, lease), signal)
      const { batch, columns, hasMore } = read
      const meta = sqlMeta(tools, read, batch.rowCount, startedMs)
      const receipt = question.receipt && { receipt: await sqlReceipt({ ...question, limit }, read) }
      return {
        data: batch,
        query: { ...meta, columns: [...columns], ...receipt },
        pagination: { limit, has_more: hasMore },
      }
    },
    'sql.export': ({ limit, format, ...question }, { signal }) =>
      pool.stream(lease => exportStatement(tools, { question, limit, format }, lease), signal),
  }
}
