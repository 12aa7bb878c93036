// The hash of an answer's rows, over text that any script can make from what the API answers.
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { cellOf, isColumnBatch, type ColumnBatch } from '../../../contract/columns.ts'

/** Others get their turn in between: a line takes some microseconds. */
const ROWS_A_TURN = 2_000

/** Of rows; of objects, a line of each as JSON. */
export async function hashData(data: unknown): Promise<string> {
  if (isColumnBatch(data)) return hashRows(data)
  const hash = createHash('sha256')
  for (const one of Array.isArray(data) ? (data as unknown[]) : [data]) hash.update(lineOf(one))
  return `sha256:${hash.digest('hex')}`
}

interface RowLines {
  /** What is said of the rows together, in a line of its own. */
  above?: object
  /** Otherwise the lines of the rows are sorted by their bytes. */
  isInOrder?: boolean
}

/** A line of the columns' names, then one of each row's values, as JSON arrays. */
export async function hashRows(
  { rowCount, columns }: ColumnBatch,
  { above, isInOrder = true }: RowLines = {},
): Promise<string> {
  const hash = createHash('sha256')
  const lines: Buffer[] = []
  if (above) hash.update(lineOf(above))
  hash.update(lineOf(Object.keys(columns)))
  const ordered = Object.values(columns)
  for (let row = 0; row < rowCount; row++) {
    if (row % ROWS_A_TURN === ROWS_A_TURN - 1) await setImmediate()
    const line = lineOf(ordered.map(column => cellOf(column, row)))
    if (isInOrder) hash.update(line)
    else lines.push(Buffer.from(line))
  }
  for (const line of lines.sort((a, b) => Buffer.compare(a, b))) hash.update(line)
  return `sha256:${hash.digest('hex')}`
}

function lineOf(value: unknown): string {
  return `${textOf(value)}\n`
}

/** JSON without spaces, the keys in the order of their text: sources write those of a map in any order. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`
  // An object made in that order would have keys of digits first.
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  const texts = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}:${textOf(one)}`)
  return `{${texts.join(',')}}`
}
