// Whether a statement gives the same rows of the same tables each time, as far as its words say.
import { refuse } from './refuse.ts'
import { listOf, nodesOf, placeOf, type SqlNode } from './sql-tree.ts'

/** What says something else each time. */
const VOLATILE = new Set(
  `random uuid now today current_date current_time current_timestamp current_localtime current_localtimestamp localtime
  localtimestamp get_current_time get_current_timestamp transaction_timestamp reservoir_quantile approx_quantile
  approx_top_k`.split(/\s+/),
)

export function checkRepeatable(tree: SqlNode, text: string): void {
  for (const node of nodesOf(tree)) {
    const names = [node.function_name, ...(node.class === 'COLUMN_REF' ? [listOf(node.column_names).at(-1)] : [])]
    const found = names.map(String).find(name => VOLATILE.has(name.toLowerCase()))
    const what = found ?? (node.sample ? 'A sample' : undefined)
    if (what === undefined) continue
    const why = `${what} gives something else each time, so there is no receipt; give what it is to be as a value`
    throw refuse(why, { sql: text, at: placeOf(node) })
  }
}
