// What a broker answers to a fetch besides messages.
import { describe, expect, it } from 'vitest'
import { fetchRequest } from '../../../../src/main/log/kafka/fetch-requests.ts'
import { API } from '../../../../src/main/log/kafka/request.ts'
import { readWire, writeWire } from '../../../../src/main/log/kafka/wire.ts'

const UNKNOWN_TOPIC_ID = 100

describe('a fetch', () => {
  it('that is refused as a whole is a failure that may pass, and not an answer without messages', () => {
    const topics = [{ topic: 't', id: undefined, partitions: [{ partition: 0, offset: 0, epoch: -1 }] }]
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

  it('says under which leader the last message was written, and hears where the log parts from it', () => {
    const id = Buffer.alloc(16, 7).toString('base64url')
    const topics = [{ topic: 't', id, partitions: [{ partition: 3, offset: 400, epoch: 5 }] }]
    const options = { maxWaitMs: 100, maxBytes: 1000, maxPartitionBytes: 1000, topics }
    const request = fetchRequest(options, { [API.fetch]: { minVersion: 0, maxVersion: 13 } })
    const asked = writeWire(true)
    request.encode(asked)
    // Partition, leader epoch, offset, last epoch.
    const partition = Buffer.from('00000003ffffffff000000000000019000000005', 'hex')
    expect(asked.finish().includes(partition)).toBe(true)

    const answerWith = (tagged: Buffer) => {
      const writer = writeWire(true)
      writer.int32(0)
      writer.int16(0)
      writer.int32(0)
      writer.array([0], () => {
        writer.raw(Buffer.alloc(16, 7))
        writer.array([0], () => {
          writer.int32(3)
          writer.int16(0)
          for (const offset of [900, 900, 0]) writer.int64(offset)
          writer.array([], () => {})
          writer.int32(-1)
          writer.bytes(Buffer.alloc(0))
          writer.raw(tagged)
        })
        writer.end()
      })
      writer.end()
      return request.decode(readWire(writer.finish(), true))
    }
    const field = (tag: number, content: Buffer) => Buffer.concat([Buffer.of(tag, content.length), content])
    const diverging = (epoch: number, end: number) => {
      const content = Buffer.alloc(13)
      content.writeInt32BE(epoch, 0)
      content.writeBigInt64BE(BigInt(end), 4)
      return field(0, content)
    }
    const leader = field(1, Buffer.alloc(9))
    expect(answerWith(Buffer.of(0))).toMatchObject([{ topic: 't', partition: 3, divergedAt: undefined }])
    expect(answerWith(Buffer.concat([Buffer.of(2), diverging(4, 350), leader]))).toMatchObject([{ divergedAt: 350 }])
    expect(answerWith(Buffer.concat([Buffer.of(1), diverging(-1, -1)]))).toMatchObject([{ divergedAt: undefined }])
    expect(() => answerWith(Buffer.concat([Buffer.of(1), field(0, Buffer.alloc(4))]))).toThrow(RangeError)
  })
})
