// Values for the parameters of a statement. Numbers are bound as the decimals that their text says, never as doubles, as
// far as DuckDB's decimals go.
import { DuckDBDecimalValue, type DuckDBPreparedStatement, type DuckDBValue } from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'
import { nodesOf, type SqlNode } from './sql-tree.ts'

export type Param = string | number | boolean | null

export function bindParams(statement: DuckDBPreparedStatement, params: readonly Param[]): void {
  if (params.length > 0) statement.bind(params.map(valueOf))
}

/** `?` and `$1`, `$2`, … without a gap, a value for each. */
export function checkParams(tree: SqlNode, params: readonly Param[]): void {
  const wanted = new Set<string>()
  for (const node of nodesOf(tree)) if (node.class === 'PARAMETER') wanted.add(String(node.identifier))
  const given = new Set(params.map((_, i) => String(i + 1)))
  const missing = [...wanted].find(name => !given.has(name))
  if (missing !== undefined)
    throw new Failure(
      'INVALID_INPUT',
      `The parameter $${missing} has no value: params has ${params.length}, for ? or $1, $2, … in their order.`,
    )
  const unused = [...given].find(name => !wanted.has(name))
  if (unused !== undefined)
    throw new Failure('INVALID_INPUT', `The statement has no parameter $${unused}, but params has a value for it.`)
}

function valueOf(param: Param): DuckDBValue {
  if (typeof param !== 'number') return param
  if (Number.isInteger(param)) return BigInt(param)
  const [, sign, whole, fraction] = /^(-?)(\d+)\.(\d+)$/.exec(String(param)) ?? []
  // With an exponent it is a double in all but name.
  if (fraction === undefined) return param
  const width = whole.length + fraction.length
  return new DuckDBDecimalValue(BigInt(sign + whole + fraction), width, fraction.length)
}
