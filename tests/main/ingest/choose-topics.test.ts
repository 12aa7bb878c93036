import { describe, expect, it } from 'vitest'
import { checkTopicChoice, chooseTopics } from '../../../src/main/ingest/choose-topics.ts'

const there = ['market.equities.trades.asx', 'market.equities.quotes.asx', 'market.crypto.trades.binance', 'other'].map(
  name => ({ name, partitions: 1, epoch: '0' }),
)
const chosen = (choice: Parameters<typeof chooseTopics>[0]) => {
  const { byTable, missing } = chooseTopics(choice, there)
  return {
    ...Object.fromEntries([...byTable].map(([table, infos]) => [table, infos.map(({ name }) => name)])),
    missing,
  }
}

describe('the topics that are written', () => {
  it('are those that are named, each into its table, and those that are missing are told', () => {
    expect(chosen({ topics: ['market.equities.quotes.asx', 'market.equities.trades.nyse'] })).toEqual({
      quotes: ['market.equities.quotes.asx'],
      missing: ['market.equities.trades.nyse'],
    })
  })

  it('are those whose whole name matches, and hold market data', () => {
    expect(chosen({ topics: [], pattern: String.raw`market\..*\.trades\..*|o.*` })).toEqual({
      trades: ['market.equities.trades.asx', 'market.crypto.trades.binance'],
      missing: [],
    })
    expect(chosen({ topics: [], pattern: 'trades' })).toEqual({ missing: [] })
  })

  it('are refused by a name that does not say what is in them, and by a pattern that is none', () => {
    expect(() => checkTopicChoice({ topics: ['prices'] })).toThrow('Topic prices has no name')
    expect(() => checkTopicChoice({ topics: [], pattern: '(' })).toThrow('no regular expression')
  })
})
