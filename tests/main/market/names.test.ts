// Topics, exchanges and message ids: the names by which everything else finds a message.
import { describe, expect, it } from 'vitest'
import { exchangeOf } from '../../../src/main/market/exchanges.ts'
import { messageIdOf } from '../../../src/main/market/message-id.ts'
import { parseTopic, topicOf } from '../../../src/main/market/topics.ts'

describe('a topic', () => {
  it('is named after asset class, data type and exchange', () => {
    expect(topicOf('equities', 'trades', 'ASX')).toBe('market.equities.trades.asx')
    expect(topicOf('crypto', 'reference_data', 'BINANCE')).toBe('market.crypto.reference_data.binance')
  })

  it('gives back what it was named after, the exchange in upper case', () => {
    expect(parseTopic('market.crypto.quotes.binance')).toEqual({
      assetClass: 'crypto',
      dataType: 'quotes',
      exchange: 'BINANCE',
    })
    expect(parseTopic(topicOf('equities', 'trades', 'XNYS.ARCA'))?.exchange).toBe('XNYS.ARCA')
  })

  it.each([
    '',
    'market',
    'market.equities.trades',
    'market.bonds.trades.asx',
    'market.equities.bars.asx',
    'x.market.equities.trades.asx',
  ])('says nothing of %j, which has another form', name => expect(parseTopic(name)).toBeUndefined())
})

describe('an exchange', () => {
  it('is found without case', () => {
    expect(exchangeOf('asx')).toEqual({
      name: 'ASX',
      zone: 'Australia/Sydney',
      session: { open: '10:00', close: '16:00', closingAuction: '16:10' },
      currency: 'AUD',
      assetClass: 'equities',
      partitions: 30,
    })
    expect(exchangeOf('Binance')).toMatchObject({ zone: 'UTC', currency: 'USDT', assetClass: 'crypto', partitions: 16 })
  })

  it.each(['kraken', 'constructor'])(
    'that nobody listed (%s) trades in UTC around the clock and has no currency',
    name => {
      const { session, ...rest } = exchangeOf(name)
      expect(session).toBeUndefined()
      expect(rest).toEqual({ name: name.toUpperCase(), zone: 'UTC', currency: 'XXX', partitions: 1 })
    },
  )
})

describe('a message id', () => {
  it('names exchange, millisecond, symbol and trade', () => {
    expect(messageIdOf('ASX', 1_394_401_234_567_891, 'BHP', '42')).toBe('ASX:1394401234567:BHP:42')
  })

  it('does not depend on the case in which the exchange was written', () => {
    expect(messageIdOf('asx', 1_000, 'BHP', 'a')).toBe(messageIdOf('ASX', 1_999, 'BHP', 'a'))
  })
})
