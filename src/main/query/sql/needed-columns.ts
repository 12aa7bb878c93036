// Which columns of a table a statement may read, so that no more of the live view is fetched: those whose names are in it
// anywhere, and all where it says rows as a whole. What is wrongly left out is an error when it is read, never a null.
import { TAIL_TABLES, type TailTable } from '../../../contract/tables.ts'
import type { FoundTable } from './check-statement.ts'
import { listOf, nodesOf, type SqlNode } from './sql-tree.ts'

/** Their parts name no columns, or take the columns by their places. */
const WHOLE_ROWS = new Set(['SHOW_REF', 'PIVOT'])

/** Any one, so that rows are there to be counted. */
const LEAST = 'exchange_timestamp'

export function neededColumns(tree: SqlNode, table: TailTable, refs: readonly FoundTable[]): readonly string[] {
  const all = TAIL_TABLES[table].columns.map(({ name }) => name)
  if (refs.some(({ ref }) => listOf(ref.column_name_alias).length > 0)) return all
  const ownNames = new Set(refs.flatMap(({ ref }) => [ref.alias, ref.table_name]).map(name => name.toLowerCase()))
  const texts = new Set<string>()
  for (const node of nodesOf(tree)) {
    if (node.class === 'STAR' || node.class === 'POSITIONAL_REFERENCE' || node.ref_type === 'NATURAL') return all
    if (node.type !== undefined && WHOLE_ROWS.has(node.type)) return all
    if (node.type === 'COLUMN_REF') {
      const last = String(listOf(node.column_names).at(-1)).toLowerCase()
      if (ownNames.has(last)) return all
    }
    for (const value of Object.values(node).flat()) if (typeof value === 'string') texts.add(value.toLowerCase())
  }
  return all.filter(name => name === LEAST || texts.has(name))
}
