// Batches as a producer writes them, read back by kafkajs, which shares no code with us.
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { crc32c } from '../../../../src/main/log/kafka/crc32c.ts'
import { encodeBatch } from '../../../../src/main/log/kafka/encode-batch.ts'
import * as at from '../../../../src/main/log/kafka/record-batch.ts'
import { NOBODY, sourceOf } from './batches.ts'

interface KafkajsRecord {
  offset: string
  timestamp: string
  key: Buffer
  value: Buffer | null
}
const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object
const readBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<{ records: KafkajsRecord[] }>

describe('a batch to be sent', () => {
  it('is read by kafkajs as it was meant, when compressing it gains nothing', async () => {
    const start = 1_768_000_000_000
    const messages = [
      { key: 'BHP', text: 'a', timeMs: start },
      { key: '', text: null, timeMs: start - 1 },
      { key: 'ü€', text: '', timeMs: start + 2 ** 40 },
      { key: 'RIO', text: 'z', timeMs: 0 },
    ]
    const batch = encodeBatch(sourceOf(messages), { identity: { id: 2n ** 40n, epoch: 7 }, sequence: 99 })
    expect(batch.readInt16BE(at.ATTRIBUTES_AT)).toBe(0)
    const { records } = await readBatch(new Decoder(batch))
    expect(
      records.map(({ offset, timestamp, key, value }) => [offset, timestamp, String(key), value && String(value)]),
    ).toEqual(messages.map(({ key, text, timeMs }, i) => [String(i), String(timeMs), key, text]))
    expect([batch.readBigInt64BE(at.PRODUCER_AT), batch.readInt16BE(at.PRODUCER_EPOCH_AT)]).toEqual([2n ** 40n, 7])
    expect(batch.readInt32BE(at.SEQUENCE_AT)).toBe(99)
    expect(batch.readBigInt64BE(at.LATEST_TIME_AT)).toBe(BigInt(start + 2 ** 40))
  })

  it('is compressed where that makes it smaller', () => {
    const messages = Array.from({ length: 100 }, () => ({ key: 'k', text: 'the same again', timeMs: 1 }))
    const batch = encodeBatch(sourceOf(messages), NOBODY)
    expect(batch.readInt16BE(at.ATTRIBUTES_AT)).toBe(2)
    expect(batch.length).toBeLessThan(100 * 'the same again'.length)
  })
})

describe('CRC-32C', () => {
  it('is what its standard says', () => {
    const hex = (bytes: Buffer) => crc32c(bytes, 0, bytes.length).toString(16)
    expect(hex(Buffer.from('123456789'))).toBe('e3069283')
    expect(hex(Buffer.alloc(32))).toBe('8a9136aa')
    expect(hex(Buffer.alloc(32, 0xff))).toBe('62a8ab43')
    expect(hex(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe('46dd794e')
  })

  it('does not depend on where the bytes lie', () => {
    const bytes = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 37) % 251))
    for (let shift = 0; shift < 9; shift++) {
      const moved = Buffer.concat([Buffer.alloc(shift), bytes, Buffer.alloc(5)])
      for (const length of [0, 1, 7, 8, 9, 63, 100])
        expect(crc32c(moved, shift, shift + length)).toBe(crc32c(bytes, 0, length))
    }
  })
})
