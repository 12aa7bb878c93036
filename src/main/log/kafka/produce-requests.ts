// Handing batches of records to a partition's leader, and becoming a producer whose repeats it recognises.
import { API, type KafkaRequest } from './request.ts'

export interface ProducerIdentity {
  id: bigint
  epoch: number
}

export const initProducerId: KafkaRequest<{ code: number; identity: ProducerIdentity }> = {
  name: 'InitProducerId',
  apiKey: API.initProducerId,
  version: 0,
  encode(writer) {
    writer.string(null) // no transactions
    writer.int32(0)
  },
  decode(reader) {
    reader.int32() // throttle time
    return { code: reader.int16(), identity: { id: reader.bigInt64(), epoch: reader.int16() } }
  },
}

export interface ProducedPartition {
  topic: string
  partition: number
  /** One record batch. */
  records: Uint8Array
}

export interface ProduceAnswer {
  topic: string
  partition: number
  code: number
}

const ALL_REPLICAS = -1

export function produceRequest(batches: readonly ProducedPartition[], waitMs: number): KafkaRequest<ProduceAnswer[]> {
  return {
    name: 'Produce',
    apiKey: API.produce,
    version: 7,
    waitMs,
    encode(writer) {
      writer.string(null) // no transaction
      writer.int16(ALL_REPLICAS)
      writer.int32(waitMs)
      writer.array(batches, ({ topic, partition, records }) => {
        writer.string(topic)
        writer.array([partition], partition => {
          writer.int32(partition)
          writer.bytes(records)
        })
      })
    },
    decode(reader) {
      return reader
        .array(() => {
          const topic = reader.string() ?? ''
          return reader.array(() => {
            const [partition, code] = [reader.int32(), reader.int16()]
            reader.int64() // first offset
            reader.int64() // append time
            reader.int64() // log start
            return { topic, partition, code }
          })
        })
        .flat()
    },
  }
}
