// A statement that is refused: why, in which line and column, and what is allowed.
import { Failure } from '../../../contract/failure.ts'

export interface Place {
  /** The whole statement, as it was given. */
  sql: string
  /** Bytes before the place. */
  at: number | undefined
}

export function refuse(why: string, { sql, at }: Place, cause?: unknown): Failure {
  const place = at === undefined ? undefined : placeIn(sql, at)
  const where = place ? ` (line ${place.line}, column ${place.column})` : ''
  return new Failure('INVALID_INPUT', `${why}${where}`, { details: place, cause })
}

/** Both from 1; a column is a character. DuckDB counts bytes of UTF-8. */
function placeIn(sql: string, at: number): { position: number; line: number; column: number } {
  const before = Buffer.from(sql).subarray(0, at).toString()
  const lines = before.split('\n')
  return { position: before.length, line: lines.length, column: lines[lines.length - 1].length + 1 }
}
