// What the market hands to the log says what the market said.
import { expect, it } from 'vitest'
import { timestampText } from '../../../../src/contract/columns.ts'
import { avroSchemas } from '../../../../src/main/market/avro-schemas.ts'
import { messageIdOf } from '../../../../src/main/market/message-id.ts'
import { parseTopic } from '../../../../src/main/market/topics.ts'
import { instruments } from '../../../../src/main/sources/demo/arrivals.ts'
import { createMessageColumns, TRADE } from '../../../../src/main/sources/demo/columns.ts'
import { fillMessages } from '../../../../src/main/sources/demo/market.ts'
import { createTopicBatches, demoTopics } from '../../../../src/main/sources/demo/topic-batches.ts'
import { clearBatch, producedOf } from '../../../../src/main/sources/message-batch.ts'
import { readMessage, splitValues } from '../../market/read-avro.ts'
import { marketOf } from './messages.ts'

it('has the topics of both venues', () => {
  const topics = [
    ['market.equities.trades.asx', 'trades'],
    ['market.crypto.trades.binance', 'trades'],
    ['market.equities.quotes.asx', 'quotes'],
    ['market.crypto.quotes.binance', 'quotes'],
  ]
  expect([...demoTopics(instruments)]).toEqual(topics)
  expect(createTopicBatches(instruments).all.map(({ topic }) => topic)).toEqual(topics.map(([topic]) => topic))
})

it('writes with the schema that each topic has in its registry', () => {
  const idOf = (topic: string, table: string) => topic.length * 100 + table.length
  const batches = createTopicBatches(instruments, idOf)
  const columns = createMessageColumns(500)
  fillMessages(marketOf(), columns)
  batches.encode(columns)
  for (const batch of batches.all) {
    const { dataType } = parseTopic(batch.topic)!
    const ids = splitValues(producedOf(batch)).map(
      value => readMessage(value, avroSchemas[dataType as 'trades' | 'quotes']).schemaId,
    )
    expect(new Set(ids)).toEqual(new Set([idOf(batch.topic, dataType)]))
  }
})

it('writes every message to its topic under its symbol, in order, readable by the published schema', () => {
  const batches = createTopicBatches(instruments)
  const columns = createMessageColumns(5000)
  fillMessages(marketOf(), columns)
  batches.encode(columns)
  const ids = new Set<unknown>()
  let count = 0
  for (const batch of batches.all) {
    const { dataType, assetClass, exchange } = parseTopic(batch.topic)!
    const table = dataType as 'trades' | 'quotes'
    const produced = producedOf(batch)
    const rows = splitValues(produced).map(value => readMessage(value, avroSchemas[table]))
    const places = Array.from({ length: columns.count }, (_, row) => row).filter(row => {
      const instrument = instruments[columns.instruments[row]]
      return instrument.exchange === exchange && (columns.kinds[row] === TRADE) === (table === 'trades')
    })
    expect(rows.length).toBe(places.length)
    rows.forEach(({ row }, i) => {
      const { symbol, currency } = instruments[columns.instruments[places[i]]]
      const micros = columns.exchangeTimestamps[places[i]]
      const id = String(columns.ids[places[i]])
      expect(produced.keys[i]).toBe(symbol)
      expect(row).toMatchObject({
        message_id: messageIdOf(exchange, micros, symbol, id),
        [table === 'trades' ? 'trade_id' : 'quote_id']: id,
        symbol,
        exchange,
        asset_class: assetClass,
        currency,
        source_sequence: BigInt(columns.sourceSequences[places[i]]),
      })
      expect(timestampText(Number(row.exchange_timestamp))).toBe(timestampText(micros))
      const [price, wanted] = table === 'trades' ? [row.price, columns.prices] : [row.bid_price, columns.bidPrices]
      expect(price).toBe(Number.isNaN(wanted[places[i]]) ? null : BigInt(wanted[places[i]]))
      ids.add(row.message_id)
      count++
    })
  }
  expect(count).toBe(5000)
  expect(ids.size).toBe(5000)
})

it('begins anew when it has been cleared', () => {
  const batches = createTopicBatches(instruments)
  const columns = createMessageColumns(100)
  const market = marketOf()
  fillMessages(market, columns)
  batches.encode(columns)
  batches.all.forEach(clearBatch)
  expect(
    batches.all.map(producedOf).every(({ count, keys, values }) => count + keys.length + values.length === 0),
  ).toBe(true)
})
