// `FROM trades AT (VERSION => …)` and `AT (TIMESTAMP => …)`: what DuckDB parses but cannot do. The table gets another name
// in the text, of the same length, so that every place in the statement stays what it was.
import type { TableId } from '../../../contract/tables.ts'
import { choiceOf } from '../moments.ts'
import type { FoundTable } from './check-statement.ts'
import type { Parsed } from './parse-sql.ts'
import { refuse } from './refuse.ts'
import { placeOf } from './sql-tree.ts'
import type { SnapshotChoice } from '../../lake/reads.ts'

/** A table in a state of its own, and what the statement now calls it. */
export interface Travelled {
  name: string
  table: TableId
  choice: SnapshotChoice
  refs: FoundTable[]
}

export interface Rewritten {
  sql: string
  travelled: Travelled[]
  /** The tables without AT. */
  others: FoundTable[]
}

/** The new name is not longer than the shortest of the tables' names. */
const MOST_STATES = 99
const DAY_MICROS = 86_400e6

// Of bytes read as Latin-1, so that places in bytes are places in the text.
// A comment within a comment is not passed over: DuckDB counts them, and what is taken out must be what was checked.
const GAP = String.raw`(?:[ \t-\r]|--[^\n\r]*[\n\r]|/\*(?:(?!/\*|\*/)[\s\S])*\*/)*`
const NAME = String.raw`(?:"(?:[^"]|"")*"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*)`
const FULL_NAME = `(?:${NAME}${GAP}\\.${GAP})?${NAME}`
const ALIAS = `(?:as\\b${GAP})?${NAME}${GAP}(?:\\([^()]*\\)${GAP})?`
const TYPE = '(?:timestamptz|timestamp(?:\\s+with\\s+time\\s+zone)?|date)'
const VALUE = `(?:(${TYPE})\\s*)?('(?:[^']|'')*'|\\d+)(?:\\s*::\\s*(${TYPE}|varchar|bigint))?`
const CLAUSE = `at${GAP}\\(${GAP}(version|timestamp)${GAP}=>${GAP}${VALUE}${GAP}\\)`

export function rewriteTravel(parsed: Parsed, found: readonly FoundTable[]): Rewritten {
  let text = Buffer.from(parsed.sql).toString('latin1')
  const travelled = new Map<string, Travelled>()
  const others: FoundTable[] = []
  for (const one of found) {
    const { ref, table } = one
    if (!ref.at_clause) {
      others.push(one)
      continue
    }
    const at = placeOf(ref)
    const alias = ref.alias === '' ? '' : ALIAS
    const pattern = new RegExp(`(${FULL_NAME}${GAP})(${alias})(${CLAUSE})`, 'iy')
    pattern.lastIndex = at ?? text.length
    const match = pattern.exec(text)
    if (!match)
      throw refuse("AT takes one text or number: AT (VERSION => 'id or tag') or AT (TIMESTAMP => 'time')", {
        sql: parsed.sql,
        at,
      })
    const [whole, name, between, clause, unit, type, value, castTo] = match
    const isDay = [type, castTo].some(one => one?.toLowerCase() === 'date')
    const choice = choiceIn(unit, Buffer.from(value, 'latin1').toString(), isDay)
    const key = JSON.stringify([table, choice])
    let state = travelled.get(key)
    if (!state) {
      if (travelled.size === MOST_STATES)
        throw refuse(`One statement can read ${MOST_STATES} states of tables at the most`, { sql: parsed.sql, at })
      travelled.set(key, (state = { name: `k2_${travelled.size + 1}`, table, choice, refs: [] }))
    }
    state.refs.push(one)
    const renamed = padded(state.name, name) + between + padded(ref.alias === '' ? ` ${table}` : '', clause)
    text = text.slice(0, pattern.lastIndex - whole.length) + renamed + text.slice(pattern.lastIndex)
  }
  return { sql: Buffer.from(text, 'latin1').toString(), travelled: [...travelled.values()], others }
}

function choiceIn(unit: string, literal: string, isDay: boolean): SnapshotChoice {
  const value = literal.startsWith("'") ? literal.slice(1, -1).replaceAll("''", "'") : literal
  const choice = choiceOf(unit.toLowerCase() === 'version' ? { snapshot_id: value } : { as_of: value })!
  // A date is its midnight.
  return isDay && 'asOfMicros' in choice ? { asOfMicros: choice.asOfMicros - (choice.asOfMicros % DAY_MICROS) } : choice
}

/** As long as `old`, with its ends of lines. A table's name fits into the shortest clause. */
function padded(text: string, old: string): string {
  return text + old.slice(text.length).replace(/[^\n]/g, ' ')
}
