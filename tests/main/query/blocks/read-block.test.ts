import { expect, it } from 'vitest'
import { filterOf } from '../../../../src/main/query/blocks/read-block.ts'

it('asks for no time where a file does not say which times it has', () => {
  const ofSymbol = { column: 'symbol', op: '=', value: 'BHP' }
  expect(filterOf({ symbols: ['BHP'], startMicros: -Infinity, endMicros: Infinity })).toEqual([ofSymbol])
  expect(filterOf({ symbols: ['BHP'], startMicros: 5, endMicros: Infinity })).toEqual([
    ofSymbol,
    { column: 'exchange_timestamp', op: '>=', value: 5n },
  ])
})
