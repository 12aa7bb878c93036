// What a broker answers to a fetch besides messages.
import { describe, expect, it } from 'vitest'
import { fetchRequest } from '../../../../src/main/log/kafka/fetch-requests.ts'
import { API } from '../../../../src/main/log/kafka/request.ts'
import { readWire, writeWire } from '../../../../src/main/log/kafka/wire.ts'

const UNKNOWN_TOPIC_ID = 100

describe('a fetch', () => {
  it('that is refused as a whole is a failure that may pass, and not an answer without messages', () => {
    const topics = [{ topic: 't', id: undefined, partitions: [{ partition: 0, offset: 0 }] }]
    const options = { maxWaitMs: 100, maxBytes: 1000, maxPartitionBytes: 1000, topics }
    const request = fetchRequest(options, { [API.fetch]: { minVersion: 0, maxVersion: 11 } })
    const answerWith = (code: number) => {
      const writer = writeWire()
      writer.int32(0)
      writer.int16(code)
      writer.int32(0)
      writer.array([], () => {})
      return request.decode(readWire(writer.finish()))
    }
    expect(answerWith(0)).toEqual([])
    expect(() => answerWith(UNKNOWN_TOPIC_ID)).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', retryable: true }) as Error,
    )
  })
})
