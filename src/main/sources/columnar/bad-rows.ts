// The rows of a batch that cannot go to the table, each with the first thing that is wrong with it.
import type { Column } from '../../../contract/columns.ts'
import { BadValue } from '../../base/values/bad-value.ts'
import { cellText } from './cell-text.ts'

export interface BadRows {
  reasons: Map<number, string>
  /** Runs a conversion for every row that has a value; what it refuses becomes the row's reason. */
  forEachValue: (name: string, source: Column, convert: (row: number) => void) => void
  missing: (row: number, name: string) => void
}

const MOST_SHOWN = 60

export function createBadRows(rowCount: number): BadRows {
  const reasons = new Map<number, string>()
  const add = (row: number, reason: string) => {
    if (!reasons.has(row)) reasons.set(row, reason)
  }
  return {
    reasons,
    forEachValue(name, source, convert) {
      const { nulls } = source
      let row = 0
      // The loop is entered anew after each refusal only: a try for every value would cost most of the time.
      while (row < rowCount) {
        try {
          for (; row < rowCount; row++) if (nulls?.[row] !== 1) convert(row)
        } catch (error) {
          if (!(error instanceof BadValue)) throw error
          const text = cellText(source, row)
          add(row, `${name} "${text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text}" ${error.message}`)
          row++
        }
      }
    },
    missing: (row, name) => add(row, `${name} is missing`),
  }
}
