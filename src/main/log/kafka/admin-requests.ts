// Making topics, and telling a group's coordinator how far a reader is.
import type { TopicSpec } from '../message-log.ts'
import { API, type KafkaRequest } from './request.ts'

export interface TopicAnswer {
  topic: string
  code: number
  said: string | null
}

const BROKERS_DEFAULT = -1

export function createTopicsRequest(specs: readonly TopicSpec[], waitMs: number): KafkaRequest<TopicAnswer[]> {
  return {
    name: 'CreateTopics',
    apiKey: API.createTopics,
    version: 4,
    waitMs,
    encode(writer) {
      writer.array(specs, ({ name, partitions, replication = BROKERS_DEFAULT, config = {} }) => {
        writer.string(name)
        writer.int32(partitions)
        writer.int16(replication)
        writer.array([], () => {}) // assignments by hand
        writer.array(Object.entries(config), ([key, value]) => {
          writer.string(key)
          writer.string(value)
        })
      })
      writer.int32(waitMs)
      writer.boolean(false) // not only a check
    },
    decode(reader) {
      reader.int32() // throttle time
      return reader.array(() => ({ topic: reader.string() ?? '', code: reader.int16(), said: reader.string() }))
    },
  }
}

export function findCoordinatorRequest(group: string): KafkaRequest<{ code: number; node: number; address: string }> {
  return {
    name: 'FindCoordinator',
    apiKey: API.findCoordinator,
    version: 1,
    encode(writer) {
      writer.string(group)
      writer.int8(0) // of a group
    },
    decode(reader) {
      reader.int32() // throttle time
      const code = reader.int16()
      reader.string() // message
      return { code, node: reader.int32(), address: `${reader.string()}:${reader.int32()}` }
    },
  }
}

/** As somebody who is no member of the group, which therefore must have none. */
export function offsetCommitRequest(
  group: string,
  topic: string,
  next: Readonly<Record<string, number>>,
): KafkaRequest<{ partition: number; code: number }[]> {
  return {
    name: 'OffsetCommit',
    apiKey: API.offsetCommit,
    version: 2,
    encode(writer) {
      writer.string(group)
      writer.int32(-1) // no generation
      writer.string('') // no member
      writer.int64(-1) // retention: the broker's own
      writer.array([topic], topic => {
        writer.string(topic)
        writer.array(Object.entries(next), ([partition, offset]) => {
          writer.int32(Number(partition))
          writer.int64(offset)
          writer.string('')
        })
      })
    },
    decode(reader) {
      return reader
        .array(() => {
          reader.string()
          return reader.array(() => ({ partition: reader.int32(), code: reader.int16() }))
        })
        .flat()
    },
  }
}
