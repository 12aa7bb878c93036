// One request of Kafka's protocol in one version of it: how it is written, and how its answer is read.
import type { WireReader, WireWriter } from './wire.ts'

export interface KafkaRequest<T> {
  name: string
  apiKey: number
  version: number
  /** Of the newer kind; see wire.ts. */
  flexible?: boolean
  /** How long the broker may take by itself, as it was asked to. */
  waitMs?: number
  encode: (writer: WireWriter) => void
  decode: (reader: WireReader) => T
}

export const API = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  findCoordinator: 10,
  saslAuthenticate: 36,
  apiVersions: 18,
  createTopics: 19,
  initProducerId: 22,
} as const

/** What a broker must know at least: Kafka 2.4. */
export const NEEDED: Readonly<Record<number, number>> = {
  [API.produce]: 7,
  [API.fetch]: 11,
  [API.listOffsets]: 2,
  [API.metadata]: 7,
  [API.offsetCommit]: 2,
  [API.findCoordinator]: 1,
  [API.createTopics]: 4,
  [API.initProducerId]: 0,
}

export type ApiVersions = Readonly<Record<number, { minVersion: number; maxVersion: number }>>

export const apiVersions: KafkaRequest<ApiVersions> = {
  name: 'ApiVersions',
  apiKey: API.apiVersions,
  version: 0,
  encode() {},
  decode(reader) {
    const code = reader.int16()
    if (code !== 0) throw new RangeError(`error ${code}`)
    const ranges = reader.array(
      () => [reader.int16(), { minVersion: reader.int16(), maxVersion: reader.int16() }] as const,
    )
    return Object.fromEntries(ranges)
  },
}
