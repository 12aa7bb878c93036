// What people type into the grid's filters, as conditions that the engine takes. Values stay text, so that they stay exact.
import type { Filter, HeldColumn, Sort } from '../stores/held-result.ts'
import { momentIn } from '../ui/moment-text.ts'
import type { Zone } from '../ui/zone-time.ts'
import { timestampText } from '../../contract/columns.ts'

type Condition = Filter[number]
type Operator = Condition['op']

export interface TypedFilter {
  type?: string | null
  filter?: string | null
}

const OPERATORS: Record<string, Operator> = {
  contains: 'contains',
  startsWith: 'starts_with',
  equals: '=',
  notEqual: '!=',
  less: '<',
  lessOrEqual: '<=',
  more: '>',
  moreOrEqual: '>=',
  blank: 'is_null',
  notBlank: 'is_not_null',
}

const TEXTS: ReadonlySet<HeldColumn['type']> = new Set(['string', 'enum', 'list', 'map', 'bytes'])
const EITHER: ReadonlySet<HeldColumn['type']> = new Set(['boolean'])
const NUMBERS: ReadonlySet<HeldColumn['type']> = new Set(['decimal', 'long', 'int', 'double'])
const COMMON = ['equals', 'notEqual', 'blank', 'notBlank']

interface FilterOption {
  displayKey: string
  displayName: string
  /** Asked by nobody, as the engine filters; the grid wants one. */
  predicate: () => boolean
}

const ordered = (displayKey: string, displayName: string): FilterOption => ({
  displayKey,
  displayName,
  predicate: () => true,
})
const ORDERED = [
  ordered('moreOrEqual', 'At least'),
  ordered('less', 'Less than'),
  ordered('lessOrEqual', 'At most'),
  ordered('more', 'More than'),
]

/** The choices of a column's filter, the first one to begin with; those the grid does not know have a name. */
export function filterOptionsOf({ type }: HeldColumn): (string | FilterOption)[] {
  if (TEXTS.has(type)) return ['contains', 'startsWith', ...COMMON]
  if (EITHER.has(type)) return COMMON
  return [...ORDERED, ...COMMON]
}

export function isRightAligned({ type }: HeldColumn): boolean {
  return NUMBERS.has(type) || type === 'timestamp' || type === 'date'
}

/** Conditions that are not written to the end yet are left out, with what is wrong with them. */
export function conditionsOf(
  model: Record<string, TypedFilter>,
  columns: readonly HeldColumn[],
  zone: Zone,
  nearMicros: number,
): { filter: Filter; problem?: string } {
  const filter: Filter = []
  let problem: string | undefined
  for (const [column, { type: typed, filter: text }] of Object.entries(model)) {
    const op = OPERATORS[typed ?? '']
    const type = columns.find(({ name }) => name === column)?.type
    if (!op || !type) continue
    if (op === 'is_null' || op === 'is_not_null') {
      filter.push({ column, op })
      continue
    }
    const value = valueOf(type, (text ?? '').trim(), zone, nearMicros)
    if (value === undefined) problem = `${column}: “${text}” is ${WANTED[type] ?? 'not what the column holds'}`
    else filter.push({ column, op, value })
  }
  return { filter, problem }
}

const WANTED: Partial<Record<HeldColumn['type'], string>> = {
  timestamp: 'no time such as 2014-03-10 10:41:22 or 10:41',
  date: 'no date such as 2014-03-10',
  boolean: 'neither true nor false',
  decimal: 'no number',
  long: 'no number',
  int: 'no number',
  double: 'no number',
}

function valueOf(type: HeldColumn['type'], text: string, zone: Zone, nearMicros: number): string | undefined {
  if (type === 'timestamp') {
    const micros = momentIn(text, zone, nearMicros)
    return micros === undefined ? undefined : timestampText(micros)
  }
  if (type === 'date') return /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined
  if (type === 'boolean') return /^(true|false)$/.test(text) ? text : undefined
  if (!NUMBERS.has(type)) return text
  const digits = text.replaceAll(',', '').replace('−', '-')
  return /^[+-]?\d+(\.\d+)?(e[+-]?\d{1,3})?$/i.test(digits) ? digits : undefined
}

export function sortOf(model: readonly { colId: string; sort: string }[]): Sort {
  return model.slice(0, 4).map(({ colId, sort }) => ({ column: colId, descending: sort === 'desc' }))
}
