// Which brokers there are, which topics, and which broker leads which partition.
import { API, type ApiVersions, type KafkaRequest } from './request.ts'

export interface Metadata {
  brokers: Map<number, string>
  cluster: string
  controller: number
  topics: TopicMetadata[]
}

export interface TopicMetadata {
  code: number
  name: string
  /** The topic's own id; nothing from a broker before Kafka 2.8. */
  id: string | undefined
  isInternal: boolean
  partitions: PartitionMetadata[]
}

export interface PartitionMetadata {
  code: number
  partition: number
  /** -1 when it has none. */
  leader: number
}

/** Of a topic. */
export const ID_BYTES = 16
const NO_ID = Buffer.alloc(ID_BYTES)
const WITH_IDS = 12
const WITHOUT_IDS = 7

/** Of these topics, or of all; never creates one. */
export function metadataRequest(topics: readonly string[] | null, versions: ApiVersions): KafkaRequest<Metadata> {
  const hasIds = versions[API.metadata].maxVersion >= WITH_IDS
  return {
    name: 'Metadata',
    apiKey: API.metadata,
    version: hasIds ? WITH_IDS : WITHOUT_IDS,
    flexible: hasIds,
    encode(writer) {
      writer.array(topics, topic => {
        if (hasIds) writer.raw(NO_ID)
        writer.string(topic)
        writer.end()
      })
      writer.boolean(false)
      if (hasIds) writer.boolean(false)
      writer.end()
    },
    decode(reader) {
      const int32s = () => reader.array(() => reader.int32())
      const ended = <T>(value: T): T => {
        reader.end()
        return value
      }
      reader.int32() // throttle time
      const brokers = reader.array(() => {
        const [id, host, port] = [reader.int32(), reader.string(), reader.int32()]
        reader.string() // rack
        return ended([id, `${host}:${port}`] as const)
      })
      const cluster = reader.string() ?? ''
      const controller = reader.int32()
      const topics = reader.array(() => {
        const [code, name] = [reader.int16(), reader.string() ?? '']
        const id = hasIds ? reader.raw(ID_BYTES).toString('base64url') : undefined
        const isInternal = reader.boolean()
        const partitions = reader.array(() => {
          const [code, partition, leader] = [reader.int16(), reader.int32(), reader.int32()]
          reader.int32() // leader epoch
          for (const replicas of ['all', 'in sync', 'offline']) void [replicas, int32s()]
          return ended({ code, partition, leader })
        })
        if (hasIds) reader.int32() // what this user may do
        return ended({ code, name, id, isInternal, partitions })
      })
      return { brokers: new Map(brokers), cluster, controller, topics }
    },
  }
}
