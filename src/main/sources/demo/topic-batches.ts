// The market's messages as what a log takes: per topic the keys and the encoded values.
import { EMBEDDED_SCHEMA_IDS } from '../../market/avro-schemas.ts'
import { encodeInstrument, putQuote, putTrade } from '../../market/encode.ts'
import { exchangeOf } from '../../market/exchanges.ts'
import { topicOf } from '../../market/topics.ts'
import { clearValues, createValueBuffer, type ValueBuffer } from '../../market/value-buffer.ts'
import type { Produced } from '../../log/message-log.ts'
import { TRADE, type MessageColumns } from './columns.ts'
import type { DemoInstrument } from './instruments.ts'

export interface TopicBatch {
  topic: string
  partitions: number
  keys: string[]
  values: ValueBuffer
}

export interface TopicBatches {
  all: readonly TopicBatch[]
  encode(columns: MessageColumns): void
}

export function createTopicBatches(instruments: readonly DemoInstrument[]): TopicBatches {
  const byTopic = new Map<string, TopicBatch>()
  const batchOf = ({ assetClass, exchange }: DemoInstrument, dataType: 'trades' | 'quotes'): TopicBatch => {
    const topic = topicOf(assetClass, dataType, exchange)
    const batch = byTopic.get(topic) ?? {
      topic,
      partitions: exchangeOf(exchange).partitions,
      keys: [],
      values: createValueBuffer(),
    }
    byTopic.set(topic, batch)
    return batch
  }
  const encoded = instruments.map(encodeInstrument)
  const trades = instruments.map(instrument => batchOf(instrument, 'trades'))
  const quotes = instruments.map(instrument => batchOf(instrument, 'quotes'))

  function encode(columns: MessageColumns): void {
    for (let row = 0; row < columns.count; row++) {
      const place = columns.instruments[row]
      const isTrade = columns.kinds[row] === TRADE
      const { keys, values } = (isTrade ? trades : quotes)[place]
      if (isTrade) putTrade(values, EMBEDDED_SCHEMA_IDS.trades, encoded[place], columns, row)
      else putQuote(values, EMBEDDED_SCHEMA_IDS.quotes, encoded[place], columns, row)
      keys.push(instruments[place].symbol)
    }
  }
  return { all: [...byTopic.values()], encode }
}

/** What the batch holds, until it is cleared: views, not copies. */
export function producedOf({ keys, values }: TopicBatch): Produced {
  const { count, bytes, length, ends } = values
  return { count, keys, values: bytes.subarray(0, length), ends: ends.subarray(0, count) }
}

export function clearBatch({ keys, values }: TopicBatch): void {
  keys.length = 0
  clearValues(values)
}
