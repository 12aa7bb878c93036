// A filter against a schema: every condition with its field and type, checked, and as closed ranges for pruning.
import { Failure } from '../../../contract/failure.ts'
import type { Field, PrimitiveType, Schema, Value } from '../iceberg/schema.ts'
import type { Condition, Filter } from './filter.ts'
import { kindOf, type Kind } from './coordinates.ts'

type Comparison = '<' | '<=' | '>' | '>=' | '='

/** Every passing value lies in one of these, ends included; an end left out is open. */
export interface ValueRange {
  from?: Value
  to?: Value
}

export interface BoundCondition {
  field: Field
  type: PrimitiveType
  kind: Kind | undefined
  condition: Condition
  /** For comparisons. May be wider than the condition, never narrower. */
  ranges: readonly ValueRange[]
}

export function bindFilter(schema: Schema, filter: Filter): BoundCondition[] {
  return filter.map(condition => {
    const field = requireColumn(schema, condition.column)
    const type = typeof field.type === 'string' ? field.type : field.type.type
    const kind = kindOf(field.type)
    return { field, type, kind, ...ranged(condition, type, kind) }
  })
}

/** The column of this name, or INVALID_INPUT that names those there are. */
export function requireColumn(schema: Schema, name: string): Field {
  const field = schema.fields.find(candidate => candidate.name === name)
  if (field) return field
  const columns = schema.fields.map(candidate => candidate.name)
  throw new Failure('INVALID_INPUT', `There is no column ${name}. The columns are ${columns.join(', ')}.`, {
    details: { column: name, columns },
  })
}

function ranged(
  condition: Condition,
  type: string,
  kind: Kind | undefined,
): Pick<BoundCondition, 'condition' | 'ranges'> {
  switch (condition.op) {
    case 'is null':
    case 'is not null':
      return { condition, ranges: [] }
    case 'in': {
      const values = condition.values.map(value => fitValue(value, condition.column, type, kind))
      return { condition: { ...condition, values }, ranges: values.map(value => ({ from: value, to: value })) }
    }
    default: {
      const value = fitValue(condition.value, condition.column, type, kind)
      return { condition: { ...condition, value }, ranges: [rangeOf(condition.op, value, kind!)] }
    }
  }
}

function rangeOf(op: Comparison, value: Value, kind: Kind): ValueRange {
  switch (op) {
    case '=':
      return { from: value, to: value }
    case '<':
      return { to: step(value, kind, -1) }
    case '<=':
      return { to: value }
    case '>':
      return { from: step(value, kind, 1) }
    case '>=':
      return { from: value }
  }
}

/** The neighbour of a whole number. Others have none that is known, so their range keeps the end it should leave out. */
function step(value: Value, kind: Kind, by: 1 | -1): Value {
  if (typeof value === 'bigint') return value + BigInt(by)
  return typeof value === 'number' && kind !== 'float' ? value + by : value
}

function fitValue(value: Value, column: string, type: string, kind: Kind | undefined): Value {
  const refuse = (why: string) => new Failure('INVALID_INPUT', `Column ${column} is a ${type}${why}`)
  if (!kind) throw refuse(', which cannot be compared; ask for is null or is not null.')
  const fitting = fit(value, kind, type)
  if (fitting !== undefined) return fitting
  const shown = value instanceof Uint8Array ? `${value.length} bytes` : JSON.stringify(String(value))
  throw refuse(`; ${shown} cannot be compared with it.`)
}

function fit(value: Value, kind: Kind, type: string): Value | undefined {
  switch (kind) {
    case 'int':
      return Number.isSafeInteger(Number(value)) && isNumeric(value) ? Number(value) : undefined
    case 'long':
    case 'time':
      return isNumeric(value) && Number.isInteger(Number(value)) ? BigInt(value) : undefined
    case 'decimal':
      return typeof value === 'bigint' ? value : undefined // a number would leave open whether it is unscaled
    case 'float':
      return isNumeric(value) && !Number.isNaN(value) ? Number(value) : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'bytes':
      return (type === 'string') === (typeof value === 'string') &&
        (typeof value === 'string' || value instanceof Uint8Array)
        ? value
        : undefined
  }
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}
