// What a statement asks of a table, as conditions that leave out files: symbol and exchange by equality, and ranges of
// exchange_timestamp. They are a part of WHERE, so rows that they leave out would not have been answered.
import type { DuckDBConnection } from '@duckdb/node-api'
import { TAIL_TABLES } from '../../../contract/tables.ts'
import type { Condition, Filter } from '../../lake/reads.ts'
import type { Param } from './bind-params.ts'
import type { FoundTable } from './check-statement.ts'
import { listOf, nodeOf, nodesOf, type SqlNode, type TableRef } from './sql-tree.ts'

type Comparison = '<' | '<=' | '>' | '>=' | '='
const OPERATORS: Readonly<Record<string, Comparison>> = {
  COMPARE_EQUAL: '=',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
}
const TURNED: Readonly<Record<Comparison, Comparison>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

const TEXTS = new Set(['symbol', 'exchange'])
const TIME = 'exchange_timestamp'

export interface PushDown {
  tree: SqlNode
  params: readonly Param[]
  /** Only to say what a text is as a time. */
  connection: DuckDBConnection
}

/** For a table that the statement reads once. Read more often, each part may ask for something else. */
export async function filterOf({ table, ref }: FoundTable, { tree, params, connection }: PushDown): Promise<Filter> {
  if (!Object.hasOwn(TAIL_TABLES, table) || ref.sample) return []
  for (const node of nodesOf(tree)) {
    if (node.type !== 'SELECT_NODE') continue
    const reach = reachOf(nodeOf(node.from_table), ref)
    if (!reach) continue
    const found: Filter[] = []
    for (const part of conjunctsOf(nodeOf(node.where_clause)))
      found.push(await conditionsOf(part, { ref, alone: reach === 'alone', params, connection }))
    return found.flat()
  }
  return []
}

/**
 * Whether rows of the table that WHERE refuses make no difference to what is joined before: they do where a row is
 * matched with its nearest (ASOF) or by its place.
 */
function reachOf(from: SqlNode | undefined, ref: TableRef): 'alone' | 'joined' | undefined {
  if (from === ref) return 'alone'
  if (from?.type !== 'JOIN') return undefined
  const { ref_type: kind } = from
  const isPlain = kind === 'REGULAR' || kind === 'CROSS' || kind === 'NATURAL'
  const inLeft = isPlain || kind === 'ASOF' ? reachOf(nodeOf(from.left), ref) : undefined
  return (inLeft ?? (isPlain ? reachOf(nodeOf(from.right), ref) : undefined)) && 'joined'
}

function conjunctsOf(where: SqlNode | undefined): SqlNode[] {
  if (!where) return []
  if (where.type !== 'CONJUNCTION_AND') return [where]
  return listOf(where.children).flatMap(child => conjunctsOf(nodeOf(child)))
}

interface Reading {
  ref: TableRef
  alone: boolean
  params: readonly Param[]
  connection: DuckDBConnection
}

async function conditionsOf(part: SqlNode, reading: Reading): Promise<Filter> {
  if (part.class === 'BETWEEN') {
    const column = columnOf(part.input, reading)
    if (column !== TIME || part.type !== 'COMPARE_BETWEEN') return []
    return [...(await timeIs('>=', part.lower, reading)), ...(await timeIs('<=', part.upper, reading))]
  }
  if (part.type === 'COMPARE_IN') {
    const [input, ...values] = listOf(part.children)
    const column = columnOf(input, reading)
    const texts = values.map(value => textOf(value, reading))
    if (!column || !TEXTS.has(column) || texts.includes(undefined)) return []
    return [{ column, op: 'in', values: texts as string[] }]
  }
  const op = OPERATORS[part.type ?? '']
  if (part.class !== 'COMPARISON' || !op) return []
  const left = columnOf(part.left, reading)
  const [column, other, way] = left ? [left, part.right, op] : [columnOf(part.right, reading), part.left, TURNED[op]]
  if (column === TIME) return timeIs(way, other, reading)
  const text = textOf(other, reading)
  return column && TEXTS.has(column) && way === '=' && text !== undefined ? [{ column, op: '=', value: text }] : []
}

/** The table's own column. Among others it must say whose it is; an alias of SELECT does not come before a column. */
function columnOf(value: unknown, { ref, alone }: Reading): string | undefined {
  const node = nodeOf(value)
  if (node?.type !== 'COLUMN_REF' || listOf(ref.column_name_alias).length > 0) return undefined
  const names = listOf(node.column_names).map(name => String(name).toLowerCase())
  if (names.length === 1 && alone) return names[0]
  const own = (ref.alias || ref.table_name).toLowerCase()
  return names.length === 2 && names[0] === own ? names[1] : undefined
}

function textOf(value: unknown, { params }: Reading): string | undefined {
  const node = nodeOf(value)
  const found = node?.class === 'PARAMETER' ? params[Number(node.identifier) - 1] : nodeOf(node?.value)?.value
  return (node?.class === 'PARAMETER' || node?.class === 'CONSTANT') && typeof found === 'string' ? found : undefined
}

/** A text, or one that is cast to a time. */
async function timeIs(op: Comparison, value: unknown, reading: Reading): Promise<Filter> {
  const node = nodeOf(value)
  const cast = node?.type === 'OPERATOR_CAST' ? String(nodeOf(node.cast_type)?.id) : ''
  const text = textOf(cast ? node?.child : node, reading)
  if (text === undefined || !/^(?:|DATE|TIMESTAMP|TIMESTAMP WITH TIME ZONE)$/.test(cast)) return []
  const type = cast || 'TIMESTAMP WITH TIME ZONE'
  const answer = await reading.connection.run(
    `SELECT epoch_us(TRY_CAST(TRY_CAST($1::VARCHAR AS ${type}) AS TIMESTAMP WITH TIME ZONE))`,
    [text],
  )
  const [[micros]] = (await answer.getRows()) as [[bigint | null]]
  return micros === null ? [] : [{ column: TIME, op, value: micros } satisfies Condition]
}
