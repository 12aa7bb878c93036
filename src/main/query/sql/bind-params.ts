// Values for the parameters of a statement. Numbers are bound as the decimals that their text says, never as doubles, as
// far as DuckDB's decimals go.
import { DuckDBDecimalValue, type DuckDBPreparedStatement, type DuckDBValue } from '@duckdb/node-api'
import { Failure } from '../../../contract/failure.ts'

export type Param = string | number | boolean | null

export function bindParams(statement: DuckDBPreparedStatement, params: readonly Param[]): void {
  const wanted = statement.parameterCount
  const names = Array.from({ length: wanted }, (_, i) => statement.parameterName(i + 1))
  const named = names.find((name, i) => name !== String(i + 1))
  if (named !== undefined)
    throw new Failure(
      'INVALID_INPUT',
      `The parameter $${named} has no value: parameters are ? or $1, $2, … without gaps.`,
    )
  if (wanted !== params.length)
    throw new Failure(
      'INVALID_INPUT',
      `The statement has ${wanted} parameters, and ${params.length} were given in params.`,
    )
  if (wanted > 0) statement.bind(params.map(valueOf))
}

function valueOf(param: Param): DuckDBValue {
  if (typeof param !== 'number') return param
  if (Number.isInteger(param)) return Number.isSafeInteger(param) ? BigInt(param) : BigInt(param)
  const [, sign, whole, fraction] = /^(-?)(\d+)\.(\d+)$/.exec(String(param)) ?? []
  // With an exponent it is a double in all but name.
  if (fraction === undefined) return param
  const width = whole.length + fraction.length
  return new DuckDBDecimalValue(BigInt(sign + whole + fraction), width, fraction.length)
}
