// What is typed into the grid's filters, as conditions of the engine.
import { describe, expect, it } from 'vitest'
import { contract } from '../../../src/contract/index.ts'
import { conditionsOf, filterOptionsOf, sortOf } from '../../../src/renderer/grid/column-filter.ts'
import type { HeldColumn } from '../../../src/renderer/stores/held-result.ts'

const SYDNEY = { id: 'Australia/Sydney', label: 'Sydney time' }
const NEAR = Date.parse('2014-03-10T03:00:00Z') * 1000
const columns: HeldColumn[] = [
  { name: 'symbol', type: 'string' },
  { name: 'price', type: 'decimal' },
  { name: 'at', type: 'timestamp' },
  { name: 'side', type: 'enum' },
  { name: 'is_late', type: 'boolean' },
]
const read = (column: string, type: string, filter?: string) =>
  conditionsOf({ [column]: { type, filter } }, columns, SYDNEY, NEAR)

describe('a filter', () => {
  it('keeps numbers as text, so that they stay exact', () => {
    expect(read('price', 'moreOrEqual', '1,234.56789012').filter).toEqual([
      { column: 'price', op: '>=', value: '1234.56789012' },
    ])
  })

  it('takes times in the zone of the page, of the day that is near where only the time is given', () => {
    const eleven = [{ column: 'at', op: '<', value: '2014-03-10T00:00:00.000000Z' }]
    expect(read('at', 'less', '2014-03-10 11:00').filter).toEqual(eleven)
    expect(read('at', 'less', '11:00').filter).toEqual(eleven)
  })

  it('says what it cannot read, and leaves it out', () => {
    for (const [column, text] of [
      ['price', '12 x'],
      ['at', 'noon'],
      ['is_late', 'perhaps'],
    ]) {
      const { filter, problem } = read(column, 'equals', text)
      expect(filter).toEqual([])
      expect(problem).toContain(`“${text}”`)
    }
  })

  it('asks for nothing of columns that the result does not have', () => {
    expect(read('gone', 'equals', '1')).toEqual({ filter: [], problem: undefined })
  })

  it('is always one that the contract takes', () => {
    const values: Record<string, string> = { price: '1', at: '11:00', is_late: 'true' }
    for (const column of columns) {
      const choices = filterOptionsOf(column).map(option => (typeof option === 'string' ? option : option.displayKey))
      expect(choices.length).toBeGreaterThan(3)
      for (const type of choices) {
        const { filter, problem } = read(column.name, type, values[column.name] ?? 'BHP')
        expect(problem).toBeUndefined()
        expect(filter).toHaveLength(1)
        const ask = {
          result: crypto.randomUUID(),
          first: 0,
          count: 1,
          filter,
          sort: sortOf([{ colId: 'at', sort: 'desc' }]),
        }
        expect(contract['results.window'].input.safeParse(ask).error).toBeUndefined()
      }
    }
  })
})

it('sorts by four columns at most', () => {
  const model = ['a', 'b', 'c', 'd', 'e'].map(colId => ({ colId, sort: 'asc' }))
  expect(sortOf(model).map(({ column }) => column)).toEqual(['a', 'b', 'c', 'd'])
})
