// Whether a statement may be run: every part of its tree is of a kind that is known, every function is on the list, every
// name of a table is one of ours or of the statement itself. What is not known is refused.
import { TABLES, type TableId } from '../../../contract/tables.ts'
import {
  FORMATTING,
  isAllowedFunction,
  isAllowedTableFunction,
  LENGTH_ARGUMENTS,
  MAX_LENGTH,
} from './allowed-functions.ts'
import type { Parsed } from './parse-sql.ts'
import { refuse } from './refuse.ts'
import { isNode, listOf, nodeOf, nodesOf, placeOf, type SqlNode, type TableRef } from './sql-tree.ts'

/** A table of ours that the statement reads. */
export interface FoundTable {
  table: TableId
  ref: TableRef
}

const QUERY_NODES = new Set(['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE', 'CTE_NODE'])
const TABLE_NODES = new Set([
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'TABLE_FUNCTION',
  'EMPTY',
  'EXPRESSION_LIST',
  'PIVOT',
  'SHOW_REF',
])
const MODIFIERS = new Set(['ORDER_MODIFIER', 'LIMIT_MODIFIER', 'LIMIT_PERCENT_MODIFIER', 'DISTINCT_MODIFIER'])
const EXPRESSIONS = new Set([
  'BETWEEN',
  'CASE',
  'CAST',
  'COLLATE',
  'COLUMN_REF',
  'COMPARISON',
  'CONJUNCTION',
  'CONSTANT',
  'DEFAULT',
  'FUNCTION',
  'LAMBDA',
  'LAMBDA_REF',
  'OPERATOR',
  'PARAMETER',
  'POSITIONAL_REFERENCE',
  'STAR',
  'SUBQUERY',
  'TYPE',
  'WINDOW',
])

/** Directions of an order, and what makes up a type. */
const HARMLESS = /^(?:ORDER_DEFAULT|ASCENDING|DESCENDING|[A-Z_]+_TYPE_INFO)$/

/** What tables at another state are called in what is run. */
export const RESERVED = /^k2_/i
/** DuckDB's own views: a name of a WITH is known in its own part of a statement only, and elsewhere would mean these. */
const OF_DUCKDB = /^(duckdb|pg|sqlite|pragma)_/i
const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_ ]*$/u

export function checkStatement({ sql, tree }: Parsed): FoundTable[] {
  const nodes = [...nodesOf(tree)]
  const own = namesOfItsOwn(nodes, sql)
  const inPlaceOfTables = new Set(
    nodes.filter(({ type }) => type === 'TABLE_FUNCTION').map(node => nodeOf(node.function)),
  )
  const found: FoundTable[] = []
  for (const node of nodes) {
    const place = { sql, at: placeOf(node) }
    const { class: kind, type } = node
    if (kind !== undefined) {
      if (!EXPRESSIONS.has(kind)) throw refuse(`${kind} is not possible here`, place)
      if (kind === 'FUNCTION' || kind === 'WINDOW') checkFunction(node, sql, inPlaceOfTables.has(node))
    } else if (type === undefined || isNode(type)) {
      continue // the value of a constant, an order, a case: their parts are looked at by themselves
    } else if (type === 'BASE_TABLE') {
      const table = tableOf(node as TableRef, own, sql)
      if (table) found.push({ table, ref: node as TableRef })
    } else if (type === 'SHOW_REF') {
      if (!nodeOf(node.query)) throw refuse('Only DESCRIBE and SUMMARIZE of a table or a SELECT can be run', place)
    } else if (!TABLE_NODES.has(type) && !MODIFIERS.has(type) && !QUERY_NODES.has(type) && !HARMLESS.test(type)) {
      throw refuse(`${type} is not possible here`, place)
    }
  }
  return found
}

/** Names that WITH gives. They are plain, so that DuckDB never takes one for a file where it is not known. */
function namesOfItsOwn(nodes: readonly SqlNode[], sql: string): ReadonlySet<string> {
  const names = nodes.flatMap(node => {
    const fromMap = listOf(nodeOf(node.cte_map)?.map).map(entry => nodeOf(entry)?.key)
    return [...fromMap, node.type === 'RECURSIVE_CTE_NODE' || node.type === 'CTE_NODE' ? node.cte_name : undefined]
  })
  const own = new Set<string>()
  for (const name of names) {
    if (typeof name !== 'string' || name === '') continue
    if (!PLAIN_NAME.test(name) || RESERVED.test(name) || OF_DUCKDB.test(name))
      throw refuse(
        `${name} cannot be the name of a WITH: use letters, digits and _, and do not begin with k2_, duckdb_, pg_, sqlite_ or pragma_`,
        { sql, at: undefined },
      )
    own.add(name.toLowerCase())
  }
  return own
}

function tableOf(ref: TableRef, own: ReadonlySet<string>, sql: string): TableId | undefined {
  const { catalog_name: catalog, schema_name: schema } = ref
  const name = ref.table_name.toLowerCase()
  const isOurs =
    Object.hasOwn(TABLES, name) && catalog === '' && (schema === '' || schema.toLowerCase() === 'market_data')
  if (isOurs) return name as TableId
  if (catalog === '' && schema === '' && own.has(name) && !ref.at_clause) return undefined
  const full = [catalog, schema, ref.table_name].filter(Boolean).join('.')
  throw refuse(`There is no table ${full}. The tables are ${Object.keys(TABLES).join(', ')}`, { sql, at: placeOf(ref) })
}

function checkFunction(node: SqlNode, sql: string, isTable: boolean): void {
  const place = { sql, at: placeOf(node) }
  const name = String(node.function_name).toLowerCase()
  const { schema, catalog = '' } = node
  const isKnownPlace = (schema === '' || schema === 'main') && (catalog === '' || catalog === 'system')
  if (isTable) {
    if (isKnownPlace && isAllowedTableFunction(name)) return
    throw refuse(`${name} cannot be read as a table: possible are the tables, range, generate_series and unnest`, place)
  }
  if (!isKnownPlace || !isAllowedFunction(name)) throw refuse(`The function ${name} cannot be used here`, place)
  const given = listOf(node.children).map(nodeOf)
  if (FORMATTING.has(name)) checkFormat(given[0], name, place)
  if (!Object.hasOwn(LENGTH_ARGUMENTS, name)) return
  for (const index of LENGTH_ARGUMENTS[name]) if (given[index]) checkLength(given[index], name, place)
}

function checkLength(argument: SqlNode, name: string, place: Parameters<typeof refuse>[1]): void {
  const { class: kind, value } = argument
  const number = Number(nodeOf(value)?.value)
  if (kind === 'CONSTANT' && Math.abs(number) <= MAX_LENGTH) return
  const instead = /range|series/.test(name) ? `; FROM ${name}(…) has no such bound` : ''
  throw refuse(`${name} takes its length here as a number of at most ${MAX_LENGTH}${instead}`, place)
}

function checkFormat(pattern: SqlNode | undefined, name: string, place: Parameters<typeof refuse>[1]): void {
  const text = nodeOf(pattern?.value)?.value
  if (pattern?.class === 'CONSTANT' && typeof text === 'string' && !/\d{4}|\*|\{[^}]*\{/.test(text)) return
  throw refuse(`${name} takes its pattern as a text, with widths below 1000`, place)
}
