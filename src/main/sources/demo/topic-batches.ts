// The market's messages as what a log takes: per topic the keys and the encoded values.
import type { TailTable } from '../../../contract/tables.ts'
import { EMBEDDED_SCHEMA_IDS } from '../../market/avro-schemas.ts'
import { encodeInstrument, putQuote, putTrade } from '../../market/encode.ts'
import { topicOf } from '../../market/topics.ts'
import { createMessageBatch, type MessageBatch } from '../message-batch.ts'
import { TRADE, type MessageColumns } from './columns.ts'
import type { DemoInstrument } from './instruments.ts'

export interface TopicBatch extends MessageBatch {
  topic: string
  schemaId: number
}

export interface TopicBatches {
  all: readonly TopicBatch[]
  encode(columns: MessageColumns): void
}

/** By topic, what its messages are. */
export function demoTopics(instruments: readonly DemoInstrument[]): Map<string, TailTable> {
  const tables: readonly TailTable[] = ['trades', 'quotes']
  return new Map(
    tables.flatMap(table =>
      instruments.map(({ assetClass, exchange }) => [topicOf(assetClass, table, exchange), table] as const),
    ),
  )
}

export function createTopicBatches(
  instruments: readonly DemoInstrument[],
  schemaIdOf: (topic: string, table: TailTable) => number = (_, table) => EMBEDDED_SCHEMA_IDS[table],
): TopicBatches {
  const byTopic = new Map<string, TopicBatch>()
  const batchOf = ({ assetClass, exchange }: DemoInstrument, dataType: TailTable): TopicBatch => {
    const topic = topicOf(assetClass, dataType, exchange)
    const batch = byTopic.get(topic) ?? {
      topic,
      schemaId: schemaIdOf(topic, dataType),
      ...createMessageBatch(),
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
      const { keys, values, schemaId } = (isTrade ? trades : quotes)[place]
      if (isTrade) putTrade(values, schemaId, encoded[place], columns, row)
      else putQuote(values, schemaId, encoded[place], columns, row)
      keys.push(instruments[place].symbol)
    }
  }
  return { all: [...byTopic.values()], encode }
}
