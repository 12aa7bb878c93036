// Filters as a person writes them, values as texts, for the judge as they are and for the lake as its own values.
import { fieldNamed, type PrimitiveType, type Schema, type Value } from '../../src/main/lake/iceberg/schema.ts'
import type { Condition, Filter } from '../../src/main/lake/read/filter.ts'

export type AskedValue = string | number | boolean
export type AskedCondition =
  | { column: string; op: '<' | '<=' | '>' | '>=' | '='; value: AskedValue }
  | { column: string; op: 'in'; values: AskedValue[] }
  | { column: string; op: 'is null' | 'is not null' }
export type AskedFilter = AskedCondition[]

export function filterOf(schema: Schema, asked: AskedFilter): Filter {
  return asked.map((condition): Condition => {
    const type = fieldNamed(schema, condition.column)!.type as PrimitiveType
    if (condition.op === 'in') return { ...condition, values: condition.values.map(value => valueOf(type, value)) }
    return 'value' in condition ? { ...condition, value: valueOf(type, condition.value) } : condition
  })
}

function valueOf(type: string, value: AskedValue): Value {
  if (typeof value !== 'string' || type === 'string') return value
  if (type === 'int') return Number(value)
  if (type === 'long') return BigInt(value)
  if (type === 'date') return Date.parse(value) / 86_400_000
  if (type.startsWith('timestamp')) return microsOf(value)
  const scale = /^decimal\(\d+, *(\d+)\)$/.exec(type)
  if (scale) return unscaledOf(value, Number(scale[1]))
  throw new Error(`No value of type ${type}`)
}

/** `2014-03-11T06:30:00.000001+00:00`, with or without fraction and zone. */
function microsOf(text: string): bigint {
  const [, second, fraction = ''] = /^([^.+]*)(?:\.(\d+))?/.exec(text)!
  return BigInt(Date.parse(second + 'Z')) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

function unscaledOf(text: string, scale: number): bigint {
  const [whole, fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(scale, '0'))
}
