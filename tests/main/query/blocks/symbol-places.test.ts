// Where the rows of each symbol lie in a file.
import { describe, expect, it } from 'vitest'
import { createPlacesOf } from '../../../../src/main/query/blocks/symbol-places.ts'
import { openTestDuck } from '../../duck/duck.ts'

async function placesIn(rows: readonly [symbol: string | null, exchange: string][], exchange?: string) {
  const { connection } = await openTestDuck()
  const values = rows.map(([symbol, of], i) => `(${i}, ${symbol === null ? 'NULL' : `'${symbol}'`}, '${of}')`)
  await connection.run('CREATE TEMP TABLE file (n INTEGER, symbol VARCHAR, exchange VARCHAR)')
  await connection.run(`INSERT INTO file VALUES ${values.join(', ')}`)
  let asked = 0
  const sql = (columns: readonly string[]) => (asked++, `SELECT ${columns.join(', ')} FROM file ORDER BY n`)
  const lease = { connection, signal: new AbortController().signal }
  const placesOf = createPlacesOf()
  const of = { path: 'a file', rowCount: rows.length, exchange, sql }
  const places = await placesOf(lease, of)
  const askedOnce = asked
  expect(await placesOf(lease, of)).toBe(places)
  expect(asked).toBe(askedOnce)
  return places && Object.fromEntries(places)
}

describe('places of symbols in a file', () => {
  it('are from the first row of each up to its last', async () => {
    expect(
      await placesIn([
        ['B', 'X'],
        ['B', 'X'],
        ['A', 'Y'],
        ['C', 'X'],
      ]),
    ).toEqual({
      B: { from: 0, to: 2 },
      A: { from: 2, to: 3 },
      C: { from: 3, to: 4 },
    })
  })

  it('are none where rows of a symbol lie apart', async () => {
    expect(
      await placesIn([
        ['A', 'X'],
        ['B', 'X'],
        ['A', 'X'],
      ]),
    ).toBeUndefined()
  })

  it('are none where a row is of another exchange than the one asked for', async () => {
    expect(
      await placesIn(
        [
          ['A', 'X'],
          ['B', 'Y'],
        ],
        'X',
      ),
    ).toBeUndefined()
    expect(
      await placesIn(
        [
          ['A', 'X'],
          ['B', 'X'],
        ],
        'X',
      ),
    ).toEqual({ A: { from: 0, to: 1 }, B: { from: 1, to: 2 } })
  })

  it('leave out rows without a symbol', async () => {
    expect(
      await placesIn([
        [null, 'X'],
        ['A', 'X'],
      ]),
    ).toEqual({ A: { from: 1, to: 2 } })
  })
})
