// Rows of tables as files: the share of the contract that answers with their bytes.
import type { PastState } from '../../../contract/fields.ts'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Context, Handlers } from '../../../contract/capability.ts'
import type { exports } from '../../../contract/export.ts'
import type { FileFormat } from '../../../contract/sql.ts'
import type { TableId } from '../../../contract/tables.ts'
import { resolveState } from '../moments.ts'
import { askedRows, type ReadInput } from '../reads/asked-rows.ts'
import { createSpillFolder } from '../spill-folder.ts'
import type { QueryTools } from '../tools.ts'
import { exportTable } from './export-table.ts'

type Tools = Pick<QueryTools, 'reads' | 'pool'>

interface Wanted extends ReadInput, PastState {
  limit?: number
  format: FileFormat
}

export interface Exports {
  handlers: Handlers<typeof exports>
  close: () => void
}

/** `tempFolder` is shared with other processes. */
export function openExports(tools: Tools, tempFolder: string): Exports {
  const spill = createSpillFolder(tempFolder)
  const folder = dirname(spill.path)

  function rows(table: TableId, input: Wanted, { signal }: Context): AsyncIterable<Uint8Array> {
    const { limit, format } = input
    const asked = askedRows(table, input)
    return tools.pool.stream(async function* (lease) {
      const at = await resolveState(tools.reads, table, input, lease.signal)
      mkdirSync(folder, { recursive: true })
      yield* exportTable(tools, { at, asked, limit, format }, lease, folder)
    }, signal)
  }

  return {
    handlers: {
      'trades.export': (input, context) => rows('trades', input, context),
      'quotes.export': (input, context) => rows('quotes', input, context),
      'snapshots.export': ({ id, table, ...input }, context) => rows(table, { ...input, snapshot_id: id }, context),
    },
    close: spill.remove,
  }
}
